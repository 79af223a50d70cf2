// Alone: the process starts its own successor. Real processes and sockets.

import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, isAlive, type Program, servedAt, start, stopAll, until } from './support/program.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-client-'));
});
afterEach(() => {
  stopAll();
  rmSync(directory, { recursive: true, force: true });
});

const MiB = 1024 * 1024;

describe('a restart alone', () => {
  it('hands state and sockets to a successor, generation after generation (E1, D1)', async () => {
    const program = start();
    const where = await servedAt(program);
    const first = await ask(where);
    expect(first).toMatchObject({
      nth: 1,
      count: 1,
      mode: { manager: 'alone', guarantees: { overlap: true, canRefuse: true } },
    });
    for (const nth of [2, 3, 4]) {
      const { pid } = await ask(where, '/restart');
      expect(await ask(where)).toMatchObject({ nth, pid, count: nth });
      // The next one may come when this one has gone.
      await until('the old one has ended', () => program.lines.some((line) => line.startsWith(`${nth - 1}: drains`)));
      await until('only one lives', async () => livesAlone(program, pid));
    }
    expect(await program.ended).toEqual({ code: 0, signal: null });
  });

  it('hands 10 MiB over, byte by byte the same', async () => {
    const program = start({ env: { BALLAST: String(10 * MiB) } });
    const where = await servedAt(program);
    expect(await ask(where, '/restart')).toMatchObject({ pid: expect.any(Number) });
    await program.said(/^2: serves/);
  });

  it('keeps the path of a Unix socket, with its mode, until the last one ends (B6)', async () => {
    const path = join(directory, 'web.sock');
    const program = start({ env: { LISTEN_PATH: path } });
    await program.said(/^1: serves/);
    const { ino, mode } = statSync(path);
    expect(mode & 0o777).toBe(0o600);
    const { pid } = await ask(path, '/restart');
    await program.ended;
    expect(statSync(path).ino).toBe(ino);
    expect(await ask(path)).toMatchObject({ nth: 2, pid });
    process.kill(Number(pid), 'SIGTERM');
    await until('it has ended', () => !isAlive(Number(pid)));
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is asked for by a signal too', async () => {
    const program = start();
    const where = await servedAt(program);
    process.kill(program.pid, 'SIGUSR2');
    await program.said(/^2: serves/);
    await program.ended;
    expect(await ask(where)).toMatchObject({ nth: 2, count: 1 });
  });
});

describe('a restart alone comes to nothing, and the old generation goes on', () => {
  const faults: readonly (readonly [title: string, env: Record<string, string>, reason: RegExp])[] = [
    ['when the new one refuses (D2, 8)', { FAULT: 'gen2-refuses' }, /it refused: I do not want it/],
    ['when the new one knows only older state (33)', { SCHEMA_1: '7', SCHEMA_2: '6' }, /schema 7; .* knows 6 at most/],
    ['when the new one left half of the state (7)', { FAULT: 'gen2-takes-half' }, /not read to its end/],
    [
      'when the new one ends before it reads (D3, 3)',
      { FAULT: 'gen2-exits-early', BALLAST: `${10 * MiB}` },
      /ended with code 3/,
    ],
    ['when the new one ends with 0 and is not ready (9)', { FAULT: 'gen2-exits-0' }, /ended with code 0/],
    [
      'when the new one is never ready (D4, 10)',
      { FAULT: 'gen2-never-ready', READY_WITHIN: '500' },
      /not ready within 500 ms/,
    ],
    ['when the new one ends as it says READY (11)', { FAULT: 'gen2-ready-exits' }, /ended with code 0/],
    [
      'when the new one never reads (D4, 6)',
      { FAULT: 'gen2-never-reads', BALLAST: `${10 * MiB}`, TRANSFER_WITHIN: '500' },
      /stood still for 500 ms/,
    ],
    ['when the old one cannot write it (D5, 5)', { FAULT: 'old-throws' }, /the exporter is broken/],
    ['when the old one stands still (6)', { FAULT: 'old-stalls', TRANSFER_WITHIN: '500' }, /stood still for 500 ms/],
    ['when the state is over the limit', { BALLAST: '1000', STATE_LIMIT: '500' }, /over the limit of 500 bytes/],
  ];
  it.each(faults)('%s', async (_title, env, reason) => {
    const program = start({ env });
    const where = await servedAt(program);
    const before = await ask(where);
    for (const attempt of [1, 2]) {
      const { error } = await ask(where, '/restart');
      expect(error).toMatch(reason);
      // State is usable, and the next attempt is possible at once (R, E8).
      expect(await ask(where)).toMatchObject({ nth: 1, pid: before.pid, count: 1 + attempt, life: 'serving' });
    }
    expect(program.lines.filter((line) => line.includes('sends')).length).toBe(
      program.lines.filter((line) => line.includes('thawed')).length,
    );
    await until('the attempts left nothing', async () => livesAlone(program, before.pid));
  });

  it('when the successor does not end by a signal that it may ignore', async () => {
    const program = start({ env: { FAULT: 'gen2-deaf', READY_WITHIN: '1000' } });
    const where = await servedAt(program);
    expect(await ask(where, '/restart')).toMatchObject({ error: expect.stringMatching(/not ready within/) });
    await until('it was killed', async () => livesAlone(program, program.pid));
  });

  it('five times, and the sixth succeeds (D11, E8)', async () => {
    const file = join(directory, 'fault');
    writeFileSync(file, 'gen2-exits-early');
    const program = start({ env: { FAULT_FILE: file } });
    const where = await servedAt(program);
    for (const _ of [1, 2, 3, 4, 5]) expect(await ask(where, '/restart')).toMatchObject({ error: expect.any(String) });
    writeFileSync(file, 'none');
    expect(await ask(where, '/restart')).toMatchObject({ pid: expect.any(Number) });
    expect(await ask(where)).toMatchObject({ nth: 2, count: 1 });
  });
});

describe('one restart at a time', () => {
  it('is made: a second request is refused while the first is on its way (D8, 17)', async () => {
    const program = start({ env: { FAULT: 'gen2-never-ready', READY_WITHIN: '3000' } });
    const where = await servedAt(program);
    const first = ask(where, '/restart');
    await program.said(/^2: starts/);
    expect(await ask(where, '/restart')).toEqual({ error: 'a restart is in progress' });
    expect(await first).toMatchObject({ error: expect.stringMatching(/not ready/) });
  });

  it('is made: while the generation before still drains there is none (D8, 18)', async () => {
    const program = start({ env: { SLOW_DRAIN: 'yes' } });
    const where = await servedAt(program);
    await ask(where, '/restart');
    await program.said(/^1: drains/);
    await program.said(/^2: serves/);
    await until('the old one accepts no more', async () => (await ask(where)).nth === 2);
    expect(await askOf(where, 2)).toEqual({ error: 'the generation before has not ended yet' });
    process.kill(program.pid, 'SIGKILL');
    await program.ended;
    await until('it is gone for the new one too', async () => 'pid' in (await ask(where, '/restart')));
  });

  it('ends the successor when the old one is told to end meanwhile (D9, 19)', async () => {
    const program = start({ env: { FAULT: 'gen2-never-ready' } });
    const where = await servedAt(program);
    void ask(where, '/restart').catch(() => {});
    const [, pid] = await program.said(/^2: starts \(pid (\d+)/);
    process.kill(program.pid, 'SIGTERM');
    await program.ended;
    await until('the successor has ended', () => !isAlive(Number(pid)));
  });
});

it.each(['old-dies-first', 'old-dies-midway', 'old-dies-after'])(
  'a successor that was not accepted ends with its predecessor: %s (D6)',
  async (fault) => {
    const program = start({ env: { FAULT: fault } });
    const where = await servedAt(program);
    ask(where, '/restart').catch(() => {});
    const [, pid] = await program.said(/^2: starts \(pid (\d+)/);
    if (fault === 'old-dies-after') {
      await program.said(/^2: has all/);
      process.kill(program.pid, 'SIGKILL');
    }
    expect(await program.ended).toEqual({ code: null, signal: 'SIGKILL' });
    await until('the successor has ended', () => !isAlive(Number(pid)));
    expect(program.lines.some((line) => line.startsWith('2: serves'))).toBe(false);
  },
);

it('a child has neither a socket nor a word of the service (E2)', async () => {
  const program = start();
  const where = await servedAt(program);
  await ask(where, '/restart');
  await program.said(/^2: serves/);
  await until('the old one accepts no more', async () => (await ask(where)).nth === 2);
  const { ours, child } = (await ask(where, '/child')) as { ours: string[]; child: { fds: string[]; env: string[] } };
  const sockets = ours.filter((link) => link.startsWith('socket:'));
  expect(sockets.length).toBeGreaterThan(0);
  // Its own standard streams are pairs that Node made for it.
  expect(child.fds.filter((link) => sockets.includes(link) && !isStandard(link, ours))).toEqual([]);
  expect(child.env).toEqual([]);
});

const isStandard = (link: string, ours: readonly string[]): boolean => ours.slice(0, 3).includes(link);

/** Asks until that generation answers. */
async function askOf(where: Awaited<ReturnType<typeof servedAt>>, nth: number): Promise<unknown> {
  await until(`generation ${nth} answers`, async () => (await ask(where)).nth === nth);
  return ask(where, '/restart');
}

/** Of all that the program has started. */
function livesAlone(program: Program, pid: unknown): boolean {
  const pids = new Set(program.lines.map((line) => Number(/\(pid (\d+)\)/.exec(line)?.[1] ?? pid)));
  return [...pids].every((one) => one === pid || !isAlive(one));
}

it('a second Ctrl-C ends it at once, a second SIGTERM does not', async () => {
  const program = start({ env: { SLOW_DRAIN: 'yes' } });
  await servedAt(program);
  process.kill(program.pid, 'SIGTERM');
  await program.said(/^1: drains, stop/);
  process.kill(program.pid, 'SIGTERM');
  process.kill(program.pid, 'SIGINT');
  expect(await program.ended).toEqual({ code: 130, signal: null });
});
