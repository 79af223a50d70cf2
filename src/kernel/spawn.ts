// Starting a process for a service: what is prepared in launch.ts, put into force and spawned. Limits that are harmless to
// the keeper are its own for the microseconds of the call, which costs no hop and leaves no moment without them.

import { writeFileSync } from 'node:fs';
import type { Role } from '../core/effect.js';
import type { ProcessRef } from '../core/process.js';
import type { Command, Limit, LimitName, ServiceSpec } from '../core/spec.js';
import type { Features } from './features.js';
import { nameChild } from './identity.js';
import { prepareLaunch, takesHop } from './launch.js';
import { spawnProcess } from './posix-spawn.js';
import { libc, pidfdOpen, prlimit, type RawLimit, SystemCallFailure } from './syscalls.js';

export interface Order {
  readonly spec: ServiceSpec;
  readonly command: Command;
  readonly role: Role | 'ready';
  readonly generation: number;
  readonly token: string;
  /** Becomes 1 and 2; null: /dev/null. */
  readonly output: number | null;
  readonly extra: { readonly fd: number; readonly as: number } | null;
}

export type Spawned =
  | { readonly type: 'spawned'; readonly process: ProcessRef; readonly pidfd: number | null }
  | { readonly type: 'failed'; readonly errno: string; readonly detail: string };

// getrlimit(2): the numbers of x86_64 and arm64 agree.
const RESOURCES: Readonly<Record<LimitName, number>> = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
};

/** Node raises its own soft limit of descriptors to the hard one at start; what was before is our parent's still. */
const originalNofile = ((): RawLimit => {
  const own = prlimit(0, RESOURCES.nofile, null);
  try {
    const { soft } = prlimit(process.ppid, RESOURCES.nofile, null);
    return { soft: soft === null || own.hard === null ? soft : Math.min(soft, own.hard), hard: own.hard };
  } catch {
    return { soft: 1024, hard: own.hard }; // the default of every Linux since 2.6
  }
})();

/** Never throws: what goes wrong is an answer. */
export function spawn(order: Order, features: Features): Spawned {
  const { spec, command, role, generation, token } = order;
  try {
    const launch = prepareLaunch(spec, command, { service: spec.name, generation, role, token });
    if (launch.type === 'refused') return { type: 'failed', errno: launch.errno, detail: launch.detail };
    const done = underLimits(spec, () =>
      underUmask(spec.settings.umask, () => spawnProcess({ ...launch, output: order.output, extra: order.extra })),
    );
    if (done.type === 'failed')
      return { type: 'failed', errno: done.errno, detail: `${command.argv[0]}: ${explain(done.errno)}` };
    return born(done.pid, spec, features);
  } catch (error) {
    if (error instanceof SystemCallFailure) return { type: 'failed', errno: error.errno, detail: error.message };
    return { type: 'failed', errno: 'EIO', detail: error instanceof Error ? error.message : String(error) };
  }
}

const csetPriority = libc.func('int setpriority(int which, uint who, int value)');
const PRIO_PROCESS = 0;

/** It runs. Priority and OOM score need no race to be won: they are set from outside. */
function born(pid: number, spec: ServiceSpec, features: Features): Spawned {
  let pidfd: number | null = null;
  if (features.pidfd === 'yes') {
    try {
      pidfd = pidfdOpen(pid);
    } catch (error) {
      // Out of descriptors: it is followed by looking, like on a kernel without pidfds.
      if (!(error instanceof SystemCallFailure)) throw error;
    }
  }
  const { nice, oomScoreAdjust } = spec.settings;
  if (nice !== null) csetPriority(PRIO_PROCESS, pid, nice);
  if (oomScoreAdjust !== null) writeQuietly(`/proc/${pid}/oom_score_adj`, String(oomScoreAdjust));
  return { type: 'spawned', process: nameChild(pid, pidfd, features), pidfd };
}

function underLimits<T>(spec: ServiceSpec, action: () => T): T {
  const wanted: (readonly [number, RawLimit])[] = [[RESOURCES.nofile, originalNofile]];
  for (const [name, limit] of Object.entries(spec.settings.limits) as [LimitName, Limit][]) {
    if (!takesHop(name)) wanted.push([RESOURCES[name], limit]);
  }
  const before: (readonly [number, RawLimit])[] = [];
  try {
    for (const [resource, limit] of wanted) {
      const own = prlimit(0, resource, null);
      const next = withinRights(limit, own);
      if (next.soft === own.soft && next.hard === own.hard) continue;
      prlimit(0, resource, next);
      before.push([resource, own]);
    }
    return action();
  } finally {
    for (const [resource, own] of before.toReversed()) prlimit(0, resource, own);
  }
}

/** Without root a lowered hard limit could never be raised again: then only the soft one is ours to give. */
function withinRights(limit: RawLimit, own: RawLimit): RawLimit {
  return process.geteuid?.() === 0 ? limit : { soft: limit.soft, hard: own.hard };
}

function underUmask<T>(umask: number, action: () => T): T {
  const before = process.umask(umask);
  try {
    return action();
  } finally {
    process.umask(before);
  }
}

function writeQuietly(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch {
    // It is gone already, or we may not: the settings that were not enforced are told by the status.
  }
}

function explain(errno: string): string {
  switch (errno) {
    case 'ENOENT':
      return 'no such file, or the interpreter in its first line is missing (ENOENT)';
    case 'EACCES':
      return 'not executable (EACCES)';
    case 'ENOEXEC':
      return 'no program that this system can run; a script needs a first line like #!/bin/sh (ENOEXEC)';
    case 'ETXTBSY':
      return 'its file is being written (ETXTBSY)';
    case 'EAGAIN':
      return 'no more processes allowed (EAGAIN)';
    case 'ENOMEM':
      return 'not enough memory (ENOMEM)';
    case 'EMFILE':
      return 'the keeper has no descriptors left (EMFILE)';
    case 'E2BIG':
      return 'its arguments and environment are too long (E2BIG)';
  }
  return errno;
}
