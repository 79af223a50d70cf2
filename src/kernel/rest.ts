// What is left when a main process has ended: its session, its orphans, and the members of its service's control group. Ends
// them where that is wished, and says when nobody is left. On the way from a death to the next start this is asked first, so
// the common answer, nobody, costs one system call and one small read.

import { isSameProcess, type ProcessRef, type SignalName } from '../core/process.js';
import type { Leftovers, ServiceName } from '../core/spec.js';
import type { Report } from '../keeper/ports.js';
import type { Exits } from './exits.js';
import { descendantsOf, sessionOf } from './family.js';
import type { Features } from './features.js';
import type { Groups } from './groups.js';
import { identify, identifyAgain } from './identity.js';
import { kinOf, restOf } from './kin.js';
import { isGroupEmpty, signalProcess } from './signals.js';
import { close, SystemCallFailure } from './syscalls.js';

export interface RestParts {
  readonly exits: Exits;
  readonly groups: Groups;
  readonly features: Features;
  readonly report: Report;
  /** Did this keeper start that process, in this life? Then what it left behind is among our own descendants. */
  readonly isOwn: (service: ServiceName, process: ProcessRef) => boolean;
  readonly onEmptied: (service: ServiceName, process: ProcessRef) => void;
}

interface Ending {
  readonly process: ProcessRef;
  signal: SignalName;
  /** Whose ends we wait for, by pid. */
  readonly awaited: Map<number, ProcessRef>;
  /** Settles when the kernel has killed the group: nobody may be started into it before. */
  killed: Promise<void> | null;
  timer: NodeJS.Timeout | null;
  pause: number;
}

// A member may be born between our look and our signal, or end as a zombie whose parent does not reap it: we look again,
// first after this many ms, then more and more rarely.
const FIRST_LOOK = 50;
const LAST_LOOK = 1000;

export class Rests {
  readonly #parts: RestParts;
  readonly #endings = new Map<ServiceName, Ending>();

  constructor(parts: RestParts) {
    this.#parts = parts;
  }

  /** Answers through `onEmptied`, at once if nobody is left. `leave` ends nobody and counts as empty. */
  end(service: ServiceName, process: ProcessRef, signal: SignalName, policy: Leftovers): void {
    const before = this.#endings.get(service);
    const isSame = before !== undefined && isSameProcess(before.process, process);
    if (before !== undefined && !isSame) this.#drop(service, before);
    if (policy === 'leave' || (!isSame && this.#isSurelyEmpty(service, process))) {
      if (isSame) this.#drop(service, before);
      this.#parts.onEmptied(service, process);
      return;
    }
    const ending: Ending = isSame
      ? before
      : { process, signal, awaited: new Map(), killed: null, timer: null, pause: FIRST_LOOK };
    ending.signal = signal;
    ending.pause = FIRST_LOOK;
    this.#endings.set(service, ending);
    if (signal === 'SIGKILL' && this.#parts.features.cgroup === 'yes') ending.killed = this.#parts.groups.kill(service);
    this.#startRound(service, ending, 'signal');
  }

  /** Who of the service lives now, as far as it descends from this process; null: none of it is known. */
  async living(service: ServiceName, main: ProcessRef | null): Promise<readonly number[]> {
    if (main === null) return this.#parts.groups.members(service);
    if (this.#isSurelyEmpty(service, main)) return [];
    const others = await this.#members(service, main);
    return (this.#isThere(main) ? [main, ...others] : others).map(({ pid }) => pid);
  }

  close(): void {
    for (const [service, ending] of [...this.#endings]) this.#drop(service, ending);
  }

  #isSurelyEmpty(service: ServiceName, process: ProcessRef): boolean {
    if (!isGroupEmpty(process.pid)) return false;
    const { groups, features, isOwn } = this.#parts;
    // Who has left the process group is still in the control group; without one it has come to us as an orphan.
    if (features.cgroup === 'yes' && groups.isPlaced(service, process)) return groups.members(service).length === 0;
    if (features.subreaper === 'no' || !isOwn(service, process)) return false;
    return this.#descendants(service, process).length === 0;
  }

  #startRound(service: ServiceName, ending: Ending, what: 'signal' | 'look'): void {
    this.#round(service, ending, what).catch((error: unknown) => {
      this.#parts.report(`what ${service} left behind could not be ended`, error);
      if (this.#endings.get(service) === ending) this.#lookLater(service, ending);
    });
  }

  async #round(service: ServiceName, ending: Ending, what: 'signal' | 'look'): Promise<void> {
    const members = await this.#members(service, ending.process);
    if (this.#endings.get(service) !== ending) return;
    if (members.length === 0) {
      await ending.killed;
      if (this.#endings.get(service) !== ending) return;
      this.#drop(service, ending);
      this.#parts.onEmptied(service, ending.process);
      return;
    }
    for (const member of members) {
      const isNew = !ending.awaited.has(member.pid);
      if (what === 'signal' || isNew) this.#signal(member, ending.signal);
      if (isNew) this.#await(service, ending, member);
    }
    this.#lookLater(service, ending);
  }

  #signal(member: ProcessRef, signal: SignalName): void {
    try {
      signalProcess(member, signal, this.#parts.features);
      // A stopped process hears SIGTERM only when it is woken.
      if (signal !== 'SIGKILL') signalProcess(member, 'SIGCONT', this.#parts.features);
    } catch (error) {
      // EPERM: it has become another user's, and stays; whoever ordered this has a deadline.
      if (!(error instanceof SystemCallFailure)) throw error;
    }
  }

  #await(service: ServiceName, ending: Ending, member: ProcessRef): void {
    const onExit = (): void => {
      ending.awaited.delete(member.pid);
      if (ending.awaited.size === 0 && this.#endings.get(service) === ending) this.#startRound(service, ending, 'look');
    };
    try {
      if (this.#parts.exits.follow(restOf(service), member, onExit) === 'following')
        ending.awaited.set(member.pid, member);
    } catch (error) {
      if (!(error instanceof SystemCallFailure)) throw error; // no descriptors: found gone at the next look
    }
  }

  #lookLater(service: ServiceName, ending: Ending): void {
    if (ending.timer !== null) clearTimeout(ending.timer);
    ending.timer = setTimeout(() => {
      ending.timer = null;
      this.#startRound(service, ending, 'look');
    }, ending.pause);
    ending.pause = Math.min(ending.pause * 2, LAST_LOOK);
  }

  #drop(service: ServiceName, ending: Ending): void {
    if (ending.timer !== null) clearTimeout(ending.timer);
    for (const member of ending.awaited.values()) this.#parts.exits.unfollow(restOf(service), member);
    this.#endings.delete(service);
  }

  /** Verified living members, the main process not among them. */
  async #members(service: ServiceName, main: ProcessRef): Promise<readonly ProcessRef[]> {
    const { groups, features, isOwn } = this.#parts;
    const isComplete = features.subreaper === 'yes' && isOwn(service, main);
    const relatives = isComplete ? this.#descendants(service, main) : await sessionOf(main);
    const members = new Map(relatives.map((member) => [member.pid as number, member]));
    const named = this.#name(groups.members(service));
    // Still in the group after it was named: so the name is that of a member.
    const still = new Set(named.length === 0 ? [] : groups.members(service));
    for (const member of named) if (still.has(member.pid)) members.set(member.pid, member);
    members.delete(main.pid);
    members.delete(process.pid);
    return [...members.values()].filter((member) => this.#isThere(member));
  }

  #name(pids: readonly number[]): readonly ProcessRef[] {
    return pids.flatMap((pid) => {
      const found = identify(pid, this.#parts.features);
      if (found !== null && found.pidfd !== null) close(found.pidfd);
      return found === null ? [] : [found.process];
    });
  }

  #isThere(member: ProcessRef): boolean {
    const found = identifyAgain(member, this.#parts.features);
    if (found !== null && found.pidfd !== null) close(found.pidfd);
    return found !== null;
  }

  #descendants(service: ServiceName, main: ProcessRef): readonly ProcessRef[] {
    return descendantsOf(main, kinOf(service, this.#parts.exits));
  }
}
