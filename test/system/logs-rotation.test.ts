// What a service writes survives every rotation and every death of the thread that rotates: real files, real writers at
// full speed, the tender killed at any instant.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { collapse } from '../../src/kernel/disk-calls.js';
import { listArchives } from '../../src/logs/archive.js';

const TENDER = fileURLToPath(new URL('../support/log-tender.mjs', import.meta.url));

const children = new Set<ChildProcess>();
const directories: string[] = [];

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'upkeep-logs-'));
  directories.push(directory);
  return directory;
}

function start(command: string, args: readonly string[], stdio: 'ignore' | number = 'ignore'): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', stdio === 'ignore' ? 'pipe' : stdio, 'inherit'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** A shell that writes numbered lines in bursts, one write(2) each, through a descriptor opened to append, until `stop` is there. */
function startWriter(log: string, name: string, stop: string): Promise<unknown> {
  const fd = openSync(log, 'a');
  const line = `i=$((i+1)); echo "${name} $i of the numbered lines"`;
  const burst = `j=0; while [ $j -lt 250 ]; do j=$((j+1)); ${line}; done; sleep 0.02`;
  const loop = `i=0; while [ ! -e '${stop}' ]; do ${burst}; done`;
  const writer = start('sh', ['-c', loop], fd);
  closeSync(fd);
  return once(writer, 'exit');
}

/** Everything that was written, oldest first: the archives and then the log. */
function readWhole(log: string): string {
  const older = listArchives(log).map(({ path, form }) =>
    form === 'gzip' ? gunzipSync(readFileSync(path)) : readFileSync(path),
  );
  return Buffer.concat([...older, readFileSync(log)]).toString();
}

function numbersOf(text: string): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const line of text.split('\n').slice(0, -1)) {
    const match = /^(\w+) (\d+) of the numbered lines$/.exec(line);
    if (match?.[1] === undefined) throw new Error(`a torn line: ${JSON.stringify(line.slice(0, 200))}`);
    const found = numbers.get(match[1]);
    if (found === undefined) numbers.set(match[1], [Number(match[2])]);
    else found.push(Number(match[2]));
  }
  return numbers;
}

function canCollapse(): boolean {
  const file = join(newDirectory(), 'probe');
  writeFileSync(file, Buffer.alloc(64 * 1024 + 1));
  const fd = openSync(file, 'r+');
  const errno = collapse(fd, 64 * 1024);
  closeSync(fd);
  return errno === null;
}

describe('rotation under load', () => {
  it.runIf(canCollapse())(
    'loses and doubles no line of twenty writers while the tender is killed over and over (supervisors 37)',
    { timeout: 180_000 },
    async () => {
      const directory = newDirectory();
      const stop = join(directory, 'stop');
      const logs = ['a', 'b', 'c', 'd'].map((name) => join(directory, `${name}.log`));
      for (const log of logs) writeFileSync(log, '');
      const writers = logs.flatMap((log) => ['w', 'x', 'y', 'z', 'q'].map((name) => startWriter(log, name, stop)));
      const rotations = (): number => logs.reduce((sum, log) => sum + listArchives(log).length, 0);
      for (let kills = 0; kills < 15 || (rotations() < 15 && kills < 100); kills += 1) {
        const tender = start(process.execPath, [TENDER, directory, '100000', '1000', kills % 2 === 0 ? 'yes' : 'no']);
        const exit = once(tender, 'exit');
        // The first news comes in the middle of its first rotations.
        await Promise.race([once(tender.stdout as NodeJS.ReadableStream, 'data'), exit]);
        await pause(kills % 3 === 0 ? 0 : Math.random() * 500);
        tender.kill('SIGKILL');
        await exit;
      }
      writeFileSync(stop, '');
      await Promise.all(writers);
      const last = start(process.execPath, [TENDER, directory, '100000', '1000', 'yes']);
      let said = '';
      last.stdout?.on('data', (chunk: Buffer) => {
        said += String(chunk);
      });
      await expect.poll(() => said, { timeout: 30_000 }).toContain('"ready"');
      for (const log of logs) {
        const numbers = numbersOf(readWhole(log));
        expect([...numbers.keys()].sort()).toEqual(['q', 'w', 'x', 'y', 'z']);
        for (const found of numbers.values()) expect(found).toEqual(found.map((_, index) => index + 1));
      }
      expect(rotations()).toBeGreaterThan(10);
      expect(readdirSync(directory).filter((name) => /\.(next|rotating)/.test(name))).toEqual([]);
    },
  );

  it('where the file system cannot collapse, doubles nothing, keeps the order, and tells that a line may be lost', {
    timeout: 120_000,
  }, async () => {
    const directory = newDirectory();
    const log = join(directory, 'a.log');
    writeFileSync(log, '');
    const tender = start(process.execPath, [TENDER, directory, '100000', '1000', 'yes', 'without-collapse']);
    let said = '';
    tender.stdout?.on('data', (chunk: Buffer) => {
      said += String(chunk);
    });
    await expect.poll(() => said, { timeout: 30_000 }).toContain('"ready"');
    const stop = join(directory, 'stop');
    const writer = startWriter(log, 'w', stop);
    await expect.poll(() => listArchives(log).length, { timeout: 60_000 }).toBeGreaterThan(2);
    writeFileSync(stop, '');
    await writer;
    expect(said).toContain('"exact":"no"');
    await expect.poll(() => statSync(log).size, { timeout: 30_000 }).toBeLessThan(100_000);
    const exit = once(tender, 'exit');
    tender.kill('SIGKILL');
    await exit;
    const found = numbersOf(readWhole(log)).get('w') ?? [];
    for (let at = 1; at < found.length; at += 1) expect(found[at]).toBeGreaterThan(found[at - 1] ?? 0);
    // What is written between the last look and the cut: next to nothing.
    expect(found.length).toBeGreaterThan((found.at(-1) ?? 0) * 0.9);
  });
});
