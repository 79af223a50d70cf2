// Who descends from whom, as /proc tells it. It must not know services.

import { readdirSync } from 'node:fs';
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

/** Does this process have this variable, as it was at its exec? Only what we may trace answers. */
export function hasVariable(pid: number, name: string, value: string): boolean {
  return `\0${readText(`/proc/${pid}/environ`)}`.includes(`\0${name}=${value}\0`);
}

/** The value of a variable in its environment, as it was at its exec; null where there is none, or we may not look. */
export function variableOf(pid: number, name: string): string | null {
  const words = readText(`/proc/${pid}/environ`).split('\0');
  return words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
}

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
