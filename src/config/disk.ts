// The few questions that reading a configuration puts to the file system, so that tests can answer them. Synchronous:
// a configuration is read at start and when an operator asks for it.

import { constants, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { errorText } from '../core/error-text.js';

/** What lstat says of a path. */
export interface Look {
  readonly type: 'file' | 'directory' | 'link' | 'other';
  readonly uid: number;
  /** Permission bits, with set-id and sticky. */
  readonly mode: number;
}

export interface Disk {
  /** null: there is no such thing. Throws what else goes wrong. */
  look(path: string): Look | null;
  target(link: string): string;
  /** Throws when there is no such directory. */
  names(directory: string): readonly string[];
  /** Throws when it cannot be read, with a message for people. */
  read(path: string): Uint8Array;
}

// A thousand services are half a megabyte; what is larger is not a configuration.
const LARGEST = 16 * 1024 * 1024;

export const realDisk: Disk = {
  look: (path) => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return null;
    const format = stat.mode & constants.S_IFMT;
    return { type: typeOf(format), uid: stat.uid, mode: stat.mode & 0o7777 };
  },
  target: (link) => readlinkSync(link),
  names: (directory) => readdirSync(directory),
  read: (path) => {
    const stat = statSync(path);
    // A device never ends. A FIFO is what a shell's <(…) gives.
    if (!stat.isFile() && !stat.isFIFO()) throw new Error(stat.isDirectory() ? 'is a directory' : 'is no regular file');
    if (stat.size > LARGEST) throw new Error(`is larger than ${LARGEST / 1024 / 1024}M`);
    return readFileSync(path);
  },
};

function typeOf(format: number): Look['type'] {
  if (format === constants.S_IFREG) return 'file';
  if (format === constants.S_IFDIR) return 'directory';
  return format === constants.S_IFLNK ? 'link' : 'other';
}

/** What went wrong, in words without the path, which stands elsewhere. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'ENOTDIR') return 'there is no such file (a part of its path is no directory)';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user';
  if (code === 'ELOOP') return 'its links go round in a circle';
  if (code !== null) return `cannot be read (${code})`;
  return errorText(error);
}
