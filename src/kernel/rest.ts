// What is left when a main process has ended: its session, its orphans, and the members of the control group of its generation.
// Ends them where that is wished, and says when nobody is left; other generations of the service are not touched. On the way from a death to the next start this is asked first, so
// the common answer, nobody, costs one system call and one small read.

import type { ProcessRef, SignalName } from '../core/process.js';
import type { Leftovers, ServiceName } from '../core/spec.js';
import type { Report } from '../keeper/ports.js';
import type { Exits } from './exits.js';
import { descendantsOf, sessionOf } from './family.js';
import type { Features } from './features.js';
import type { Generations } from './generations.js';
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
  readonly generations: Generations;
  readonly onEmptied: (service: ServiceName, process: ProcessRef) => void;
}

interface Ending {
  readonly service: ServiceName;
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
  readonly #endings = new Map<string, Ending>();
  readonly #later = new Set<NodeJS.Immediate>();

  constructor(parts: RestParts) {
    this.#parts = parts;
  }

  /** Answers through `onEmptied`, at once if nobody is left. `leave` ends nobody and counts as empty; so does what may be another living one's. */
  end(service: ServiceName, process: ProcessRef, signal: SignalName, policy: Leftovers): void {
    if (this.#parts.generations.isKnown(service, process)) {
      this.#end(service, process, signal, policy);
      return;
    }
    // It ended while no keeper was there. What is around may be another generation's, which we are about to be told of.
    const later = setImmediate(() => {
      this.#later.delete(later);
      this.#end(service, process, signal, policy);
    });
    this.#later.add(later);
  }

  #end(service: ServiceName, process: ProcessRef, signal: SignalName, policy: Leftovers): void {
    const { generations, features, groups, onEmptied } = this.#parts;
    const before = this.#endings.get(keyOf(service, process));
    const isOthers = generations.livesOn(service, process);
    if (policy === 'leave' || isOthers || (before === undefined && this.#isSurelyEmpty(service, process))) {
      if (before !== undefined) this.#drop(before);
      onEmptied(service, process);
      return;
    }
    const fresh = { service, process, signal, awaited: new Map(), killed: null, timer: null, pause: FIRST_LOOK };
    const ending: Ending = before ?? fresh;
    ending.signal = signal;
    ending.pause = FIRST_LOOK;
    this.#endings.set(keyOf(service, process), ending);
    if (signal === 'SIGKILL' && features.cgroup === 'yes') ending.killed = groups.kill(service, process);
    this.#startRound(ending, 'signal');
  }

  /** Who of the service lives now, as far as it descends from main processes that are known, or is in its groups. */
  async living(service: ServiceName): Promise<readonly number[]> {
    const mains = this.#parts.generations.of(service);
    if (mains.length === 0) return this.#parts.groups.members(service);
    const pids = new Set<number>();
    for (const main of mains) {
      if (this.#isSurelyEmpty(service, main)) continue;
      if (this.#isThere(main)) pids.add(main.pid);
      for (const { pid } of await this.left(service, main)) pids.add(pid);
    }
    return [...pids];
  }

  close(): void {
    for (const one of this.#later) clearImmediate(one);
    for (const ending of [...this.#endings.values()]) this.#drop(ending);
  }

  #isSurelyEmpty(service: ServiceName, process: ProcessRef): boolean {
    const { groups, features, generations } = this.#parts;
    if (!isGroupEmpty(process.pid) || generations.relatives(service, process).length > 1) return false;
    // Who has left the process group is still in the control group; without one it has come to us as an orphan.
    if (features.cgroup === 'yes' && groups.isPlaced(service, process))
      return groups.members(service, process).length === 0;
    if (features.subreaper === 'no' || !generations.isOwn(service, process)) return false;
    return this.#descendants(service, process).length === 0;
  }

  #startRound(ending: Ending, what: 'signal' | 'look'): void {
    this.#round(ending, what).catch((error: unknown) => {
      this.#parts.report(`what ${ending.service} left behind could not be ended`, error);
      if (this.#isUnderWay(ending)) this.#lookLater(ending);
    });
  }

  async #round(ending: Ending, what: 'signal' | 'look'): Promise<void> {
    const members = await this.left(ending.service, ending.process);
    if (!this.#isUnderWay(ending)) return;
    if (members.length === 0) {
      await ending.killed;
      if (!this.#isUnderWay(ending)) return;
      this.#drop(ending);
      this.#parts.onEmptied(ending.service, ending.process);
      return;
    }
    for (const member of members) {
      const isNew = !ending.awaited.has(member.pid);
      if (what === 'signal' || isNew) this.#signal(member, ending.signal);
      if (isNew) this.#await(ending, member);
    }
    this.#lookLater(ending);
  }

  #isUnderWay(ending: Ending): boolean {
    return this.#endings.get(keyOf(ending.service, ending.process)) === ending;
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

  #await(ending: Ending, member: ProcessRef): void {
    const onExit = (): void => {
      ending.awaited.delete(member.pid);
      if (ending.awaited.size === 0 && this.#isUnderWay(ending)) this.#startRound(ending, 'look');
    };
    try {
      if (this.#parts.exits.follow(restOf(ending.service), member, onExit) === 'following')
        ending.awaited.set(member.pid, member);
    } catch (error) {
      if (!(error instanceof SystemCallFailure)) throw error; // no descriptors: found gone at the next look
    }
  }

  #lookLater(ending: Ending): void {
    if (ending.timer !== null) clearTimeout(ending.timer);
    ending.timer = setTimeout(() => {
      ending.timer = null;
      this.#startRound(ending, 'look');
    }, ending.pause);
    ending.pause = Math.min(ending.pause * 2, LAST_LOOK);
  }

  #drop(ending: Ending): void {
    const { service, process, timer, awaited } = ending;
    if (timer !== null) clearTimeout(timer);
    for (const member of awaited.values()) this.#parts.exits.unfollow(restOf(service), member);
    this.#endings.delete(keyOf(service, process));
  }

  /** Verified living members of its generation, the main process not among them. */
  async left(service: ServiceName, main: ProcessRef): Promise<readonly ProcessRef[]> {
    const { groups, generations } = this.#parts;
    const members = new Map<number, ProcessRef>();
    // One that another of its generation was born of left what is around to that one.
    for (const one of generations.relatives(service, main))
      for (const relative of await this.#around(service, one)) members.set(relative.pid, relative);
    const named = this.#name(groups.members(service, main));
    // Still in the group after it was named: so the name is that of a member.
    const still = new Set(named.length === 0 ? [] : groups.members(service, main));
    for (const member of named) if (still.has(member.pid)) members.set(member.pid, member);
    members.delete(main.pid);
    members.delete(process.pid);
    return [...members.values()].filter((member) => this.#isThere(member));
  }

  async #around(service: ServiceName, main: ProcessRef): Promise<readonly ProcessRef[]> {
    const isComplete = this.#parts.features.subreaper === 'yes' && this.#parts.generations.isOwn(service, main);
    return isComplete ? this.#descendants(service, main) : await sessionOf(main);
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
    const { generations, exits } = this.#parts;
    return descendantsOf(main, kinOf(service, generations.generationOf(service, main), exits));
  }
}

const keyOf = (service: ServiceName, { pid, startTicks }: ProcessRef): string => `${service} ${pid}.${startTicks}`;
