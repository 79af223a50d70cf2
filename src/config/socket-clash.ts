// Two sockets of this host that cannot both be bound, in one service or in two: told with both places. Where that depends on the
// host, it is a warning.

import type { SocketAddress, SocketSpec } from '../core/socket.js';
import { lineText, type Place, type Problems } from './problem.js';
import type { ReadService } from './service.js';
import { valueAt } from './tree.js';

interface Held {
  readonly service: string;
  readonly socket: SocketSpec;
  readonly at: Place;
}

/** Members of a pool share theirs, so those of the first stand for all. */
export function checkSocketClashes(
  here: ReadonlyMap<string, ReadService>,
  problems: Problems,
  warnings: Problems,
): void {
  const byRoom = new Map<string, Held[]>();
  for (const [service, { members, effective }] of here) {
    for (const socket of members[0].spec.sockets) {
      const said = valueAt(valueAt(effective, 'sockets'), socket.name);
      const at = (valueAt(said, 'listen') ?? valueAt(said, 'udp') ?? said ?? effective).at;
      const held = { service, socket, at };
      const room = roomOf(socket.address);
      const others = byRoom.get(room) ?? [];
      for (const other of others) tell(held, other, problems, warnings);
      byRoom.set(room, [...others, held]);
    }
  }
}

/** Only sockets of the same room can meet. A path is a file whatever its type; abstract names are apart by type. */
function roomOf(address: SocketAddress): string {
  if ('port' in address) return `${address.type} ${address.port}`;
  return address.path.startsWith('@') ? `${address.type} ${address.path}` : address.path;
}

function tell(held: Held, first: Held, problems: Problems, warnings: Problems): void {
  const { service, socket, at } = held;
  const key = `services.${service}.sockets.${socket.name}`;
  const what = `found ${addressText(socket.address)}`;
  switch (meeting(socket, first.socket)) {
    case 'never':
      break;
    case 'onMostHosts':
      warnings.report(at, key, `${what} beside ${originOf(first, held)}; ${BOTH_FAMILIES}`);
      break;
    case 'always': {
      const shared = 'port' in socket.address ? ', or say `reusePort: true` in both' : '';
      problems.report(at, key, `${what}, which meets ${originOf(first, held)}; write another address${shared}`);
    }
  }
}

const BOTH_FAMILIES =
  '[::] takes IPv4 too unless the host has net.ipv6.bindv6only=1, so write the port alone, which is for both';

function meeting(one: SocketSpec, other: SocketSpec): 'always' | 'onMostHosts' | 'never' {
  if (!('port' in one.address) || !('port' in other.address)) return 'always';
  if (one.reusePort === 'yes' && other.reusePort === 'yes') return 'never';
  const hosts = [one.address.host, other.address.host] as const;
  const [a, b] = hosts;
  if (a === null || b === null || a === b) return 'always';
  if (isOfIpv6(a) === isOfIpv6(b)) return hosts.includes(isOfIpv6(a) ? '::' : '0.0.0.0') ? 'always' : 'never';
  return hosts.includes('::') ? 'onMostHosts' : 'never';
}

const isOfIpv6 = (host: string): boolean => host.includes(':');

function originOf({ service, socket, at }: Held, seenFrom: Held): string {
  const whose = service === seenFrom.service ? '' : ` of ${service}`;
  return `socket ${socket.name}${whose} (${addressText(socket.address)}, ${lineText(at, seenFrom.at)})`;
}

function addressText(address: SocketAddress): string {
  if (!('port' in address)) return address.path;
  const host = address.host?.includes(':') ? `[${address.host}]` : (address.host ?? '');
  return `${address.type === 'udp' ? 'udp://' : ''}${host}:${address.port}`;
}
