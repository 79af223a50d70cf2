// Makes one socket of a service: opened, bound, listening, blocking; or says in a sentence why not, and what to do. It must
// not know for which service, nor how long it is held.

import { readFileSync } from 'node:fs';
import type { SocketSpec } from '../core/socket.js';
import { addressUser } from './address-user.js';
import { Refusal } from './held-path.js';
import { AF_INET6, addressText, type KernelAddress, kernelAddresses } from './socket-address.js';
import { AF_UNIX, bind, listen, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET, setsockopt, socket } from './sockets.js';
import { close, fchmod, makeBlocking, SystemCallFailure } from './syscalls.js';

const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const IPPROTO_IP = 0;
const IP_FREEBIND = 15;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const IPV6_FREEBIND = 78;

export const isStream = ({ address }: SocketSpec): boolean => address.type === 'tcp' || address.type === 'stream';

/** Bound, not yet listening: a path has its mode and owner only afterwards. @throws Refusal, SystemCallFailure: EADDRINUSE */
export function bound(spec: SocketSpec): number {
  const addresses = kernelAddresses(spec.address);
  if (addresses.length === 0)
    throw new Refusal(
      `${addressText(spec.address)} is a name, and what it means may change: write the address of this host that is to be bound`,
    );
  for (const [i, address] of addresses.entries()) {
    try {
      return boundTo(address, spec);
    } catch (error) {
      // This host has no IPv6, or none on its loopback.
      const isLast = i === addresses.length - 1;
      if (!(error instanceof SystemCallFailure) || isLast || !['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(error.errno))
        throw error;
    }
  }
  throw new Error('unreachable');
}

function boundTo({ family, bytes, both }: KernelAddress, spec: SocketSpec): number {
  const fd = socket(family, isStream(spec) ? SOCK_STREAM : SOCK_DGRAM, 0);
  try {
    // The file that bind(2) makes of it begins with its mode: until it has its own, nobody connects.
    if (family === AF_UNIX) fchmod(fd, 0);
    else {
      // A connection of the last life in TIME_WAIT does not count. For datagrams it would let two have one port.
      if (isStream(spec)) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, flag('yes'));
      if (spec.reusePort === 'yes') setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, flag('yes'));
      if (both === 'yes') setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, flag('no'));
      if (spec.freebind === 'yes') {
        if (family === AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, flag('yes'));
        else setsockopt(fd, IPPROTO_IP, IP_FREEBIND, flag('yes'));
      }
    }
    bind(fd, bytes);
    makeBlocking(fd);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** Connections are taken from now on, and wait for whoever accepts them. Once more: with another backlog. */
export function begin(fd: number, spec: SocketSpec): void {
  if (isStream(spec)) listen(fd, spec.backlog);
}

function flag(on: 'yes' | 'no'): Buffer {
  const value = Buffer.alloc(4);
  value.writeInt32LE(on === 'yes' ? 1 : 0, 0);
  return value;
}

/** Why it could not be made, and what to do. */
export async function explain(error: unknown, spec: SocketSpec): Promise<string> {
  if (error instanceof Refusal) return `its socket ${spec.name}: ${error.message}`;
  if (!(error instanceof SystemCallFailure)) throw error;
  return `its socket ${spec.name} cannot be opened: ${await reason(error, spec)}`;
}

async function reason({ errno, call }: SystemCallFailure, spec: SocketSpec): Promise<string> {
  const { address } = spec;
  const text = addressText(address);
  switch (errno) {
    case 'EADDRINUSE': {
      const user = await addressUser(address);
      return `${text} is taken${user === null ? '' : ` by ${user}`}: stop that one, or choose another`;
    }
    case 'EACCES':
      if (address.type === 'tcp' || address.type === 'udp')
        return (
          `a port below ${firstFreePort()} is for root and for who has CAP_NET_BIND_SERVICE: ` +
          `run the keeper as root, choose another port than ${address.port}, or lower net.ipv4.ip_unprivileged_port_start`
        );
      return `the user of the keeper has no right to make ${text} (EACCES)`;
    case 'EADDRNOTAVAIL':
      return `no interface of this host has the address of ${text}: correct it, or set \`freebind: true\` if it comes later`;
    case 'EAFNOSUPPORT':
      return `this host does not have the protocol of ${text} (EAFNOSUPPORT)`;
    case 'EMFILE':
      return 'the keeper has too few descriptors left (EMFILE); raise its limit of open files, as with `ulimit -n`';
    case 'ENAMETOOLONG':
    case 'EINVAL':
      return `${text} cannot be bound (${errno}): see that it is no longer than 107 bytes, and that its interface is there`;
  }
  return `${call} ${text}: ${errno}`;
}

function firstFreePort(): string {
  try {
    return readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1').trim();
  } catch {
    return '1024';
  }
}
