// An flock that one waits for: of two couriers the later one lets the earlier finish. A holder that is stopped finishes
// nothing, and is ended. It must not know what the lock is for.

import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readText } from './processes-of.js';
import { flock, LOCK_EX, LOCK_NB, SystemCallFailure } from './syscalls.js';

const LOOK_MS = 100;
/** A person who stops it to look at it with a debugger is quicker, or means it. */
const STOPPED_MS = 60_000;

/** The descriptor that holds it; null when `givenUp` comes first. @throws Error where the file is somebody else's */
export async function waitForLock(path: string, givenUp: Promise<void>): Promise<number | null> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  const { uid } = fstatSync(fd);
  if (uid !== process.getuid?.()) throw new Error(`${path} belongs to uid ${uid}; remove it`);
  let state: 'waiting' | 'given up' = 'waiting';
  void givenUp.then(() => {
    state = 'given up';
  });
  let stoppedSince: number | null = null;
  while (state === 'waiting') {
    if (take(fd)) {
      ftruncateSync(fd, 0);
      writeSync(fd, `${process.pid}\n`, 0);
      return fd;
    }
    const holder = Number(readFileSync(path, 'utf8'));
    stoppedSince = isStopped(holder) ? (stoppedSince ?? performance.now()) : null;
    if (stoppedSince !== null && performance.now() - stoppedSince > STOPPED_MS) end(holder);
    await sleep(LOOK_MS);
  }
  closeSync(fd);
  return null;
}

function take(fd: number): boolean {
  try {
    flock(fd, LOCK_EX | LOCK_NB);
    return true;
  } catch (error) {
    // One number has two names.
    if (error instanceof SystemCallFailure && (error.errno === 'EAGAIN' || error.errno === 'EWOULDBLOCK')) return false;
    throw error;
  }
}

/** Our own kind alone: the number stands in a file. */
function isStopped(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  const isOfOurKind = readText(`/proc/${pid}/cmdline`) === readText(`/proc/${process.pid}/cmdline`);
  // The name may hold anything, a `)` too: what counts stands behind the last one.
  return isOfOurKind && /.*\) T /s.test(readText(`/proc/${pid}/stat`));
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // ESRCH
  }
}
