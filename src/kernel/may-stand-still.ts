// May a call on this descriptor wait for somebody, who may never answer? A file may, where a program (FUSE) or another host
// (NFS) stands behind it: closing it, or asking how long it is, is a question to them. What is asked here, the kernel answers
// by itself.

import { readFileSync, readlinkSync } from 'node:fs';
import { libc } from './syscalls.js';

const statx = libc.func('int statx(int fd, str path, int flags, uint mask, void *buffer)');
const AT_EMPTY_PATH = 0x1000;
const AT_STATX_DONT_SYNC = 0x4000;
/** struct statx: stx_dev_major and stx_dev_minor at 136. */
const seen = Buffer.alloc(256);

/** Behind these is nobody but this kernel. */
const OURS = ['socket:', 'pipe:', 'anon_inode:', '/memfd:'];

/** Names of file systems that ask somebody. */
const ASKING = /^(fuse|nfs|cifs|smb|9p|virtiofs|ceph|afs|coda|lustre|gluster|orangefs|beegfs|gfs2|ocfs2|gpfs|autofs)/;

/** `socket:[4711]`, or a path. */
export const linkOf = (fd: number): string => readlinkSync(`/proc/self/fd/${fd}`);

export function mayStandStill(fd: number, link = linkOf(fd)): boolean {
  if (OURS.some((prefix) => link.startsWith(prefix))) return false;
  const mount = /^mnt_id:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  return isAsking(mountsNow(), mount ?? '', deviceOf(fd));
}

/** `8:1`, as the kernel knows it: fstat(2) would ask whoever is behind it. */
function deviceOf(fd: number): string {
  if (Number(statx(fd, '', AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, seen)) < 0) return '';
  return `${seen.readUInt32LE(136)}:${seen.readUInt32LE(140)}`;
}

let mounts: string | null = null;

/** Read once in a turn of the loop: one message may bring 253 files. */
function mountsNow(): string {
  if (mounts !== null) return mounts;
  mounts = readFileSync('/proc/self/mountinfo', 'latin1');
  setImmediate(() => {
    mounts = null;
  });
  return mounts;
}

/**
 * `31 28 0:27 / /run rw shared:5 - tmpfs tmpfs rw`. In another mount namespace the numbers are others, but a device is the same
 * everywhere. One that we do not see is a stranger's, who may have mounted anything.
 */
export function isAsking(mountinfo: string, mount: string, device: string): boolean {
  const lines = mountinfo.split('\n');
  const line = lines.find((one) => one.startsWith(`${mount} `)) ?? lines.find((one) => one.split(' ')[2] === device);
  const type = / - (\S+) /.exec(line ?? '')?.[1];
  return type === undefined || ASKING.test(type);
}
