// Whether the machine was suspended lately: the clock that counts sleep against the one that does not. Nobody is told of a
// sleep, so whoever owns this looks now and then; in between nothing happens. It must not know what a sleep means.

import type { Sleep } from '../core/process.js';
import { bootSeconds } from './boot-clock.js';

/** The two clocks are read one after the other, and a suspend that fails takes some milliseconds. */
const SHORTEST = 1000;
/** What came later has nothing to do with it. */
const LATEST = 60_000;

const awakeNow = (): number => Number(process.hrtime.bigint()) / 1e6;
/** Since the machine started, in ms. */
const sleptNow = (): number => bootSeconds() * 1000 - awakeNow();

export class Sleeps {
  readonly #awake: () => number;
  readonly #slept: () => number;
  #known: number;
  #looked: number;
  #last: { readonly length: number; readonly after: number } | null = null;

  constructor(awake: () => number = awakeNow, slept: () => number = sleptNow) {
    this.#awake = awake;
    this.#slept = slept;
    this.#known = slept();
    this.#looked = awake();
  }

  /** All sleep since the machine started, in ms. */
  get total(): number {
    return this.#slept();
  }

  look(): void {
    const slept = this.#slept();
    const length = slept - this.#known;
    // It woke up some time after the last look: the time since then is the most that it can be awake.
    if (length >= SHORTEST) this.#last = { length, after: this.#looked };
    this.#known = slept;
    this.#looked = this.#awake();
  }

  /** The last one, if it is not long over. */
  recent(): Sleep | null {
    this.look();
    if (this.#last === null) return null;
    const ago = this.#awake() - this.#last.after;
    return ago > LATEST ? null : { length: this.#last.length, ago };
  }
}
