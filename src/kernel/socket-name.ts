// The two ends of a socket, as text: getsockname(2) and getpeername(2) of any family. It must not know whose socket it is.

import { AF_INET, AF_INET6 } from './socket-address.js';
import { AF_UNIX } from './sockets.js';
import { libc } from './syscalls.js';

const getsockname = libc.func('int getsockname(int fd, void *address, void *length)');
const getpeername = libc.func('int getpeername(int fd, void *address, void *length)');

/** null: it has no name. */
export const nameOf = (fd: number): string | null => textOf(asked(getsockname, fd));

/** null: it is not connected. Empty: to one without a name. */
export function peerNameOf(fd: number): string | null {
  const address = asked(getpeername, fd);
  return address === null ? null : (textOf(address) ?? '');
}

function asked(call: (fd: number, address: Buffer, length: Buffer) => unknown, fd: number): Buffer | null {
  const address = Buffer.alloc(128);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(address.length, 0);
  if (Number(call(fd, address, length)) < 0) return null;
  return address.subarray(0, Math.min(address.length, length.readUInt32LE(0)));
}

/** `127.0.0.1:80`, `[::1]:80`, a path, or `@name`. */
function textOf(address: Buffer | null): string | null {
  if (address === null || address.length < 2) return null;
  switch (address.readUInt16LE(0)) {
    case AF_INET:
      return `${[...address.subarray(4, 8)].join('.')}:${address.readUInt16BE(2)}`;
    case AF_INET6:
      return `[${inet6(address.subarray(8, 24))}]:${address.readUInt16BE(2)}`;
    case AF_UNIX:
      return unix(address.subarray(2));
  }
  return null;
}

/** In the abstract namespace every byte belongs to the name; a path ends with a zero. */
function unix(path: Buffer): string | null {
  if (path.length === 0) return null;
  if (path[0] === 0) return `@${path.subarray(1).toString('utf8')}`;
  const end = path.indexOf(0);
  return path.toString('utf8', 0, end < 0 ? path.length : end);
}

/** In the form of RFC 5952, which Node's URL writes. */
function inet6(bytes: Buffer): string {
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  if (bytes.subarray(0, 12).equals(MAPPED)) return `::ffff:${[...bytes.subarray(12)].join('.')}`;
  return new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1);
}

const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');
