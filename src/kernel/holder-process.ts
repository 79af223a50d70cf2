// The holder: a process that does nothing but have descriptors open, so that they outlive the keeper. Any program that waits
// for ever would do, and none of ours is as small: sleep(1) has half a megabyte, and nothing in it can fail. It must not know
// what the descriptors are.

import { readdirSync, statSync } from 'node:fs';
import { asPid, type ProcessRef } from '../core/process.js';
import type { Features } from './features.js';
import { identify, nameChild, readStat } from './identity.js';
import { spawnProcess } from './posix-spawn.js';
import { variableOf } from './processes-of.js';
import { whichHop } from './program.js';
import { openQuietly } from './spawn.js';
import { close, SystemCallFailure } from './syscalls.js';

/** Says whose it is: the runtime directory of its keeper. */
const VARIABLE = 'UPKEEP_HOLDER';

export interface Child {
  readonly process: ProcessRef;
  readonly pidfd: number | null;
}

/** It has each under the number that it has here. @throws SystemCallFailure */
export function startHolder(directory: string, fds: Iterable<number>, features: Features): Child {
  const path = whichHop('sleep');
  if (path === null) throw new SystemCallFailure('posix_spawn', 'ENOENT', 'sleep');
  const passed = [...fds].map((fd) => ({ fd, as: fd }));
  const env = [`${VARIABLE}=${directory}`];
  const argv = ['sleep', 'infinity'];
  const done = spawnProcess({ path, argv, env, cwd: '/', input: null, output: null, errors: null, passed });
  if (done.type === 'failed') throw new SystemCallFailure('posix_spawn', done.errno, path);
  const pidfd = openQuietly(done.pid, features);
  return { process: nameChild(done.pid, pidfd, features), pidfd };
}

/** Of any keeper. */
export const isHolder = (pid: number): boolean => variableOf(pid, VARIABLE) !== null;

/** All that live of this directory's keepers. */
export function holdersOf(directory: string, features: Features): readonly ProcessRef[] {
  const own = process.geteuid?.() ?? 0;
  return readdirSync('/proc').flatMap((name) => {
    const pid = asPid(Number(name));
    const stat = pid > 1 ? readStat(pid) : null;
    // The cheap questions first.
    if (stat === null || stat.comm !== 'sleep' || stat.session !== pid) return [];
    if (variableOf(pid, VARIABLE) !== directory || ownerOf(pid) !== own) return [];
    const found = identify(pid, features);
    if (found === null) return [];
    if (found.pidfd !== null) close(found.pidfd);
    return [found.process];
  });
}

const ownerOf = (pid: number): number | null => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? null;
