// Asks the kernel what another user may do, exactly (ACLs, capabilities, NFS), by wearing that user's file system
// identity on this one thread for three microseconds. It must not know what for.

import type { Runner } from './account.js';
import { lastErrno, libc } from './syscalls.js';

const AT_FDCWD = -100;
const AT_EACCESS = 0x200;
const X_OK = 1;

// The raw calls change this thread alone; the C library's setgroups would change every thread of the keeper.
const NR =
  process.arch === 'x64'
    ? { setgroups: 116, setfsuid: 122, setfsgid: 123 }
    : { setgroups: 159, setfsuid: 151, setfsgid: 152 };
const FACCESSAT2 = 439;
const setgroups = libc.func('syscall', 'long', ['long', 'long', 'void *']);
const setfsid = libc.func('syscall', 'long', ['long', 'long']);
const faccessat2 = libc.func('syscall', 'long', ['long', 'long', 'str', 'long', 'long']);
const faccessat = libc.func('int faccessat(int directory, str path, int mode, int flags)');

/** null when this path can be executed by the keeper (`runner` null) or that user, else the name of the error. */
export function canExecute(path: string, runner: Runner | null): string | null {
  if (runner === null || process.geteuid?.() !== 0) return access(path);
  const own = process.getgroups?.() ?? [];
  const list = (groups: readonly number[]): Buffer => Buffer.from(Uint32Array.from(groups).buffer);
  try {
    setgroups(NR.setgroups, runner.groups.length, list(runner.groups));
    setfsid(NR.setfsgid, runner.gid);
    setfsid(NR.setfsuid, runner.account.uid); // drops CAP_DAC_OVERRIDE and its like, and takes them back below
    return access(path);
  } finally {
    setfsid(NR.setfsuid, process.geteuid?.() ?? 0);
    setfsid(NR.setfsgid, process.getegid?.() ?? 0);
    setgroups(NR.setgroups, own.length, list(own));
  }
}

function access(path: string): string | null {
  // faccessat2 (5.8) judges by the identity that counts for files; the C library's emulation before it reads mode bits.
  if (Number(faccessat2(FACCESSAT2, AT_FDCWD, path, X_OK, AT_EACCESS)) === 0) return null;
  const errno = lastErrno();
  if (errno !== 'ENOSYS') return errno;
  return Number(faccessat(AT_FDCWD, path, X_OK, 0)) === 0 ? null : lastErrno();
}
