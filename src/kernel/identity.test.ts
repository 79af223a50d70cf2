import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { asPid } from '../core/process.js';
import { probeFeatures } from './features.js';
import { identify, identifyAgain, isAlive, readStat } from './identity.js';
import { close } from './syscalls.js';

const children: ChildProcess[] = [];
const start = (...argv: readonly string[]): number => {
  const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: 'ignore' });
  children.push(child);
  return child.pid ?? 0;
};
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error('not within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('the facts of a process', () => {
  it('are read after the last parenthesis of its name', async () => {
    const pid = start(
      'perl',
      '-e',
      '$0 = "a) Z 1 (b"; open F, ">", "/proc/self/comm"; print F "x) Z 1 (y"; close F; sleep 600',
    );
    await until(() => readStat(pid)?.comm === 'x) Z 1 (y');
    expect(readStat(pid)).toMatchObject({ ppid: process.pid, state: 'S', exitCode: 0 });
  });

  it('are null of a process that is not there', () => {
    expect(readStat(0x3fffff)).toBeNull();
  });
});

const RUNGS = [
  ['all features', []],
  ['no pidfd inode', ['pidfdInode']],
  ['no pidfd', ['pidfd']],
] as const;

describe.each(RUNGS)('a process is named (%s)', (_, without) => {
  const features = probeFeatures(without);

  it('the same each time, and known again', () => {
    const pid = start('sleep', '600');
    const [one, two] = [identify(pid, features), identify(pid, features)];
    expect(one?.process).toEqual(two?.process);
    expect(one?.process.inode === null).toBe(features.pidfdInode === 'no');
    expect(one?.pidfd === null).toBe(features.pidfd === 'no');
    for (const found of [one, two]) if (found?.pidfd != null) close(found.pidfd);
    if (one == null) throw new Error('not found');
    expect(isAlive(one.process, features)).toBe(true);
    // What was written down on a kernel with inodes is known on one without, and the other way round.
    expect(isAlive({ ...one.process, inode: null }, features)).toBe(true);
  });

  it('not the same as another that had its pid', () => {
    const pid = start('sleep', '600');
    const stat = readStat(pid);
    const former = { pid: asPid(pid), startTicks: (stat?.startTicks ?? 0) - 100, inode: null };
    expect(identifyAgain(former, features)).toBeNull();
    expect(isAlive(former, features)).toBe(false);
    const otherInode = { pid: asPid(pid), startTicks: stat?.startTicks ?? 0, inode: '1' };
    expect(isAlive(otherInode, features)).toBe(features.pidfdInode === 'no');
  });

  it('not when it is only a zombie, nor a thread', async () => {
    // A parent that never waits; a shell sometimes does before it execs.
    const parent = start('perl', '-e', 'exit unless fork; sleep 600');
    let zombie = 0;
    await until(() => {
      // Which number it has nobody knows: others start programs too, and after the highest comes a low one.
      const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'latin1').split(' ').map(Number);
      zombie = children.find((pid) => readStat(pid)?.state === 'Z') ?? 0;
      return zombie !== 0;
    });
    expect(identify(zombie, features)).toBeNull();
    expect(identify(0x3fffff, features)).toBeNull();
  });
});
