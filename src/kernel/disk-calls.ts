// The calls on files that Node does not offer, for the disk thread. Loadable in a worker thread beside the main
// thread's own koffi. It must not know logs: it moves bytes, somebody else says which.

import { constants } from 'node:os';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const cfallocate = libc.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)');

const FALLOC_FL_COLLAPSE_RANGE = 0x08;
const NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/**
 * Removes the first `length` bytes of a file, opened for writing, in place: what follows moves to the front, atomically
 * for everybody who appends to it meanwhile. Null when done, else the name of the error: EOPNOTSUPP where the file
 * system cannot (tmpfs, btrfs), EINVAL where `length` is not whole blocks of it or reaches the end of the file.
 */
export function collapse(fd: number, length: number): string | null {
  if (cfallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, length) === 0) return null;
  const errno = koffi.errno();
  return NAMES.get(errno) ?? `E${errno}`;
}

const cexit = libc.func('void _exit(int code)');

/**
 * Ends the process at once, with this exit code and without waiting for its threads. For an end that came too late: one
 * thread hangs in a call to a disk, and Node's own exit would wait for it (process.exit joins every worker).
 */
export function exitAtOnce(code: number): void {
  cexit(code);
}
