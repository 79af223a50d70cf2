// The addresses of the listening sockets that were opened for us, by what the kernel says of each. Listens on none of them: a
// generation that was not accepted yet must take no connection.

import { fstatSync, readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import type { NamedDescriptor } from '../sockets.js';
import { canonicalHost, type ListenAddress } from './address.js';

/** A socket of the `sockets` of this service that accepts connections. */
export interface HeldListener extends NamedDescriptor {
  readonly address: ListenAddress;
}

/** Sockets of datagrams, and what a program stored with its manager, are none. */
export function heldListeners(sockets: readonly NamedDescriptor[]): readonly HeldListener[] {
  if (sockets.length === 0) return [];
  const listening = new Map([...internet('tcp'), ...internet('tcp6'), ...unix()]);
  return sockets.flatMap((socket) => {
    const address = listening.get(inodeOf(socket.fd));
    return address === undefined ? [] : [{ ...socket, address }];
  });
}

function inodeOf(fd: number): string {
  try {
    return String(fstatSync(fd, { bigint: true }).ino);
  } catch {
    return ''; // Somebody closed it; then it is none that we could take.
  }
}

const LISTEN = '0A'; // TCP_LISTEN of tcp_states.h
const ACCEPTS = 0x10000; // __SO_ACCEPTCON of net.h

/** proc_net_tcp(5): number, local address, remote address, state, …, the inode as the tenth. */
const internet = (table: 'tcp' | 'tcp6'): [string, ListenAddress][] =>
  lines(`/proc/net/${table}`).flatMap((line): [string, ListenAddress][] => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const [host = '', port = ''] = local.split(':');
    return state === LISTEN ? [[inode, { type: 'tcp', host: hostIn(host), port: Number.parseInt(port, 16) }]] : [];
  });

/** /proc/net/unix: Num RefCount Protocol Flags Type St Inode Path. An abstract name begins with @, where Node has a NUL. */
const unix = (): [string, ListenAddress][] =>
  lines('/proc/net/unix').flatMap((line): [string, ListenAddress][] => {
    const [, flags = '', inode = '', path = ''] = /^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+) (.+)$/.exec(line) ?? [];
    const accepts = (Number.parseInt(flags, 16) & ACCEPTS) !== 0;
    return accepts ? [[inode, { type: 'unix', path: path.replace(/^@/, '\0') }]] : [];
  });

/** Words of 32 bits, each in the order of this machine. */
function hostIn(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => {
    const inOrder = [...Buffer.from(word, 'hex')];
    return endianness() === 'LE' ? inOrder.reverse() : inOrder;
  });
  if (bytes.length === 4) return bytes.join('.');
  return canonicalHost(Buffer.from(bytes).toString('hex').match(/.{4}/g)?.join(':') ?? '');
}

function lines(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(1);
  } catch {
    return []; // No Linux, or no /proc: then no address is known and nothing is taken.
  }
}
