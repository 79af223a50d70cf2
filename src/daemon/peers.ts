// Who is on the other side of the control socket, in the words of the host: the person behind sudo, membership of the
// group upkeep, the service that a process belongs to. Reads /proc; knows no verb.

import { readFileSync } from 'node:fs';
import type { Judges, Peer } from '../control/judge.js';
import type { Sender } from '../core/death.js';
import { mainsOf } from '../core/generations.js';
import type { ServiceSet } from '../core/state.js';
import { readStat } from '../kernel/identity.js';

export interface Directory {
  readonly userName: (uid: number) => string | null;
  /** The users of a group by name; empty where there is none. */
  readonly isInGroup: (user: string, group: string) => boolean;
}

export function judgesFor(services: () => ServiceSet, keeperUid: number, directory: Directory): Judges {
  return {
    keeperUid,
    isInGroup: (peer) => {
      const user = directory.userName(peer.uid);
      return user !== null && directory.isInGroup(user, 'upkeep');
    },
    serviceOf: (peer) => serviceOf(peer, services()),
  };
}

/** The service in whose session this process lives. A session is inherited and cannot be joined from outside (setsid(2)). */
function serviceOf(peer: Peer, set: ServiceSet): string | null {
  const stat = readStat(peer.pid);
  if (stat === null) return null;
  for (const [name, service] of set) {
    const isItsSession = mainsOf(service).some(({ pid }) => pid === stat.session);
    if (service.spec.kind.type === 'supervised' && isItsSession) return name;
  }
  return null;
}

/** The peer, and behind sudo the person who logged in. */
export function describePeer(peer: Peer, directory: Directory): Sender {
  const uid = loginUid(peer.pid) ?? peer.uid;
  return {
    pid: peer.pid,
    name: read(`/proc/${peer.pid}/comm`)?.trim() ?? null,
    uid,
    user: directory.userName(uid),
    grade: 'seen',
  };
}

/** proc(5): the uid of the login session, 4294967295 where there was none. */
function loginUid(pid: number): number | null {
  const text = read(`/proc/${pid}/loginuid`);
  const uid = text === null ? Number.NaN : Number.parseInt(text, 10);
  return Number.isNaN(uid) || uid === 0xffffffff ? null : uid;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
