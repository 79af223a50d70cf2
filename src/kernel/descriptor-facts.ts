// What the kernel says of a descriptor of ours, for people: what it is, where, to whom, and how it is open. It must not know
// what it is for.

import { type BigIntStats, fstatSync, readlinkSync } from 'node:fs';
import type { DescriptorFacts, DescriptorType } from '../core/descriptor-view.js';
import { AF_INET, AF_INET6 } from './socket-address.js';
import { nameOf, peerNameOf } from './socket-name.js';
import { AF_UNIX, getsockopt, SO_ACCEPTCONN, SO_PEERCRED, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET } from './sockets.js';
import { fcntl, O_NONBLOCK } from './syscalls.js';

const SO_TYPE = 3;
const SO_DOMAIN = 39;
const F_GETFL = 3;

/** @throws what the system says: it is not open */
export function factsOf(fd: number): DescriptorFacts {
  const stat = fstatSync(fd, { bigint: true });
  const link = readlinkSync(`/proc/self/fd/${fd}`);
  const where = { device: deviceText(stat.dev), inode: String(stat.ino), flags: flagsOf(fcntl(fd, F_GETFL, 0)) };
  if (stat.isSocket()) return { ...socketFacts(fd), ...where };
  const type = typeOf(stat, link);
  // Of a pipe the link says the inode once more.
  return { type, is: null, at: type === 'pipe' && !link.startsWith('/') ? null : plain(link), peer: null, ...where };
}

function socketFacts(fd: number): Pick<DescriptorFacts, 'type' | 'is' | 'at' | 'peer'> {
  const [domain, kind] = [option(fd, SO_DOMAIN), option(fd, SO_TYPE)];
  const peer = peerNameOf(fd);
  const isListening = option(fd, SO_ACCEPTCONN) === 1;
  return {
    type: socketType(domain, kind),
    is: isListening ? 'listening' : peer === null ? null : 'connected',
    at: nameOf(fd),
    // One without a name is told by who made it.
    peer: peer === '' && domain === AF_UNIX ? `pid ${option(fd, SO_PEERCRED)}` : peer || null,
  };
}

function socketType(domain: number, kind: number): DescriptorType {
  if (domain === AF_UNIX) return 'unix';
  if (domain !== AF_INET && domain !== AF_INET6) return 'socket';
  if (kind === SOCK_STREAM) return 'tcp';
  return kind === SOCK_DGRAM ? 'udp' : 'socket';
}

/** The first number of the answer. */
function option(fd: number, name: number): number {
  const value = Buffer.alloc(12);
  getsockopt(fd, SOL_SOCKET, name, value);
  return value.readInt32LE(0);
}

function typeOf(stat: BigIntStats, link: string): DescriptorType {
  if (link.startsWith('/memfd:')) return 'memfd';
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isFIFO()) return 'pipe';
  return stat.isCharacterDevice() || stat.isBlockDevice() ? 'device' : 'other';
}

/** A memory file has no place from which it could be deleted. */
const plain = (link: string): string =>
  link.startsWith('/memfd:') ? link.slice(7).replace(/ \(deleted\)$/, '') : link;

/** As makedev(3) of glibc puts them together. */
function deviceText(dev: bigint): string {
  const major = ((dev >> 32n) & 0xfffff000n) | ((dev >> 8n) & 0xfffn);
  const minor = ((dev >> 12n) & 0xffffff00n) | (dev & 0xffn);
  return `${major}:${minor}`;
}

const ACCESS = ['rdonly', 'wronly', 'rdwr'];
/** Those that tell how it is used; the others are about how it was opened. */
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [O_NONBLOCK, 'nonblock'],
  [0o2000, 'append'],
  [0o10000000, 'path'],
];

const flagsOf = (flags: number): readonly string[] => [
  ...ACCESS.slice(flags & 3, (flags & 3) + 1),
  ...FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name),
];
