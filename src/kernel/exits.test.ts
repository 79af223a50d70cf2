// How ends are told apart and when nothing is waited for; the rungs are for the contract.

import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ExitEvidence } from '../core/process.js';
import { Exits } from './exits.js';
import { probeFeatures } from './features.js';
import { identify } from './identity.js';
import { createPump, type Pump } from './pump.js';
import { close, prlimit, SystemCallFailure } from './syscalls.js';

const RLIMIT_NOFILE = 7;
const features = probeFeatures([]);
let pump: Pump;
let exits: Exits;
let children: ChildProcess[];

beforeEach(() => {
  pump = createPump(features, (problem, error) => {
    throw new Error(problem, { cause: error });
  });
  exits = new Exits(pump, features);
  children = [];
});
afterEach(() => {
  exits.close();
  pump.close();
  for (const child of children) child.kill('SIGKILL');
});

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error('not within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Below a shell that does not reap it before it is killed itself: nobody's of ours, and a zombie for a while. */
async function stranger(): Promise<ReturnType<typeof refOf>> {
  const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(parent);
  const line = await new Promise<string>((resolve) => parent.stdout.once('data', (data) => resolve(String(data))));
  return refOf(Number(line));
}

/** How many looks are put off to a later time within one in which at least one must be. */
async function looksFromNowOn(): Promise<number> {
  const later = vi.spyOn(globalThis, 'setTimeout');
  const own = 600;
  try {
    await new Promise((resolve) => setTimeout(resolve, own));
    return later.mock.calls.filter(([, delay]) => delay !== own).length;
  } finally {
    later.mockRestore();
  }
}

function refOf(pid: number) {
  const found = identify(pid, features);
  if (found === null) throw new Error(`${pid} is not there`);
  if (found.pidfd !== null) close(found.pidfd);
  return found.process;
}

describe('followed processes', () => {
  it.each(['yes', 'no'] as const)(
    'are told when they can be looked at again, where no file was left at their end (pidfd: %s)',
    async (pidfd) => {
      exits.close();
      exits = new Exits(pump, { ...features, pidfd });
      const { pid } = await stranger();
      const ends: ExitEvidence[] = [];
      exits.follow('a', refOf(pid), (evidence) => void ends.push(evidence));
      const own = prlimit(0, RLIMIT_NOFILE, null);
      prlimit(0, RLIMIT_NOFILE, { soft: 3, hard: own.hard });
      try {
        process.kill(pid, 'SIGKILL');
        await new Promise((resolve) => setTimeout(resolve, 300));
      } finally {
        prlimit(0, RLIMIT_NOFILE, own);
      }
      await until(() => ends.length > 0);
      expect(ends).toHaveLength(1);
    },
  );

  it('are told to all who follow, each once, and to nobody who has left', async () => {
    const process = await stranger();
    const told: string[] = [];
    for (const name of ['a', 'b', 'c']) exits.follow(name, process, () => void told.push(name));
    exits.unfollow('b', process);
    expect(exits.isFollowed(process.pid)).toBe(true);
    globalThis.process.kill(process.pid, 'SIGKILL');
    await until(() => told.length === 2);
    expect(told.sort()).toEqual(['a', 'c']);
    expect(exits.isFollowed(process.pid)).toBe(false);
  });

  it('are told with the status also while nobody reaps them', async () => {
    const process = await stranger();
    const told: ExitEvidence[] = [];
    exits.follow('a', process, (evidence) => void told.push(evidence));
    globalThis.process.kill(process.pid, 'SIGTERM');
    await until(() => told.length === 1);
    expect(told[0]).toMatchObject({ status: { type: 'signaled', signal: 'SIGTERM', coreDumped: false }, oom: false });
    expect(told[0]?.ticks).toBeGreaterThan(process.startTicks - 1);
  });

  it('are never told from within the call that follows them', async () => {
    const process = await stranger();
    globalThis.process.kill(process.pid, 'SIGKILL');
    await until(() => identify(process.pid, features) === null);
    let told = 0;
    expect(
      exits.follow('a', process, () => {
        told += 1;
      }),
    ).toBe('gone');
    expect([told, exits.isFollowed(process.pid)]).toEqual([0, false]);
  });

  it('are looked at where the kernel will not tell, and nothing is looked at any more after them', async () => {
    const refusing: Pump = {
      add: () => {
        throw new SystemCallFailure('epoll_ctl', 'ENOSPC', '1');
      },
      remove: () => {},
      close: () => {},
    };
    const looking = new Exits(refusing, features);
    const one = await stranger();
    let told = 0;
    looking.follow('a', one, () => {
      told += 1;
    });
    process.kill(one.pid, 'SIGKILL');
    await until(() => told === 1);
    await looksFromNowOn();
    expect(await looksFromNowOn()).toBe(0);
    looking.close();
  });

  it('cost no look while the kernel tells of them, also after one that had to be looked at', async () => {
    const half: Pump & { refuses: 'yes' | 'no' } = {
      refuses: 'no',
      add: (fd, events, callback) => {
        if (half.refuses === 'yes') throw new SystemCallFailure('epoll_ctl', 'ENOSPC', String(fd));
        pump.add(fd, events, callback);
      },
      remove: (fd) => pump.remove(fd),
      close: () => {},
    };
    const mixed = new Exits(half, features);
    const [lasting, short] = [await stranger(), await stranger()];
    mixed.follow('a', lasting, () => {});
    expect(await looksFromNowOn()).toBe(0);
    half.refuses = 'yes';
    let told = 0;
    mixed.follow('b', short, () => {
      told += 1;
    });
    expect(await looksFromNowOn()).toBeGreaterThan(0);
    process.kill(short.pid, 'SIGKILL');
    await until(() => told === 1);
    // One look finds nobody left to look at.
    await looksFromNowOn();
    expect(await looksFromNowOn()).toBe(0);
    mixed.close();
  });
});
