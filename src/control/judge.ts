// Who may do what over the control socket: judged by the kernel's word for who is on the other side (product.md 4).
// Knows neither HTTP nor the keeper.

/** The other end of a connection, as SO_PEERCRED names it. */
export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export type Right =
  | { readonly type: 'read' }
  | { readonly type: 'act'; readonly verb: string; readonly service: string }
  | { readonly type: 'details' }
  /** apply, upgrade, shutdown: they change what the keeper itself is. */
  | { readonly type: 'govern' };

export interface Judges {
  /** The uid that the keeper runs as. */
  readonly keeperUid: number;
  /** Is this user in the group `upkeep`? Asked anew each time: the group may change while we run. */
  readonly isInGroup: (peer: Peer) => boolean;
  /** The service that this process belongs to, or null. */
  readonly serviceOf: (peer: Peer) => string | null;
}

/** What a process of a service may do to its own service. */
const ownVerbs: readonly string[] = ['reload', 'restart'];

/** null: granted; else why not, with what would do. */
export function refusal(peer: Peer, right: Right, judges: Judges): string | null {
  if (peer.uid === 0 || peer.uid === judges.keeperUid) return null;
  switch (right.type) {
    case 'read':
      return null;
    case 'details':
      return judges.isInGroup(peer)
        ? null
        : 'output, command lines and environment are for root, the user of the keeper and group upkeep';
    case 'act':
      if (judges.isInGroup(peer)) return null;
      if (ownVerbs.includes(right.verb) && judges.serviceOf(peer) === right.service) return null;
      return `you (uid ${peer.uid}) may read the status only; ${right.verb} is for root, the user of the keeper (uid ${judges.keeperUid}) and group upkeep`;
    case 'govern':
      return `you (uid ${peer.uid}) may not do this; it is for root and the user of the keeper (uid ${judges.keeperUid})`;
  }
}
