// Are two descriptors of ours one and the same open file? systemd's rule (same_fd in its src/basic/fd-util.c): kcmp(2) knows,
// and where this kernel is built without it, the inode and the flags tell, except of devices. It must not know what they are.

import { fstatSync } from 'node:fs';
import { fcntl, lastErrno, libc, SystemCallFailure } from './syscalls.js';

const syscall = libc.func('long syscall(long n, long a, long b, long c, long d, long e)');
const NR_KCMP = process.arch === 'x64' ? 312 : 272;
const KCMP_FILE = 0;
const F_GETFL = 3;

/** @throws SystemCallFailure: EBADF */
export function isSameFile(a: number, b: number): boolean {
  const order = Number(syscall(NR_KCMP, process.pid, process.pid, KCMP_FILE, a, b));
  if (order >= 0) return order === 0;
  const errno = lastErrno();
  // Left out of the kernel, or forbidden by a seccomp filter.
  if (!['ENOSYS', 'EOPNOTSUPP', 'EPERM', 'EACCES'].includes(errno)) throw new SystemCallFailure('kcmp', errno, `${a}`);
  return looksSame(a, b);
}

export function looksSame(a: number, b: number): boolean {
  const [one, other] = [a, b].map((fd) => fstatSync(fd, { bigint: true }));
  if (one === undefined || other === undefined || one.dev !== other.dev || one.ino !== other.ino) return false;
  if (one.isCharacterDevice() || one.isBlockDevice()) return false;
  return fcntl(a, F_GETFL, 0) === fcntl(b, F_GETFL, 0);
}
