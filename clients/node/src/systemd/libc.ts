// The system calls that systemd's protocol needs and Node has not: a datagram with descriptors, and a file in memory. They come from
// koffi where that is installed; nothing here needs it to be.

import { createRequire } from 'node:module';

export interface Libc {
  /** One datagram to a Unix socket, with descriptors. False: it was not taken. */
  readonly send: (address: string, text: string, fds: readonly number[]) => boolean;
  /** A file that lives as long as somebody has it open. @throws Error */
  readonly memoryFile: (name: string) => number;
}

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
const MFD_CLOEXEC = 1;
/** On 64 bits: seven words, and two. */
const MSGHDR = 56;
const IOVEC = 16;
/** sun_path of unix(7). */
const LONGEST_PATH = 108;

type Koffi = typeof import('koffi');

/** Null: koffi is not there, or not for this machine. */
export function loadLibc(): Libc | null {
  try {
    const koffi: Koffi = createRequire(import.meta.url)('koffi');
    return bind(koffi);
  } catch {
    return null;
  }
}

function bind(koffi: Koffi): Libc {
  const lib = koffi.load(null);
  const socket = lib.func('int socket(int family, int type, int protocol)');
  const sendmsg = lib.func('long sendmsg(int fd, const void *message, int flags)');
  const close = lib.func('int close(int fd)');
  const memfdCreate = lib.func('int memfd_create(const char *name, uint flags)');
  const addressOf = (bytes: Buffer): bigint => BigInt(koffi.address(bytes));

  return {
    send: (address, text, fds) => {
      const name = socketAddress(address);
      const fd: unknown = name === null ? -1 : socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
      if (name === null || typeof fd !== 'number' || fd < 0) return false;
      const payload = Buffer.from(text);
      const sent = Number(sendmsg(fd, messageOf(name, payload, rights(fds), addressOf), MSG_DONTWAIT_NOSIGNAL));
      close(fd);
      return sent === payload.length;
    },
    memoryFile: (name) => {
      const fd: unknown = memfdCreate(name, MFD_CLOEXEC);
      if (typeof fd !== 'number' || fd < 0) throw new Error('there is no room for a file in memory');
      return fd;
    },
  };
}

/**
 * struct msghdr, the one struct iovec that it names, and all that the two point to, in one piece: a buffer of its own, which no
 * call is handed, may be collected before the kernel has read it.
 */
function messageOf(name: Buffer, payload: Buffer, control: Buffer, addressOf: (bytes: Buffer) => bigint): Buffer {
  const nameAt = MSGHDR + IOVEC;
  const controlAt = padded(nameAt + name.length);
  const payloadAt = padded(controlAt + control.length);
  const message = Buffer.alloc(payloadAt + payload.length);
  const base = addressOf(message);
  const pointer = (at: number, length: number): readonly bigint[] => [base + BigInt(at), BigInt(length)];
  words([
    ...pointer(nameAt, name.length),
    ...[base + BigInt(MSGHDR), 1n],
    ...(control.length === 0 ? [0n, 0n] : pointer(controlAt, control.length)),
    0n,
    ...pointer(payloadAt, payload.length),
  ]).copy(message);
  name.copy(message, nameAt);
  control.copy(message, controlAt);
  payload.copy(message, payloadAt);
  return message;
}

const padded = (length: number): number => Math.ceil(length / 8) * 8;

/** struct sockaddr_un of a path, or of `@name` in the abstract namespace; null for what is neither. */
export function socketAddress(text: string): Buffer | null {
  const isAbstract = text.startsWith('@');
  const path = Buffer.from(isAbstract ? `\0${text.slice(1)}` : `${text}\0`);
  if ((!isAbstract && !text.startsWith('/')) || text === '@' || path.length > LONGEST_PATH) return null;
  const family = Buffer.alloc(2);
  new Uint16Array(family.buffer, family.byteOffset, 1)[0] = AF_UNIX;
  return Buffer.concat([family, path]);
}

/** A control message that gives descriptors away: struct cmsghdr, then the numbers, padded to 8 bytes. */
function rights(fds: readonly number[]): Buffer {
  if (fds.length === 0) return Buffer.alloc(0);
  const length = 16 + 4 * fds.length;
  const header = words([BigInt(length)]);
  const kind = Buffer.from(Int32Array.of(SOL_SOCKET, SCM_RIGHTS, ...fds).buffer);
  const padding = Buffer.alloc(padded(length) - length);
  return Buffer.concat([header, kind, padding]);
}

const words = (values: readonly bigint[]): Buffer => Buffer.from(BigUint64Array.from(values).buffer);
