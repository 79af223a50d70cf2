// The calls on files that may wait for a disk or a server, made on a thread of libuv so that the loop does not. Bare
// descriptors, which cost half of what Node's file handles do. It must not know what they are for.

import {
  type BigIntStats,
  chmod,
  chown,
  constants,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  stat,
  unlink,
} from 'node:fs';
import { promisify } from 'node:util';
import { lastErrno, libc, SystemCallFailure } from './syscalls.js';

export interface FileCalls {
  open(path: string, flags: number): Promise<number>;
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
  lstat: (path) => lstatExactly(path, exactly),
  stat: (path) => statExactly(path, exactly),
  readlink: promisify(readlink) as FileCalls['readlink'],
  readdir: promisify(readdir) as FileCalls['readdir'],
  mkdir: promisify(mkdir) as FileCalls['mkdir'],
  chmod: promisify(chmod) as FileCalls['chmod'],
  chown: promisify(chown),
  unlink: promisify(unlink),
};

/** Of something that is held open. */
export interface HeldStat {
  readonly type: 'directory' | 'link' | 'other';
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
}

const statx = libc.func('int statx(int fd, str path, int flags, uint mask, void *buffer)');
const AT_EMPTY_PATH = 0x1000;
const AT_STATX_DONT_SYNC = 0x4000;
const BASIC = 0x7ff;
const buffer = Buffer.alloc(256);

/**
 * On the loop, because no disk and no server is asked: what the kernel learned when it was opened, a moment ago, is good
 * enough. struct statx: uid @20, gid @24, mode @28. @throws SystemCallFailure
 */
export function statOf(fd: number): HeldStat {
  if (statx(fd, '', AT_EMPTY_PATH | AT_STATX_DONT_SYNC, BASIC, buffer) !== 0)
    throw new SystemCallFailure('statx', lastErrno(), String(fd));
  const mode = buffer.readUInt16LE(28);
  const kind = mode & constants.S_IFMT;
  const type = kind === constants.S_IFDIR ? 'directory' : kind === constants.S_IFLNK ? 'link' : 'other';
  return { type, uid: buffer.readUInt32LE(20), gid: buffer.readUInt32LE(24), mode: mode & 0o7777 };
}
