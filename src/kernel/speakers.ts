// Who said something: from what the kernel adds to a datagram to the process, and from there to whether that belongs to the
// service, and to which of its main processes. Knows what was started or followed for each service; it must not know what
// was said, nor whose words count.

import type { Speaker } from '../core/event.js';
import { asPid, isSameProcess, type ProcessRef } from '../core/process.js';
import type { ServiceName } from '../core/spec.js';
import type { Datagram } from './datagram.js';
import type { Features } from './features.js';
import type { Groups } from './groups.js';
import { answers, inodeOf, isAlive, readStat, type Stat } from './identity.js';
import { pidfdInfo } from './pidfd-info.js';
import { variableOf } from './processes-of.js';

/** `helper`: a command around the service. */
export type Part = 'main' | 'helper';

/** What was started or followed for a service. */
interface Known {
  readonly process: ProcessRef;
  readonly part: Part;
  /** Its descendants have it in their environment too, wherever they have gone. */
  readonly token: string | null;
}

/** A process that may be gone: then only what the kernel remembers of it. */
interface Found {
  readonly process: ProcessRef;
  readonly stat: Stat | null;
  /** The inode of its control group, where that is all that is left. */
  readonly group: bigint | null;
}

/** Whose it is; null: no one's of this service. */
interface Kinship {
  readonly kinOf: ProcessRef | null;
}

/** Farther from its main process no process of a service is. */
const MOST_ANCESTORS = 64;

export class Speakers {
  readonly #features: Features;
  readonly #groups: Groups;
  readonly #known = new Map<ServiceName, readonly Known[]>();

  constructor(features: Features, groups: Groups) {
    this.#features = features;
    this.#groups = groups;
  }

  /** From now on this process and what descends from it speak for the service. Those of its kind that are dead do no more: what they had said is heard by now. */
  note(service: ServiceName, process: ProcessRef, part: Part, token: string | null): void {
    const others = this.#of(service).filter(
      (one) => !isSameProcess(one.process, process) && (one.part !== part || isAlive(one.process, this.#features)),
    );
    this.#known.set(service, [...others, { process, part, token }]);
  }

  release(service: ServiceName): void {
    this.#known.delete(service);
  }

  /** Who sent this to the service; else, in words, why that cannot be told or is nobody of it. */
  whoSent(service: ServiceName, { from, pidfd }: Pick<Datagram, 'from' | 'pidfd'>): Speaker | string {
    if (from === null || from.pid <= 0) return 'it does not say which process it is from';
    const found = this.#find(service, from.pid, pidfd);
    if (found === null) return `it is from process ${from.pid}, which is gone`;
    const kinship = this.#kinship(service, found);
    if (kinship === null) return `it is from process ${from.pid} (user ${from.uid}), which is none of its processes`;
    return { process: found.process, uid: from.uid, isMember: 'yes', kinOf: kinship.kinOf };
  }

  /** Does this process, which lives, belong to the service? */
  isMember(service: ServiceName, process: ProcessRef): 'yes' | 'no' {
    const found = { process, stat: readStat(process.pid), group: null };
    return this.#kinship(service, found) === null ? 'no' : 'yes';
  }

  /** Is it a command around the service? */
  isHelper(service: ServiceName, process: ProcessRef): boolean {
    return this.#knownAs(service, process)?.part === 'helper';
  }

  #of(service: ServiceName): readonly Known[] {
    return this.#known.get(service) ?? [];
  }

  #knownAs(service: ServiceName, process: ProcessRef): Known | undefined {
    return this.#of(service).find((one) => isSameProcess(one.process, process));
  }

  #find(service: ServiceName, pid: number, pidfd: number | null): Found | null {
    const inode = inodeOf(pidfd, this.#features);
    const stat = readStat(pid);
    // The stat was read first: if the descriptor still answers, nobody else had that pid.
    if (stat !== null && (pidfd === null || answers(pidfd)))
      return { process: { pid: asPid(pid), startTicks: stat.startTicks, inode }, stat, group: null };
    const gone = this.#of(service).find(({ process }) =>
      inode !== null && process.inode !== null ? process.inode === inode : stat === null && process.pid === pid,
    );
    if (gone !== undefined) return { process: gone.process, stat: null, group: null };
    const group = pidfd === null ? null : (pidfdInfo(pidfd)?.group ?? null);
    return group === null ? null : { process: { pid: asPid(pid), startTicks: 0, inode }, stat: null, group };
  }

  #kinship(service: ServiceName, { process, stat, group }: Found): Kinship | null {
    const known = this.#knownAs(service, process);
    if (known !== undefined) return kinshipOf(known);
    if (stat === null) return this.#lastGroupOf(service, group);
    // The nearest first: one that was named as the main process may live in the session of the one before.
    const above = this.#ancestorOf(service, stat) ?? this.#leaderOf(service, stat);
    if (above !== null) return kinshipOf(above);
    // It has left the family: then its control group says so, and its environment whose it was.
    const token = variableOf(process.pid, 'UPKEEP_TOKEN');
    const marked = token === null ? undefined : this.#of(service).findLast((one) => one.token === token);
    if (marked !== undefined) return kinshipOf(marked);
    const inGroup = this.#mains(service).find((one) =>
      this.#groups.members(service, one.process).includes(process.pid),
    );
    return inGroup === undefined ? null : kinshipOf(inGroup);
  }

  /** Everything that we start begins a session, which nobody can join from outside; its number is free again only when all of it are gone. */
  #leaderOf(service: ServiceName, { session, startTicks }: Stat): Known | null {
    const leader = this.#of(service).find((one) => one.process.pid === session);
    if (leader === undefined || leader.process.startTicks > startTicks) return null;
    const now = readStat(session);
    return now === null || now.startTicks === leader.process.startTicks ? leader : null;
  }

  #ancestorOf(service: ServiceName, { ppid }: Stat): Known | null {
    let pid = ppid;
    for (let i = 0; i < MOST_ANCESTORS && pid > 1 && pid !== process.pid; i++) {
      const stat = readStat(pid);
      if (stat === null) return null;
      const { startTicks } = stat;
      const known = this.#knownAs(service, { pid: asPid(pid), startTicks, inode: null });
      if (known !== undefined) return known;
      pid = stat.ppid;
    }
    return null;
  }

  /** Of one that is gone only its control group is remembered. */
  #lastGroupOf(service: ServiceName, group: bigint | null): Kinship | null {
    if (group === null) return null;
    const home = this.#mains(service).find((one) => this.#groups.hasInode(service, one.process, group));
    return home === undefined ? null : kinshipOf(home);
  }

  #mains(service: ServiceName): readonly Known[] {
    return this.#of(service).filter(({ part }) => part === 'main');
  }
}

const kinshipOf = ({ part, process }: Known): Kinship => ({ kinOf: part === 'main' ? process : null });
