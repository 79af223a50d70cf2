// The only mutable state of the program: the set of services. Takes facts one at a time, asks the core, records, performs,
// sets one wake-up, and tells the sinks when nothing is left to do. Knows no policy and no system call.
//
// The order matters and is tested: recorded before performed, so that a keeper which is killed between the two finds in the
// journal what it was about to do; told last, because a line in a log must not stand between a death and its answer.

import type { Change } from '../core/change.js';
import { wakeTime } from '../core/deadline.js';
import type { Event, SingleEvent } from '../core/event.js';
import { serviceName } from '../core/spec.js';
import type { ServiceSet } from '../core/state.js';
import { step } from '../core/step.js';
import { elapsed, type HostPhase, type Instant, later, type Millis, type Moment, millis } from '../core/time.js';
import type { World } from '../core/world.js';
import type { Clock, Journal, Kernel, Report, Sink } from './ports.js';
import { Roster } from './roster.js';
import { Wakeups } from './wakeups.js';

/** A wake-up that comes later than this was held up by more than a busy loop. */
const stallLimit: Millis = millis(1000);
const stallGrace: Millis = millis(250);

export interface KeeperParts {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly sinks: readonly Sink[];
  readonly report: Report;
  /** The phase of the host at the beginning. */
  readonly host: HostPhase;
  /** How many services may start at once. */
  readonly parallel: number;
}

export class Keeper {
  readonly #parts: KeeperParts;
  readonly #roster: Roster;
  readonly #inbox: Event[] = [];
  /** Facts that came at once, while they come. */
  #gathered: SingleEvent[] | null = null;
  readonly #untold: Change[] = [];
  readonly #wakeups = new Wakeups();
  readonly #sinks: Set<Sink>;
  /** The deadline that was met too late and is judged a little later. */
  #pardoned: Instant | null = null;
  #pardonEnds: Instant | null = null;
  #host: HostPhase;
  #steadySince: Instant;
  #doing: 'nothing' | 'a step' | 'closed' = 'nothing';

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#roster = new Roster(parts.parallel);
    this.#host = parts.host;
    this.#steadySince = parts.clock.now().instant;
    this.#sinks = new Set(parts.sinks);
  }

  get services(): ServiceSet {
    return this.#roster.services;
  }

  get world(): World {
    return this.#roster;
  }

  get host(): HostPhase {
    return this.#host;
  }

  /** Takes a fact. Facts that arrive while another is worked on, also those that come of its own effects, wait their turn. */
  readonly post = (event: Event): void => {
    if (this.#doing === 'closed') return;
    if (this.#gathered !== null && event.type !== 'together') {
      this.#gathered.push(event);
      return;
    }
    this.#inbox.push(event);
    if (this.#doing === 'nothing') this.#drain();
  };

  /** Takes the facts that are posted meanwhile as one: which of two that happened at once is heard of first, says nothing. */
  gather(work: () => void): void {
    if (this.#gathered !== null) {
      work();
      return;
    }
    const gathered: SingleEvent[] = [];
    this.#gathered = gathered;
    try {
      work();
    } finally {
      this.#gathered = null;
    }
    const [first, ...others] = gathered;
    if (first !== undefined) this.post(others.length === 0 ? first : { type: 'together', events: gathered });
  }

  /** Tells this sink of all changes from now on; returns how to stop that. */
  subscribe(sink: Sink): () => void {
    this.#sinks.add(sink);
    return () => this.#sinks.delete(sink);
  }

  /** How many services may start at once, from now on. */
  set parallel(count: number) {
    this.#roster.parallel = count;
  }

  /** The host begins to go down, or has finished booting: every service hears of it. */
  turnHost(to: HostPhase): void {
    if (to === this.#host) return;
    this.#host = to;
    const names = [...this.#roster.services.keys()];
    this.post({
      type: 'together',
      events: names.map((name) => ({ type: 'hostTurned', service: serviceName(name), to })),
    });
  }

  /** The loop or the machine has stood still until now: no service is blamed for that time. */
  stoodStill(): void {
    this.#steadySince = this.#parts.clock.now().instant;
  }

  /** Takes no more facts and wakes no more. Touches no process. */
  close(): void {
    this.#doing = 'closed';
    this.#inbox.length = 0;
    this.#parts.clock.wakeAt(null, () => {});
    this.#parts.kernel.close();
  }

  #drain(): void {
    // An index instead of shift(): a storm of a thousand deaths must not cost the square of it.
    for (let i = 0; i < this.#inbox.length; i++) {
      const event = this.#inbox[i];
      if (event === undefined) continue;
      this.#doing = 'a step';
      try {
        this.#take(event);
      } catch (error) {
        // Nothing in the daemon ends it: a surprise is reported, and this one fact dropped.
        if (event.type === 'together' && event.events.length > 1) this.#inbox.push(...event.events);
        this.#parts.report(`a fact was dropped: ${describe(event)}`, error);
      }
      if (this.#isClosed()) return;
    }
    this.#inbox.length = 0;
    this.#doing = 'nothing';
    this.#setAlarm();
    // Whoever is told may post: that begins anew, and tells for itself.
    this.#tell();
  }

  #isClosed(): boolean {
    return this.#doing === 'closed';
  }

  #take(event: Event): void {
    const { clock, journal, kernel, report } = this.#parts;
    const at: Moment = { ...clock.now(), host: this.#host, steadySince: this.#steadySince };
    const outcome = step(this.#roster, event, at);
    this.#roster.take(outcome);
    for (const service of outcome.services) this.#wakeups.set(service.spec.name, wakeTime(service, at));
    for (const name of outcome.removed) this.#wakeups.set(name, null);
    const { services, faint, removed, changes } = outcome;
    const kept = faint.size === 0 ? services : services.filter(({ spec }) => !faint.has(spec.name));
    if (kept.length > 0 || removed.length > 0 || changes.length > 0) journal.record(kept, removed, changes);
    for (const effect of outcome.effects) {
      try {
        kernel.perform(effect);
      } catch (error) {
        report(`an order failed: ${effect.type}`, error);
      }
    }
    this.#untold.push(...outcome.changes);
  }

  /** Once nothing is left to do: a line in a log must not stand between a death and its answer. */
  #tell(): void {
    const changes = this.#untold.splice(0);
    if (changes.length === 0) return;
    for (const sink of this.#sinks) {
      try {
        sink.tell(changes, this.#roster.services);
      } catch (error) {
        this.#parts.report('a sink failed', error);
      }
    }
  }

  readonly #wake = (): void => {
    const now = this.#parts.clock.now();
    // The loop was held, or the host stood still: facts of that time may be on their way behind this timer (libuv runs
    // timers before it polls). Once they get the time to arrive before anything is judged by the clock alone.
    const due = this.#wakeups.next();
    if (due !== null && elapsed(due, now.instant) > stallLimit && this.#pardoned !== due) {
      this.#pardoned = due;
      this.#steadySince = now.instant;
      this.#pardonEnds = later(now.instant, stallGrace);
      this.#parts.clock.wakeAt(this.#pardonEnds, this.#wake);
      return;
    }
    for (const name of this.#wakeups.takeDue(now.instant)) {
      const service = this.#roster.services.get(name);
      if (service === undefined) continue;
      this.post({ type: 'deadlinePassed', service: serviceName(name) });
      // A wake-up for the wall clock, or one a little early, changes nothing: ask again for what is left.
      const after = this.#roster.services.get(name);
      if (after !== undefined) this.#wakeups.set(name, wakeTime(after, this.#parts.clock.now()));
    }
    this.#setAlarm();
  };

  #setAlarm(): void {
    if (this.#isClosed()) return;
    const due = this.#wakeups.next();
    const isPardoned = due !== null && due === this.#pardoned;
    this.#parts.clock.wakeAt(isPardoned ? this.#pardonEnds : due, this.#wake);
  }
}

const describe = (event: Event): string =>
  event.type === 'together' ? `${event.events.length} together` : `${event.type} about ${event.service}`;
