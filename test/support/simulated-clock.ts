// The clock of the simulation, fed by hand: both times of `Clock`, its one wake-up, and an agenda on which the
// simulated host does what it does later. Knows nothing of services. Nothing here looks at the real time.

import { type Instant, instant, type Now, wallTime } from '../../src/core/time.js';
import type { Clock } from '../../src/keeper/ports.js';

interface Task {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

// A keeper that wakes for nothing at one instant for ever would hang the test: told instead.
const SPIN_LIMIT = 2000;

export class SimulatedClock implements Clock {
  #instant = 1_000_000;
  /** What the wall clock said when the other one began. */
  #begun = Date.UTC(2026, 10, 20, 10) - 1_000_000;
  #order = 0;
  #agenda: Task[] = [];
  #wake: { readonly at: Instant; readonly callback: () => void } | null = null;
  readonly #random: () => number;
  /** Called after everything that was done at its instant. */
  afterEach: () => void = () => {};

  constructor(random: () => number = () => 0.5) {
    this.#random = random;
  }

  now(): Now {
    return { instant: instant(this.#instant), wall: wallTime(this.wall), random: this.#random() };
  }

  /** The instant alone: reading it does not use up randomness. */
  get instant(): number {
    return this.#instant;
  }

  /** Whole milliseconds, as Date.now() has them: a rest of one is a wait, and never too short to get on. */
  get wall(): number {
    return Math.floor(this.#begun + this.#instant);
  }

  wakeAt(at: Instant | null, callback: () => void): void {
    this.#wake = at === null ? null : { at, callback };
  }

  /** When the keeper asked to be woken. */
  get wake(): Instant | null {
    return this.#wake?.at ?? null;
  }

  /** The keeper that set it is dead. */
  forgetWake(): void {
    this.#wake = null;
  }

  /** Put something on the agenda; the answer takes it off again. */
  after(length: number, run: () => void): () => void {
    const task: Task = { at: this.#instant + Math.max(0, length), order: this.#order++, run };
    this.#agenda.push(task);
    return () => {
      this.#agenda = this.#agenda.filter((other) => other !== task);
    };
  }

  /** Lets this much time pass; whatever falls due on the way is done at its instant, the wake-up included. */
  advance(length: number, wakes: 'as asked' | 'nobody wakes' = 'as asked'): void {
    const end = this.#instant + length;
    let spins = 0;
    for (;;) {
      const task = this.#nextTask();
      const wake = wakes === 'as asked' ? this.#wake : null;
      const wakeDue = wake !== null && wake.at <= end && (task === null || task.at > end || wake.at < task.at);
      const at = wakeDue ? wake.at : task !== null && task.at <= end ? task.at : null;
      if (at === null) break;
      spins = at <= this.#instant ? spins + 1 : 0;
      if (spins > SPIN_LIMIT) throw new Error(`${SPIN_LIMIT} things in a row at one instant: somebody spins`);
      this.#pass(Math.max(at, this.#instant));
      if (wakeDue) {
        this.#wake = null;
        wake.callback();
      } else if (task !== null) {
        this.#agenda = this.#agenda.filter((other) => other !== task);
        task.run();
      }
      this.afterEach();
    }
    this.#pass(end);
  }

  /** Everybody stands still this long while time goes on: a loop that was held, a host that was paused. */
  stall(length: number): void {
    this.#pass(this.#instant + length);
  }

  /** Somebody set the host's clock. */
  jumpWall(length: number): void {
    this.#begun += length;
  }

  /** The host was down: a new boot, monotonic time begins anew. */
  reboot(length: number): void {
    this.#begun = this.wall + length - 10_000;
    this.#instant = 10_000;
    this.#agenda = [];
    this.#wake = null;
  }

  #pass(to: number): void {
    this.#instant = to;
  }

  #nextTask(): Task | null {
    let first: Task | null = null;
    for (const task of this.#agenda) {
      if (first === null || task.at < first.at || (task.at === first.at && task.order < first.order)) first = task;
    }
    return first;
  }
}
