// What is wrong with what a service says, for the keeper's log: some lines of each in a while, and then how many there were.
// Everybody on the host can speak at the socket of a service, as often and as wrongly as he likes.

import type { Level } from '../core/message.js';
import type { ServiceName } from '../core/spec.js';

/** So many lines of one service within this time, in ms. */
const most = 5;
const span = 60_000;

interface Told {
  readonly since: number;
  count: number;
}

export class Complaints {
  readonly #say: (level: Level, text: string) => void;
  readonly #now: () => number;
  readonly #told = new Map<ServiceName, Told>();

  /** `now`: in ms, on a clock that nobody sets. */
  constructor(say: (level: Level, text: string) => void, now: () => number) {
    this.#say = say;
    this.#now = now;
  }

  about(service: ServiceName, text: string): void {
    const told = this.#toldOf(service);
    told.count += 1;
    if (told.count < most) this.#say('warning', `${service}: ${text}`);
    if (told.count === most) this.#say('warning', `${service}: ${text}; more like this is not shown for a minute`);
  }

  release(service: ServiceName): void {
    this.#told.delete(service);
  }

  #toldOf(service: ServiceName): Told {
    const now = this.#now();
    const before = this.#told.get(service);
    if (before !== undefined && now - before.since < span) return before;
    const left = before === undefined ? 0 : before.count - most;
    if (left > 0) this.#say('warning', `${service}: ${left} more complaints like these were not shown`);
    const told = { since: now, count: 0 };
    this.#told.set(service, told);
    return told;
  }
}
