// What is left when a main process has ended: the members of its session and of its service's control group. Ends them
// where that is wished, and says when nobody is left. On the way from a death to the next start this is asked first, so the
// common answer, nobody, costs one system call and one small read.

import { readdirSync } from 'node:fs';
import { isSameProcess, type ProcessRef, type SignalName } from '../core/process.js';
import type { Leftovers, ServiceName } from '../core/spec.js';
import type { Exits } from './exits.js';
import type { Features } from './features.js';
import type { Groups } from './groups.js';
import { identify, isDead, readStat } from './identity.js';
import { hasVariable, ownChildren } from './processes-of.js';
import { isGroupEmpty, signalProcess } from './signals.js';
import { close, SystemCallFailure } from './syscalls.js';

export interface RestParts {
  readonly exits: Exits;
  readonly groups: Groups;
  readonly features: Features;
  readonly onEmptied: (service: ServiceName, process: ProcessRef) => void;
}

interface Ending {
  readonly process: ProcessRef;
  signal: SignalName;
  readonly waitedFor: Map<number, ProcessRef>;
  timer: NodeJS.Timeout | null;
}

// Somebody may be forked between our look and our signal: after the last known end we look again; and where the kernel
// tells of no end (a zombie that nobody reaps), this often.
const LOOK_AGAIN = 50;

export class Rests {
  readonly #parts: RestParts;
  readonly #endings = new Map<ServiceName, Ending>();

  constructor(parts: RestParts) {
    this.#parts = parts;
  }

  /** Answers through `onEmptied`, at once if nobody is left. `leave` ends nobody and counts as empty. */
  end(service: ServiceName, process: ProcessRef, signal: SignalName, policy: Leftovers): void {
    const before = this.#endings.get(service);
    if (before?.timer != null) clearTimeout(before.timer);
    if (policy === 'leave' || this.#isSurelyEmpty(service, process)) {
      this.#done(service, process);
      return;
    }
    const same = before !== undefined && isSameProcess(before.process, process);
    const ending: Ending = same ? before : { process, signal, waitedFor: new Map(), timer: null };
    ending.signal = signal;
    this.#endings.set(service, ending);
    if (signal === 'SIGKILL') this.#parts.groups.kill(service);
    this.#round(service, ending, 'signal');
  }

  close(): void {
    for (const { timer } of this.#endings.values()) if (timer !== null) clearTimeout(timer);
    this.#endings.clear();
  }

  #isSurelyEmpty(service: ServiceName, process: ProcessRef): boolean {
    if (!isGroupEmpty(process.pid)) return false;
    const { groups, features } = this.#parts;
    // Who has left the group of processes is still in the control group; without one he has come to us as an orphan.
    if (features.cgroup === 'yes' && groups.isPlaced(service, process)) return groups.members(service).length === 0;
    return this.#orphans(service).length === 0;
  }

  #round(service: ServiceName, ending: Ending, what: 'signal' | 'look'): void {
    const members = this.#members(service, ending.process);
    if (members.length === 0) {
      this.#done(service, ending.process);
      return;
    }
    for (const member of members) {
      const isNew = !ending.waitedFor.has(member.pid);
      if (what === 'signal' || isNew) this.#signal(member, ending.signal);
      if (isNew) this.#waitFor(service, ending, member);
    }
    this.#lookLater(service, ending, LOOK_AGAIN);
  }

  #signal(member: ProcessRef, signal: SignalName): void {
    try {
      signalProcess(member, signal, this.#parts.features);
      // A stopped process hears SIGTERM only when it is woken.
      if (signal !== 'SIGKILL') signalProcess(member, 'SIGCONT', this.#parts.features);
    } catch (error) {
      if (!(error instanceof SystemCallFailure)) throw error;
    }
  }

  #waitFor(service: ServiceName, ending: Ending, member: ProcessRef): void {
    ending.waitedFor.set(member.pid, member);
    try {
      this.#parts.exits.follow(`rest of ${service}`, member, () => {
        ending.waitedFor.delete(member.pid);
        if (ending.waitedFor.size === 0 && this.#endings.get(service) === ending) this.#round(service, ending, 'look');
      });
    } catch (error) {
      if (!(error instanceof SystemCallFailure)) throw error;
    }
  }

  #lookLater(service: ServiceName, ending: Ending, after: number): void {
    if (ending.timer !== null) clearTimeout(ending.timer);
    ending.timer = setTimeout(() => {
      ending.timer = null;
      if (this.#endings.get(service) === ending) {
        const members = this.#members(service, ending.process);
        if (members.length === 0) this.#done(service, ending.process);
        else this.#lookLater(service, ending, Math.min(after * 2, 1000));
      }
    }, after);
  }

  #done(service: ServiceName, process: ProcessRef): void {
    const ending = this.#endings.get(service);
    if (ending !== undefined) {
      if (ending.timer !== null) clearTimeout(ending.timer);
      for (const member of ending.waitedFor.values()) this.#parts.exits.unfollow(`rest of ${service}`, member);
      this.#endings.delete(service);
    }
    this.#parts.onEmptied(service, process);
  }

  /** Verified members: of the session, of the control group, and orphans that carry the service's name. Zombies are no members. */
  #members(service: ServiceName, main: ProcessRef): readonly ProcessRef[] {
    const pids = new Set<number>([
      ...sessionOf(main),
      ...this.#parts.groups.members(service),
      ...this.#orphans(service),
    ]);
    pids.delete(process.pid);
    pids.delete(main.pid);
    const members: ProcessRef[] = [];
    for (const pid of pids) {
      const found = identify(pid, this.#parts.features);
      if (found === null) continue;
      if (found.pidfd !== null) close(found.pidfd);
      members.push(found.process);
    }
    return members;
  }

  /** Children of ours that nobody follows and that the service has begotten. */
  #orphans(service: ServiceName): readonly number[] {
    const { exits } = this.#parts;
    return ownChildren().filter(
      (pid) => !exits.isFollowed(pid) && isLiving(pid) && hasVariable(pid, 'UPKEEP_SERVICE', service),
    );
  }
}

const isLiving = (pid: number): boolean => {
  const stat = readStat(pid);
  return stat !== null && !isDead(stat);
};

/** A session is inherited and cannot be joined from outside: its number is the pid of who began it, and is not given out anew while it lives. */
function sessionOf(main: ProcessRef): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && pid !== main.pid)
    .filter((pid) => {
      const stat = readStat(pid);
      return stat !== null && !isDead(stat) && stat.session === main.pid && stat.startTicks >= main.startTicks;
    });
}
