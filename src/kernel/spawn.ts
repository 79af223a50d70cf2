// Starting a process for a service: what launch.ts has prepared is put into force and spawned, and the new process named.
// It must not know why something is started, nor what comes of it.

import { errorText } from '../core/error-text.js';
import type { ProcessRef } from '../core/process.js';
import type { Command, ServiceSpec } from '../core/spec.js';
import type { Origin } from './environment.js';
import type { Features } from './features.js';
import { nameChild } from './identity.js';
import { type Launch, prepareLaunch } from './launch.js';
import type { OwnPid } from './pid-hop.js';
import { type Passed, spawnProcess } from './posix-spawn.js';
import { hasRoom, reserve } from './reserve.js';
import { getNice, libc, pidfdOpen, prlimit, SystemCallFailure } from './syscalls.js';
import { isReversible, wearing } from './wear.js';

export interface Order {
  readonly spec: ServiceSpec;
  readonly command: Command;
  readonly role: Origin['role'];
  readonly generation: number;
  readonly token: string;
  /** Variables for this command alone. */
  readonly env: Readonly<Record<string, string>>;
  /** Becomes 1 and 2; null: /dev/null. */
  readonly output: number | null;
  readonly passed: readonly Passed[];
  /** Variables that are to hold its pid. */
  readonly ownPid: readonly OwnPid[];
}

export type Spawned =
  | { readonly type: 'spawned'; readonly process: ProcessRef; readonly pidfd: number | null }
  | { readonly type: 'failed'; readonly errno: string; readonly detail: string };

/** Never throws: what goes wrong is an answer. */
export function spawn(order: Order, features: Features): Spawned {
  const { spec, command, role, generation, token, env } = order;
  try {
    // A child that lives and can be neither named nor waited for is worse than a start that fails.
    reserve.take();
    const launch = prepareLaunch(
      spec,
      command,
      { service: spec.name, generation, role, token, own: env },
      reserve.lowest,
      order.ownPid,
    );
    if (launch.type === 'refused') return { type: 'failed', errno: launch.errno, detail: launch.detail };
    const done = wearing(spec.settings, launch.worn, () =>
      spawnProcess({ ...launch, input: null, output: order.output, errors: null, passed: order.passed }),
    );
    if (done.type === 'failed') {
      const found = launch.diagnose();
      const detail = found?.errno === done.errno ? found.detail : `${command.argv[0]}: ${explain(done.errno)}`;
      return { type: 'failed', errno: done.errno, detail };
    }
    setFromOutside(done.pid, spec, launch);
    reserve.release();
    const pidfd = openQuietly(done.pid, features);
    return { type: 'spawned', process: nameChild(done.pid, pidfd, features), pidfd };
  } catch (error) {
    return failure(error);
  } finally {
    reserve.refill();
  }
}

/** null where there are no pidfds, or somebody else of the keeper was quicker to take the last descriptor: then it is followed by looking. */
export function openQuietly(pid: number, features: Features): number | null {
  if (features.pidfd === 'no') return null;
  try {
    return pidfdOpen(pid);
  } catch (error) {
    if (error instanceof SystemCallFailure) return null;
    throw error;
  }
}

const csetPriority = libc.func('int setpriority(int which, uint who, int value)');
const PRIO_PROCESS = 0;

/** What could not be worn. The child is ours and not reaped: its pid is its own. It may have ended already, which is no failure of the start. */
function setFromOutside(pid: number, { settings }: ServiceSpec, launch: Launch): void {
  if (settings.nice !== null && !isReversible(settings.nice, getNice())) csetPriority(PRIO_PROCESS, pid, settings.nice);
  for (const [resource, value] of launch.after) {
    try {
      prlimit(pid, resource, value);
    } catch (error) {
      if (!(error instanceof SystemCallFailure)) throw error;
    }
  }
}

function failure(error: unknown): Spawned {
  if (!(error instanceof SystemCallFailure)) return { type: 'failed', errno: 'EIO', detail: errorText(error) };
  if (error.errno === 'EMFILE') return noRoom;
  return { type: 'failed', errno: error.errno, detail: `${WHAT[error.call] ?? error.call}: ${explain(error.errno)}` };
}

const noRoom: Extract<Spawned, { type: 'failed' }> = {
  type: 'failed',
  errno: 'EMFILE',
  detail: 'the keeper has too few descriptors left (EMFILE); raise its limit of open files, as with `ulimit -n`',
};

/** To be asked before anything is opened for a start: the answer of one that is not made. */
export const refuseWithoutRoom = (start: 'first' | 'again'): Extract<Spawned, { type: 'failed' }> | null =>
  hasRoom(start) ? null : noRoom;

/** What the setting is called that the keeper had no right to. */
const WHAT: Readonly<Record<string, string>> = {
  setpriority: 'nice cannot be lowered',
  oom_score_adj: 'oomScoreAdjust cannot be lowered',
  prlimit: 'limits cannot be set',
};

function explain(errno: string): string {
  switch (errno) {
    case 'ENOENT':
      return 'no such file, or the interpreter in its first line is missing (ENOENT)';
    case 'EACCES':
      return 'permission denied (EACCES)';
    case 'EPERM':
      return 'not permitted (EPERM)';
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
    case 'ENFILE':
      return 'the host has no descriptors left (ENFILE)';
    case 'E2BIG':
      return 'its arguments and environment are too long (E2BIG)';
  }
  return errno;
}
