// Who descends from whom, as /proc tells it. It must not know services.

import { readdirSync } from 'node:fs';
import { errorCode } from '../core/error-text.js';
import { reserve } from './reserve.js';
import { close, openIfThere, read, SystemCallFailure } from './syscalls.js';

const buffer = Buffer.alloc(64 * 1024);

/** A file of /proc or of a control group, as far as it fits; empty when it is gone or may not be read. Half the price of readFileSync. */
export function readText(path: string): string {
  // Without a descriptor left nobody has no children: see readStat.
  return reserve.lend(() => readNow(path));
}

function readNow(path: string): string {
  const fd = openIfThere(path);
  if (fd === null) return '';
  try {
    let text = '';
    for (let n = read(fd, buffer); n > 0; n = read(fd, buffer)) text += buffer.toString('latin1', 0, n);
    return text;
  } catch (error) {
    if (error instanceof SystemCallFailure) return '';
    throw error;
  } finally {
    close(fd);
  }
}

/** The children of a process, zombies included: each thread has its own list. Incomplete if they come and go meanwhile. */
export function childrenOf(pid: number): readonly number[] {
  return threadsOf(pid).flatMap((thread) => numbers(readText(`/proc/${pid}/task/${thread}/children`)));
}

/** The children of our main thread: all that we spawn, and the orphans that come to us as a subreaper. Those of workers are theirs. */
export function ownChildren(): readonly number[] {
  return numbers(readText(`/proc/self/task/${process.pid}/children`));
}

/** Its environment as it was at its exec, to be asked by name: null where there is no such variable, or we may not look. */
export function environmentOf(pid: number): (name: string) => string | null {
  const text = `\0${readText(`/proc/${pid}/environ`)}\0`;
  return (name) => {
    const before = `\0${name}=`;
    const at = text.indexOf(before);
    return at < 0 ? null : text.slice(at + before.length, text.indexOf('\0', at + before.length));
  };
}

/** One variable of it. */
export const variableOf = (pid: number, name: string): string | null => environmentOf(pid)(name);

/** Thrown by what was read below /proc/PID: that process has ended. ESRCH, where the file had been opened before. */
export const saysEnded = (error: unknown): boolean => ['ENOENT', 'ESRCH'].includes(errorCode(error));

const numbers = (text: string): readonly number[] =>
  text
    .split(' ')
    .filter((word) => word.trim() !== '')
    .map(Number);

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}
