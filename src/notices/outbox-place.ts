// The directory of the outbox and the files in it, as far as they are to be believed: ours, closed to others, and plain files.
// Others may have been able to write there before it was ours. It must not know what stands in the files.

import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Makes it, and closes it to others. @throws Error where it is another user's, and what the system says */
export function preparePlace(directory: string): void {
  // `recursive` alone would say ENOENT of a disk that is read-only.
  if (statSync(directory, { throwIfNoEntry: false }) === undefined)
    mkdirSync(directory, { recursive: !existsSync(dirname(directory)), mode: 0o700 });
  const { uid, mode } = statSync(directory);
  if (uid !== process.geteuid?.()) throw new Error(`${directory} belongs to uid ${uid}; remove it`);
  if ((mode & 0o077) !== 0) chmodSync(directory, 0o700);
}

/** @throws Error where it is no file of ours, and what the system says */
export function readOwn(path: string): string {
  // Judged by its descriptor. O_NONBLOCK: a FIFO would wait for somebody who writes.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error('it is no plain file');
    if (stat.uid !== process.geteuid?.()) throw new Error(`it belongs to uid ${stat.uid}`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}
