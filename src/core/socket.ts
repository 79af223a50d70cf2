// Vocabulary: the sockets that Upkeep opens and holds for a service. Plain data; who opens them is kernel/.

import { type Millis, seconds } from './time.js';

/** One listening socket (or bound one, of datagrams) of a service, as its key in `sockets` calls it. */
export interface SocketSpec {
  /** What it is called in LISTEN_FDNAMES. */
  readonly name: string;
  readonly address: SocketAddress;
  /** listen(2): how many connections may wait to be accepted. The kernel cuts it to net.core.somaxconn. */
  readonly backlog: number;
  /** `yes`: the service is started at the first connection or datagram. */
  readonly lazy: 'yes' | 'no';
  /** IP_FREEBIND: an address that is not there yet may be bound. */
  readonly freebind: 'yes' | 'no';
  /** SO_REUSEPORT: others of the same user may bind it too. */
  readonly reusePort: 'yes' | 'no';
}

export type SocketAddress =
  /** `host` null: all addresses, of both families where the host has both. */
  | { readonly type: 'tcp' | 'udp'; readonly host: string | null; readonly port: number }
  /** A path, or `@name` for one in the abstract namespace. `mode`: permission bits; `user`, `group` null: those of the service. */
  | {
      readonly type: 'stream' | 'datagram';
      readonly path: string;
      readonly mode: number;
      readonly user: string | null;
      readonly group: string | null;
    };

/** How a service is replaced by a new generation of itself. */
export interface HandoverSpec {
  /** `replace`: stop, then start. `overlap`: the new generation gets ready beside the old one, and may refuse. */
  readonly mode: 'replace' | 'overlap';
  /** How long the old generation may stand still while its state goes over. */
  readonly transfer: Millis;
  /** How long the old generation may take to finish what it has begun; null: for ever. */
  readonly drain: Millis | null;
  /** How many old generations may drain at once. */
  readonly maxDraining: number;
  /** Where a program that starts its own successor writes that one's pid; null: it does not. */
  readonly pidFile: string | null;
}

/** What a service has that says nothing of it. */
export const replaceHandover: HandoverSpec = {
  mode: 'replace',
  transfer: seconds(10),
  drain: seconds(60),
  maxDraining: 1,
  pidFile: null,
};

/** Whose words count (systemd's NotifyAccess=): of the main process; of the commands around it too; of all processes of the service. */
export type NotifyAccess = 'none' | 'main' | 'exec' | 'all';

/** By whose name its sockets are known: members of a pool share theirs. */
export const socketOwnerOf = (spec: {
  readonly name: string;
  readonly pool: { readonly name: string } | null;
}): string => spec.pool?.name ?? spec.name;
