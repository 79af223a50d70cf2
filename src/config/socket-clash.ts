// Two sockets of this host that cannot both be bound, in one service or in two: told with both places.

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
export function checkSocketClashes(here: ReadonlyMap<string, ReadService>, problems: Problems): void {
  const byRoom = new Map<string, Held[]>();
  for (const [service, { members, effective }] of here) {
    for (const socket of members[0].spec.sockets) {
      const said = valueAt(valueAt(effective, 'sockets'), socket.name);
      const at = (valueAt(said, 'listen') ?? valueAt(said, 'udp') ?? said ?? effective).at;
      const held = { service, socket, at };
      const room = roomOf(socket.address);
      const others = byRoom.get(room) ?? [];
      const first = others.find((other) => areClashing(other.socket, socket));
      if (first !== undefined)
        problems.report(at, `services.${service}.sockets.${socket.name}`, clashText(held, first));
      byRoom.set(room, [...others, held]);
    }
  }
}

/** Only sockets of the same room can meet. A path is a file whatever its type; abstract names are apart by type. */
function roomOf(address: SocketAddress): string {
  if ('port' in address) return `${address.type} ${address.port}`;
  return address.path.startsWith('@') ? `${address.type} ${address.path}` : address.path;
}

function areClashing(one: SocketSpec, other: SocketSpec): boolean {
  if (!('port' in one.address) || !('port' in other.address)) return true;
  if (one.reusePort === 'yes' && other.reusePort === 'yes') return false;
  return covers(one.address.host, other.address.host) || covers(other.address.host, one.address.host);
}

// Whether [::] takes IPv4 too is the host's matter, so that alone is no mistake.
const covers = (wide: string | null, host: string | null): boolean =>
  wide === null || wide === host || (host !== null && wide === (host.includes(':') ? '::' : '0.0.0.0'));

function clashText({ service, socket, at }: Held, first: Held): string {
  const whose =
    first.service === service ? `socket ${first.socket.name}` : `socket ${first.socket.name} of ${first.service}`;
  const shared = 'port' in socket.address ? ', or say `reusePort: true` in both' : '';
  return `found ${addressText(socket.address)}, which ${whose} has already (${addressText(first.socket.address)}, ${lineText(first.at, at)}); write another address${shared}`;
}

function addressText(address: SocketAddress): string {
  if (!('port' in address)) return address.path;
  const host = address.host?.includes(':') ? `[${address.host}]` : (address.host ?? '');
  return `${address.type === 'udp' ? 'udp://' : ''}${host}:${address.port}`;
}
