// One keeper per runtime directory: an flock on a file. The kernel drops it with its holder, so a killed keeper leaves no
// stale lock; the pid in the file is only for people.

import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { flock, LOCK_EX, LOCK_NB } from './syscalls.js';

export interface Lock {
  release(): void;
}

/** Takes the lock, or throws a sentence that names the holder. Writes nothing before it is taken. */
export function takeLock(path: string): Lock {
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
  ftruncateSync(fd, 0);
  writeSync(fd, `${process.pid}\n`);
  return { release: () => closeSync(fd) };
}
