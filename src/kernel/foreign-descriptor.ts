// Descriptors that another process has open, taken over from it by pidfd_getfd(2): both have the same open file then. It must
// not know what they are good for.

import { fstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import type { ProcessRef } from '../core/process.js';
import { isCapable } from './capability.js';
import type { Features } from './features.js';
import { identifyAgain } from './identity.js';
import { close, pidfdGetfd, SystemCallFailure } from './syscalls.js';

/** What tells one open file from another as long as somebody has it open. */
export function inodeOf(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
}

/** May we take something from a process that we have not started, of our own user? Yama may forbid it (kernel.yama.ptrace_scope). */
export function mayTakeFromStrangers(): 'yes' | 'no' {
  let scope: number;
  try {
    scope = Number(readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'latin1'));
  } catch {
    return 'yes';
  }
  return scope === 0 || (scope < 3 && isCapable('sysPtrace')) ? 'yes' : 'no';
}

export interface Sought {
  readonly inode: string;
  /** Its number there; null: it has to be looked for. */
  readonly at: number | null;
}

export type Taking<T> = readonly { readonly sought: T; readonly fd: number }[];

/** Of those, what this very process has. @throws SystemCallFailure: EPERM it may not be traced, EMFILE */
export function takeFrom<T extends Sought>(process: ProcessRef, wanted: readonly T[], features: Features): Taking<T> {
  const found = features.pidfdGetfd === 'yes' ? identifyAgain(process, features) : null;
  if (found === null || found.pidfd === null) return [];
  const { pidfd } = found;
  const taken: { readonly sought: T; readonly fd: number }[] = [];
  try {
    const numbers = wanted.every(({ at }) => at !== null) ? new Map<string, number>() : numbersOf(process.pid);
    for (const sought of wanted) {
      const at = sought.at ?? numbers.get(sought.inode);
      const fd = at === undefined ? null : copyOf(pidfd, at, sought.inode);
      if (fd !== null) taken.push({ sought, fd });
    }
    return taken;
  } catch (error) {
    for (const { fd } of taken) close(fd);
    throw error;
  } finally {
    close(pidfd);
  }
}

/** null: that number is something else there by now. */
function copyOf(pidfd: number, at: number, inode: string): number | null {
  try {
    const fd = pidfdGetfd(pidfd, at);
    if (inodeOf(fd) === inode) return fd;
    close(fd);
    return null;
  } catch (error) {
    if (error instanceof SystemCallFailure && (error.errno === 'EBADF' || error.errno === 'ESRCH')) return null;
    throw error;
  }
}

/** The numbers by which a process has something open, by inode. */
function numbersOf(pid: number): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const seen = statSync(`/proc/${pid}/fd/${fd}`, { bigint: true, throwIfNoEntry: false });
      if (seen !== undefined) numbers.set(`${seen.dev}:${seen.ino}`, Number(fd));
    }
  } catch {
    // It has ended, or is not for us to look into.
  }
  return numbers;
}
