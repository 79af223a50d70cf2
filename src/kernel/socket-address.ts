// Socket addresses as the kernel wants them: struct sockaddr_in, sockaddr_in6, sockaddr_un. Pure, save for the number of a
// named interface. It must not know who binds them.

import { isIPv4, isIPv6 } from 'node:net';
import type { SocketAddress } from '../core/socket.js';
import { AF_UNIX, unixAddress } from './sockets.js';
import { libc } from './syscalls.js';

export const AF_INET = 2;
export const AF_INET6 = 10;

export interface KernelAddress {
  readonly family: number;
  readonly bytes: Buffer;
  /** `yes`: one socket for the addresses of both families. */
  readonly both: 'yes' | 'no';
}

/** Where it is to be bound; of several the first that this host has. Empty: the host is not written as an address. */
export function kernelAddresses(address: SocketAddress): readonly KernelAddress[] {
  switch (address.type) {
    case 'stream':
    case 'datagram':
      return [{ family: AF_UNIX, bytes: unixAddress(address.path), both: 'no' }];
    case 'tcp':
    case 'udp': {
      const { host, port } = address;
      // As systemd has it: one socket of IPv6 takes what comes by IPv4 too.
      if (host === null) return [{ ...inet6('::', port), both: 'yes' }, inet('0.0.0.0', port)];
      if (host === 'localhost') return [inet('127.0.0.1', port), inet6('::1', port)];
      if (isIPv4(host)) return [inet(host, port)];
      return isIPv6(host) ? [inet6(host, port)] : [];
    }
  }
}

function inet(host: string, port: number): KernelAddress {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(host.split('.').map(Number), 4);
  return { family: AF_INET, bytes, both: 'no' };
}

/** family @0, port @2, flow @4, address @8, scope @24 */
function inet6(host: string, port: number): KernelAddress {
  const bytes = Buffer.alloc(28);
  const [address = '', zone] = host.split('%');
  bytes.writeUInt16LE(AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(bytesOfIpv6(address), 8);
  if (zone !== undefined) bytes.writeUInt32LE(scopeOf(zone), 24);
  return { family: AF_INET6, bytes, both: 'no' };
}

export function bytesOfIpv6(text: string): Buffer {
  const [head = '', tail] = text.split('::');
  const [front, back] = [wordsOf(head), tail === undefined ? [] : wordsOf(tail)];
  const words = [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
  const bytes = Buffer.alloc(16);
  for (const [i, word] of words.entries()) bytes.writeUInt16BE(word, 2 * i);
  return bytes;
}

/** The last of them may be written as an IPv4 address. */
const wordsOf = (text: string): number[] =>
  text === ''
    ? []
    : text.split(':').flatMap((part) => {
        if (!part.includes('.')) return [Number.parseInt(part, 16)];
        const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
        return [a * 256 + b, c * 256 + d];
      });

const ifNameToIndex = libc.func('uint if_nametoindex(str name)');

/** 0 where there is no such interface: bind(2) says so. */
const scopeOf = (zone: string): number => (/^\d+$/.test(zone) ? Number(zone) : Number(ifNameToIndex(zone)));

/** As it is written in a configuration: `10.0.0.1:80`, `[::1]:80`, `port 80`, or a path. */
export function addressText(address: SocketAddress): string {
  switch (address.type) {
    case 'stream':
    case 'datagram':
      return address.path;
    case 'tcp':
    case 'udp': {
      const { host, port, type } = address;
      if (host === null) return `${type} port ${port}`;
      return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    }
  }
}
