// PIDFD_GET_INFO: what the kernel still knows of a process behind a pidfd, its exit status above all (6.15), whoever
// its parent was and without any privilege. It must not know what a status means.

import { ioctl, SystemCallFailure } from './syscalls.js';

const SIZE = 64; // PIDFD_INFO_SIZE_VER0; longer structures only add fields that we do not read
const GET_INFO = 0xc0000000 + SIZE * 0x10000 + 0xff0b; // _IOWR(0xFF, 11, struct pidfd_info)
const INFO_PID = 1;
const INFO_CGROUP = 4;
const CGROUP_AT = 8;
const INFO_EXIT = 8;
const EXIT_CODE_AT = 60;
const buffer = Buffer.alloc(SIZE);

/** `exit` is a wait(2) status, null while there is none: it lives, or is a zombie whose parent has not reaped it. */
export interface PidfdInfo {
  readonly exit: number | null;
  /** The inode of the directory of its control group, also after its end (6.15); null: not known. */
  readonly group: bigint | null;
}

/** null where the kernel has no such call (before 6.13), or knows nothing any more. */
export function pidfdInfo(pidfd: number): PidfdInfo | null {
  buffer.fill(0);
  // EXIT has to be among what is asked for: without it the call fails with ESRCH once the process is gone.
  buffer.writeBigUInt64LE(BigInt(INFO_PID | INFO_CGROUP | INFO_EXIT), 0);
  try {
    ioctl(pidfd, GET_INFO, buffer);
  } catch (error) {
    if (error instanceof SystemCallFailure) return null;
    throw error;
  }
  const known = Number(buffer.readBigUInt64LE(0));
  return {
    exit: (known & INFO_EXIT) !== 0 ? buffer.readInt32LE(EXIT_CODE_AT) : null,
    group: (known & INFO_CGROUP) !== 0 ? buffer.readBigUInt64LE(CGROUP_AT) : null,
  };
}
