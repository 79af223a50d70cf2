// Which process is it: turns a pid into a ProcessRef and a ProcessRef back into a descriptor, with no moment in which
// the pid could have become somebody else's. It must not know what is done with a process.

import { fstatSync } from 'node:fs';
import { asPid, isSameProcess, type ProcessRef } from '../core/process.js';
import type { Features } from './features.js';
import { reserve } from './reserve.js';
import { close, openIfThere, pidfdOpen, pidfdSendSignal, read, SystemCallFailure } from './syscalls.js';

/** The fields of /proc/PID/stat that we read. `state` is a letter, Z and X mean dead. */
export interface Stat {
  readonly comm: string;
  readonly state: string;
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  /** Clock ticks of 10 ms in user and system mode. */
  readonly cpuTicks: number;
  /** The same of its children that have ended and that it has waited for, with theirs. */
  readonly childTicks: number;
  readonly threads: number;
  /** Since boot, in clock ticks of 10 ms. */
  readonly startTicks: number;
  /** wait(2) status of a zombie; 0 while it lives, and where we may not read it. */
  readonly exitCode: number;
}

const buffer = Buffer.alloc(4096);

/** null when there is no such process, or it may not be seen. Through open and read: half the price of readFileSync. @throws SystemCallFailure: EMFILE, when not even the reserve is left */
export function readStat(pid: number): Stat | null {
  // Without a descriptor nobody is gone: taking that for a death would start a second copy.
  return reserve.lend(() => readStatNow(pid));
}

function readStatNow(pid: number): Stat | null {
  const fd = openIfThere(`/proc/${pid}/stat`);
  if (fd === null) return null;
  let text: string;
  try {
    text = buffer.toString('latin1', 0, read(fd, buffer));
  } catch (error) {
    if (error instanceof SystemCallFailure) return null; // ESRCH: it was reaped between the two calls
    throw error;
  } finally {
    close(fd);
  }
  // The name may hold spaces and parentheses: the fields begin after the last one.
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  const number = (field: number): number => Number(fields[field - 3]);
  return {
    comm: text.slice(text.indexOf('(') + 1, end),
    state: fields[0] ?? 'X',
    ppid: number(4),
    pgrp: number(5),
    session: number(6),
    cpuTicks: number(14) + number(15),
    childTicks: number(16) + number(17),
    threads: number(20),
    startTicks: number(22),
    exitCode: number(52),
  };
}

export const isDead = (stat: Stat): boolean => stat.state === 'Z' || stat.state === 'X';

/** A process and, where the kernel has them, a descriptor for it that the caller closes. */
export interface Identified {
  readonly process: ProcessRef;
  readonly pidfd: number | null;
}

/** Names the process that has this pid now; null when it is gone or a zombie. @throws SystemCallFailure: EMFILE */
export function identify(pid: number, features: Features): Identified | null {
  const pidfd = features.pidfd === 'yes' ? openOrNull(pid) : null;
  if (features.pidfd === 'yes' && pidfd === null) return null;
  const stat = readStat(pid);
  // The descriptor was opened first: if it still answers after the stat was read, both are the same process.
  if (stat === null || isDead(stat) || (pidfd !== null && !answers(pidfd))) {
    if (pidfd !== null) close(pidfd);
    return null;
  }
  return { process: { pid: asPid(pid), startTicks: stat.startTicks, inode: inodeOf(pidfd, features) }, pidfd };
}

/** Like `identify`, but only if it is this very process. @throws SystemCallFailure: EMFILE */
export function identifyAgain(process: ProcessRef, features: Features): Identified | null {
  const found = identify(process.pid, features);
  if (found === null) return null;
  if (isSameProcess(process, found.process)) return found;
  if (found.pidfd !== null) close(found.pidfd);
  return null;
}

/** Names a child that we just started: nobody else can reap it, so it may be dead already and its pid is still its own. */
export function nameChild(pid: number, pidfd: number | null, features: Features): ProcessRef {
  return { pid: asPid(pid), startTicks: readStat(pid)?.startTicks ?? 0, inode: inodeOf(pidfd, features) };
}

/** Is it still there, and not only as a zombie? @throws SystemCallFailure: EMFILE */
export function isAlive(process: ProcessRef, features: Features): boolean {
  const found = identifyAgain(process, features);
  if (found !== null && found.pidfd !== null) close(found.pidfd);
  return found !== null;
}

/** The same by its start time alone, at the price of one look. */
export function isThere({ pid, startTicks }: ProcessRef): boolean {
  const stat = readStat(pid);
  return stat !== null && !isDead(stat) && stat.startTicks === startTicks;
}

/** Unique within the boot where the kernel has pidfs; before it all pidfds share one. */
export function inodeOf(pidfd: number | null, features: Features): string | null {
  if (pidfd === null || features.pidfdInode === 'no') return null;
  return fstatSync(pidfd, { bigint: true }).ino.toString();
}

function openOrNull(pid: number): number | null {
  try {
    return pidfdOpen(pid);
  } catch (error) {
    // ESRCH: gone. EINVAL: a thread's id, and before 6.15 a zombie leader's.
    if (error instanceof SystemCallFailure && (error.errno === 'ESRCH' || error.errno === 'EINVAL')) return null;
    throw error;
  }
}

/** Is it there, if only as a zombie? */
export function answers(pidfd: number): boolean {
  try {
    pidfdSendSignal(pidfd, 0);
    return true;
  } catch (error) {
    // EPERM is an answer too: it lives, and is not ours.
    return error instanceof SystemCallFailure && error.errno === 'EPERM';
  }
}
