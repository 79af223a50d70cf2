// The descriptors that systemd keeps for us while we are gone: handed over with FDSTORE=1 (sd_notify(3),
// sd_pid_notify_with_fds(3)), given back at the next start by the protocol of socket activation (sd_listen_fds(3)).
// It must not know what they are good for.

import koffi from 'koffi';
import { AF_UNIX, MSG_DONTWAIT, MSG_NOSIGNAL, SOCK_DGRAM, SOL_SOCKET, socket, unixAddress } from './sockets.js';
import { close, closeOnExecIfOpen, lastErrno, libc, SystemCallFailure } from './syscalls.js';

const csendmsg = libc.func('long sendmsg(int fd, void *message, int flags)');

const FIRST_FD = 3; // SD_LISTEN_FDS_START
const MOST = 1000; // what is more is no answer to what we stored
const SCM_RIGHTS = 1;

/**
 * Gives the descriptor to the manager that listens at `manager` (NOTIFY_SOCKET), under this name. It keeps a duplicate, and
 * only one of the same file. Null when it took it, else the error: there may be no room (FileDescriptorStoreMax=0 is silent).
 */
export function storeDescriptor(manager: string, name: string, fd: number): string | null {
  return tell(manager, `FDSTORE=1\nFDNAME=${name}`, fd);
}

/** Has the manager close what it keeps under this name: of two with one name nobody could say which one counts. */
export function dropDescriptors(manager: string, name: string): string | null {
  return tell(manager, `FDSTOREREMOVE=1\nFDNAME=${name}`, null);
}

function tell(manager: string, words: string, fd: number | null): string | null {
  const text = Buffer.from(words);
  const address = unixAddress(manager);
  // struct iovec, struct cmsghdr with one int, struct msghdr: the same on every 64-bit Linux.
  const vector = Buffer.alloc(16);
  vector.writeBigUInt64LE(BigInt(koffi.address(text)), 0);
  vector.writeBigUInt64LE(BigInt(text.length), 8);
  const rights = Buffer.alloc(24);
  rights.writeBigUInt64LE(20n, 0);
  rights.writeInt32LE(SOL_SOCKET, 8);
  rights.writeInt32LE(SCM_RIGHTS, 12);
  rights.writeInt32LE(fd ?? -1, 16);
  const message = Buffer.alloc(56);
  message.writeBigUInt64LE(BigInt(koffi.address(address)), 0);
  message.writeUInt32LE(address.length, 8);
  message.writeBigUInt64LE(BigInt(koffi.address(vector)), 16);
  message.writeBigUInt64LE(1n, 24);
  if (fd !== null) {
    message.writeBigUInt64LE(BigInt(koffi.address(rights)), 32);
    message.writeBigUInt64LE(BigInt(rights.length), 40);
  }
  let sender: number;
  try {
    sender = socket(AF_UNIX, SOCK_DGRAM, 0);
  } catch (error) {
    if (error instanceof SystemCallFailure) return error.errno;
    throw error;
  }
  const sent = Number(csendmsg(sender, message, MSG_DONTWAIT | MSG_NOSIGNAL));
  const errno = sent < 0 ? lastErrno() : null;
  close(sender);
  // What the structures point to has to live until here.
  return text.length + address.length + vector.length + rights.length > 0 ? errno : null;
}

/**
 * What the manager kept, by name, taken out of the environment: no service is to believe that it was meant for it. The
 * others stay open and are kept from our services: where the variables are not true, the numbers may be anybody's.
 */
export function takeStored(environment: NodeJS.ProcessEnv): ReadonlyMap<string, number> {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES = '' } = environment;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID']) delete environment[name];
  const count = Number(LISTEN_FDS);
  const taken = new Map<string, number>();
  if (Number(LISTEN_PID) !== process.pid || !Number.isInteger(count) || count > MOST) return taken;
  const names = LISTEN_FDNAMES.split(':');
  for (let i = 0; i < count; i++) if (closeOnExecIfOpen(FIRST_FD + i)) taken.set(names[i] ?? 'unknown', FIRST_FD + i);
  return taken;
}
