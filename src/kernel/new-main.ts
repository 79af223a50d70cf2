// The process that a service names as its main one from now on, by its pid or by a descriptor of it: looked at as closely as
// the kernel allows before anything is believed. It must not know whether the sender may say that.

import { readFileSync } from 'node:fs';
import type { ProcessRef } from '../core/process.js';
import type { ServiceName } from '../core/spec.js';
import type { Features } from './features.js';
import { identify } from './identity.js';
import type { Speakers } from './speakers.js';
import { close } from './syscalls.js';

export interface NamedMain {
  /** A pid, or a descriptor that is to be a pidfd; it stays the caller's. */
  readonly by: { readonly type: 'pid'; readonly pid: number } | { readonly type: 'pidfd'; readonly fd: number };
  /** The inode of its pidfd, in decimal; null: not named. */
  readonly inode: string | null;
}

/** `refused`: no such process, or none that may be a main process; in words. */
export type NewMain =
  | {
      readonly type: 'process';
      readonly process: ProcessRef;
      /** Does it belong to the service already? */
      readonly isMember: 'yes' | 'no';
    }
  | { readonly type: 'refused'; readonly reason: string };

const refused = (reason: string): NewMain => ({ type: 'refused', reason });

/** @throws SystemCallFailure: EMFILE */
export function newMain(
  service: ServiceName,
  { by, inode }: NamedMain,
  features: Features,
  speakers: Speakers,
): NewMain {
  const pid = by.type === 'pid' ? by.pid : pidBehind(by.fd);
  if (pid === null) return refused('the descriptor is not that of a process which is alive');
  if (pid === 1) return refused('process 1 is the main process of the host');
  if (pid === process.pid) return refused(`process ${pid} is the keeper`);
  const found = identify(pid, features);
  if (found === null) return refused(`process ${pid} is not alive`);
  if (found.pidfd !== null) close(found.pidfd);
  // While the descriptor still answers with this pid, nobody else can have it.
  if (by.type === 'pidfd' && pidBehind(by.fd) !== pid) return refused(`process ${pid} is not alive`);
  // Where the kernel has no such inodes nobody can know one: then the sender has it from elsewhere, and it proves nothing.
  if (inode !== null && found.process.inode !== null && inode !== found.process.inode)
    return refused(`process ${pid} is another one by now`);
  if (speakers.isHelper(service, found.process)) return refused(`process ${pid} is a command around the service`);
  return { type: 'process', process: found.process, isMember: speakers.isMember(service, found.process) };
}

/** null: it is no pidfd, or its process is gone or out of sight. */
function pidBehind(fd: number): number | null {
  let text: string;
  try {
    text = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
  } catch {
    return null;
  }
  const pid = Number(/^Pid:\s*(-?\d+)$/m.exec(text)?.[1] ?? 0);
  return pid > 0 ? pid : null;
}
