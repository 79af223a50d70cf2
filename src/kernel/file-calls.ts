// The calls on files that may wait for a disk or a server, made on a thread of libuv so that the loop does not. Bare
// descriptors, which cost half of what Node's file handles do. It must not know what they are for.

import {
  type BigIntStats,
  chmod,
  chown,
  fstat,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  type Stats,
  stat,
  unlink,
} from 'node:fs';
import { promisify } from 'node:util';

export interface FileCalls {
  open(path: string, flags: number): Promise<number>;
  fstat(fd: number): Promise<Stats>;
  /** As bigints: an inode number may be larger than a number can hold. */
  lstat(path: string): Promise<BigIntStats>;
  stat(path: string): Promise<BigIntStats>;
  readlink(path: string): Promise<string>;
  readdir(path: string): Promise<readonly string[]>;
  mkdir(path: string, mode: number): Promise<unknown>;
  chmod(path: string, mode: number): Promise<void>;
  chown(path: string, uid: number, gid: number): Promise<void>;
  unlink(path: string): Promise<void>;
}

const exactly = { bigint: true } as const;
const [lstatExactly, statExactly] = [promisify(lstat), promisify(stat)];

export const realCalls: FileCalls = {
  open: promisify(open) as FileCalls['open'],
  fstat: promisify(fstat),
  lstat: (path) => lstatExactly(path, exactly),
  stat: (path) => statExactly(path, exactly),
  readlink: promisify(readlink) as FileCalls['readlink'],
  readdir: promisify(readdir) as FileCalls['readdir'],
  mkdir: promisify(mkdir) as FileCalls['mkdir'],
  chmod: promisify(chmod) as FileCalls['chmod'],
  chown: promisify(chown),
  unlink: promisify(unlink),
};
