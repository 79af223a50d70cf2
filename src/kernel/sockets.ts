// The socket calls that Node does not offer: netlink, datagrams with credentials, options. Owns their shapes.
// It must not know what is said over them.

import { lastErrno, libc, O_CLOEXEC, O_NONBLOCK, SystemCallFailure } from './syscalls.js';

export const AF_UNIX = 1;
export const AF_NETLINK = 16;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOL_SOCKET = 1;
export const SO_RCVBUF = 8;
export const SO_PASSCRED = 16;
export const SO_PEERCRED = 17;
export const SO_ACCEPTCONN = 30;
export const SO_RCVBUFFORCE = 33;
/** Since 6.5. */
export const SO_PASSPIDFD = 76;
export const SO_PEERPIDFD = 77;
export const SHUT_RD = 0;
export const MSG_PEEK = 0x2;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;

const csocket = libc.func('int socket(int domain, int type, int protocol)');
const cbind = libc.func('int bind(int fd, void *address, uint length)');
const cconnect = libc.func('int connect(int fd, void *address, uint length)');
const clisten = libc.func('int listen(int fd, int backlog)');
const cgetsockname = libc.func('int getsockname(int fd, void *address, void *length)');
const crecv = libc.func('long recv(int fd, void *buffer, ulong length, int flags)');
const csend = libc.func('long send(int fd, void *buffer, ulong length, int flags)');
const cshutdown = libc.func('int shutdown(int fd, int how)');
const csetsockopt = libc.func('int setsockopt(int fd, int level, int option, void *value, uint length)');
const cgetsockopt = libc.func('int getsockopt(int fd, int level, int option, void *value, void *length)');

function must(call: string, fd: number, result: number | bigint): number {
  const n = Number(result);
  if (n < 0) throw new SystemCallFailure(call, lastErrno(), String(fd));
  return n;
}

/** Close-on-exec and non-blocking always. @throws SystemCallFailure */
export const socket = (domain: number, type: number, protocol: number): number =>
  must('socket', domain, csocket(domain, type | O_CLOEXEC | O_NONBLOCK, protocol));

/** @throws SystemCallFailure */
export function bind(fd: number, address: Buffer): void {
  must('bind', fd, cbind(fd, address, address.length));
}

/** @throws SystemCallFailure */
export function connect(fd: number, address: Buffer): void {
  must('connect', fd, cconnect(fd, address, address.length));
}

/** @throws SystemCallFailure */
export function listen(fd: number, backlog: number): void {
  must('listen', fd, clisten(fd, backlog));
}

/** For everybody who has a descriptor of it. @throws SystemCallFailure */
export function shutdown(fd: number, how: number): void {
  must('shutdown', fd, cshutdown(fd, how));
}

/** The longest path, in bytes, that has room in sun_path of unix(7) with the zero that ends it. */
export const LONGEST_SOCKET_PATH = 107;

/** struct sockaddr_un: of a path, with the zero that ends it, or of `@name` in the abstract namespace, which has none. */
export function unixAddress(name: string): Buffer {
  const bytes = Buffer.from(name.startsWith('@') ? `\0${name.slice(1)}` : `${name}\0`);
  const address = Buffer.alloc(2 + bytes.length);
  address.writeUInt16LE(AF_UNIX, 0);
  bytes.copy(address, 2);
  return address;
}

/** The path that a Unix socket is bound to; empty when to none, or to no path. @throws SystemCallFailure */
export function sockName(fd: number): string {
  const address = Buffer.alloc(128);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(address.length, 0);
  must('getsockname', fd, cgetsockname(fd, address, length));
  if (address.readUInt16LE(0) !== AF_UNIX) return '';
  const path = address.subarray(2, length.readUInt32LE(0));
  const end = path.indexOf(0);
  return path.toString('utf8', 0, end < 0 ? path.length : end);
}

/** Bytes received. @throws SystemCallFailure: EAGAIN nothing there, ENOBUFS what came was dropped (netlink) */
export const recv = (fd: number, buffer: Buffer, flags = MSG_DONTWAIT): number =>
  must('recv', fd, crecv(fd, buffer, buffer.length, flags));

/** @throws SystemCallFailure */
export const send = (fd: number, buffer: Buffer, flags = 0): number =>
  must('send', fd, csend(fd, buffer, buffer.length, flags));

/** @throws SystemCallFailure */
export function setsockopt(fd: number, level: number, option: number, value: Buffer): void {
  must('setsockopt', fd, csetsockopt(fd, level, option, value, value.length));
}

/** Fills `value`; the answer is how much of it. @throws SystemCallFailure */
export function getsockopt(fd: number, level: number, option: number, value: Buffer): number {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length, 0);
  must('getsockopt', fd, cgetsockopt(fd, level, option, value, length));
  return length.readUInt32LE(0);
}
