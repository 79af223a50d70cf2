// One datagram of a Unix socket with all that the kernel adds to it: who sent it, and the descriptors that came along. Owns
// recvmsg(2) and the shape of its control data. It must not know what is said, nor what becomes of a descriptor.

import koffi from 'koffi';
import { closeForeign } from './close-foreign.js';
import { MSG_DONTWAIT } from './sockets.js';
import { close, lastErrno, libc, SystemCallFailure } from './syscalls.js';

/** Whoever gets it closes every descriptor of it, `pidfd` too. */
export interface Datagram {
  readonly bytes: Buffer;
  readonly descriptors: readonly number[];
  /** As of sendmsg(2). Root may write another's pid there; a pid of another namespace is 0. */
  readonly from: Credentials | null;
  /** Of the same process, also when that is gone since (6.5). */
  readonly pidfd: number | null;
}

export interface Credentials {
  readonly pid: number;
  readonly uid: number;
}

export type Received =
  | { readonly type: 'datagram'; readonly datagram: Datagram }
  /** Not all of it has arrived, and what had was closed. */
  | { readonly type: 'broken'; readonly reason: string }
  | { readonly type: 'nothing' };

const crecvmsg = libc.func('long recvmsg(int fd, void *header, int flags)');

const MSG_CMSG_CLOEXEC = 0x40000000;
const MSG_CTRUNC = 0x8;
const MSG_TRUNC = 0x20;
const SCM_RIGHTS = 1;
const SCM_CREDENTIALS = 2;
const SCM_PIDFD = 4;
const CMSG_HEADER = 16;

const payload = Buffer.alloc(4096);
/** Credentials, a pidfd and 253 descriptors, the most that one message may carry, take 1,096 bytes. */
const control = Buffer.alloc(2048);
/** struct msghdr on 64 bits, and behind it its one struct iovec: a buffer of its own, which no function names, would be collected. */
const header = Buffer.alloc(72);
const VECTOR_AT = 56;
header.writeBigUInt64LE(BigInt(koffi.address(payload)), VECTOR_AT);
header.writeBigUInt64LE(BigInt(payload.length), VECTOR_AT + 8);
header.writeBigUInt64LE(BigInt(koffi.address(header)) + BigInt(VECTOR_AT), 16);
header.writeBigUInt64LE(1n, 24);
header.writeBigUInt64LE(BigInt(koffi.address(control)), 32);
const CONTROL_LENGTH_AT = 40;
const FLAGS_AT = 48;

/** Up to 4096 bytes; never waits. @throws SystemCallFailure: whatever is wrong with the socket */
export function receive(fd: number): Received {
  header.writeBigUInt64LE(BigInt(control.length), CONTROL_LENGTH_AT);
  header.writeInt32LE(0, FLAGS_AT);
  const length = Number(crecvmsg(fd, header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT));
  if (length < 0) {
    const errno = lastErrno();
    if (errno === 'EWOULDBLOCK' || errno === 'EAGAIN') return { type: 'nothing' }; // one number, and which name it has here is Node's choice
    throw new SystemCallFailure('recvmsg', errno, String(fd));
  }
  const flags = header.readInt32LE(FLAGS_AT);
  const added = readControl(control.subarray(0, Number(header.readBigUInt64LE(CONTROL_LENGTH_AT))));
  const datagram: Datagram = { ...added, bytes: Buffer.from(payload.subarray(0, length)) };
  const reason = whyBroken(flags);
  if (reason === null) return { type: 'datagram', datagram };
  discard(datagram);
  return { type: 'broken', reason };
}

function whyBroken(flags: number): string | null {
  if ((flags & MSG_TRUNC) !== 0) return `it is longer than ${payload.length} bytes`;
  if ((flags & MSG_CTRUNC) !== 0) return 'the keeper has no room for the descriptors that came with it';
  return null;
}

/** Closes every descriptor of it. */
export function discard({ descriptors, pidfd }: Datagram): void {
  for (const fd of descriptors) closeForeign(fd);
  if (pidfd !== null) close(pidfd);
}

function readControl(data: Buffer): Omit<Datagram, 'bytes'> {
  const descriptors: number[] = [];
  let from: Credentials | null = null;
  let pidfd: number | null = null;
  for (let at = 0; at + CMSG_HEADER <= data.length; ) {
    // Of what was cut off, cmsg_len still says how long it was.
    const length = Math.min(Number(data.readBigUInt64LE(at)), data.length - at);
    if (length < CMSG_HEADER) break;
    const type = data.readInt32LE(at + 12);
    const body = data.subarray(at + CMSG_HEADER, at + length);
    if (type === SCM_RIGHTS) for (let i = 0; i + 4 <= body.length; i += 4) descriptors.push(body.readInt32LE(i));
    if (type === SCM_CREDENTIALS && body.length >= 12) from = { pid: body.readInt32LE(0), uid: body.readUInt32LE(4) };
    // Below 0: the errno for which there is none.
    if (type === SCM_PIDFD && body.length >= 4 && body.readInt32LE(0) >= 0) pidfd = body.readInt32LE(0);
    at += (length + 7) & ~7;
  }
  return { descriptors, from, pidfd };
}
