// One keeper per runtime directory: an flock on a file. The kernel drops it with its holder, so a killed keeper leaves no
// stale lock; the pid in the file is only for people. It belongs to the open file: a keeper that replaces its program
// hands the descriptor on, and the lock was free at no instant.

import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { flock, LOCK_EX, LOCK_NB } from './syscalls.js';

export interface Lock {
  readonly fd: number;
  /** Is the file at the path still the one that is locked? Who finds another there, or none, would be let in. */
  isInPlace(): boolean;
  release(): void;
}

/** Takes the lock, or throws a sentence that names the holder. Writes nothing before it is taken. `inherited`: a descriptor that may hold it already. */
export function takeLock(path: string, inherited: number | null = null): Lock {
  if (inherited !== null && isLock(inherited, path)) return lockOf(inherited, path);
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  // Node opens close-on-exec: no service inherits the lock and keeps it over our end.
  const fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    const { uid } = fstatSync(fd);
    if (uid !== process.getuid?.()) throw new Error(`${path} belongs to uid ${uid}; remove it, or run as its owner`);
    flock(fd, LOCK_EX | LOCK_NB);
  } catch (error) {
    const holder = readFileSync(path, 'utf8').trim();
    closeSync(fd);
    if (error instanceof Error && 'errno' in error && error.errno !== 'EWOULDBLOCK' && error.errno !== 'EAGAIN')
      throw error;
    if (error instanceof Error && !('errno' in error)) throw error;
    throw new Error(`another keeper runs already${holder === '' ? '' : ` (pid ${holder})`}; it holds ${path}`);
  }
  return lockOf(fd, path);
}

function lockOf(fd: number, path: string): Lock {
  ftruncateSync(fd, 0);
  writeSync(fd, `${process.pid}\n`, 0);
  return { fd, isInPlace: () => isAt(fd, path), release: () => closeSync(fd) };
}

function isAt(fd: number, path: string): boolean {
  const [held, there] = [fstatSync(fd), lstatSync(path, { throwIfNoEntry: false })];
  return there !== undefined && held.dev === there.dev && held.ino === there.ino;
}

/** Is this the lock file, and the lock ours? What is not is left alone: the number may be anybody's. */
function isLock(fd: number, path: string): boolean {
  try {
    if (!isAt(fd, path) || fstatSync(fd).uid !== process.getuid?.()) return false;
    // Of the same open file it is granted again.
    flock(fd, LOCK_EX | LOCK_NB);
    return true;
  } catch {
    return false;
  }
}
