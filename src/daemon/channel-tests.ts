// The tests of channels that somebody waits for (`upkeep notice --test`): each is told to one courier, and answered with what
// was said on the way and what came of it. It must not know how a letter gets there.

import type { Delivery } from '../notices/channel.js';

export interface Tested {
  readonly talk: readonly string[];
  readonly delivery: Delivery;
}

/** More than any server says. */
const MOST_TALK = 200;

interface Test {
  readonly id: string;
  readonly channel: string;
  /** When it must have been answered. */
  readonly lateAt: number;
  readonly talk: string[];
  /** Told to the courier that there is. */
  sent: 'yes' | 'no';
  readonly resolve: (tested: Tested) => void;
}

export class ChannelTests {
  readonly #tests = new Map<string, Test>();
  #number = 0;

  get size(): number {
    return this.#tests.size;
  }

  add(channel: string, lateAt: number): Promise<Tested> {
    this.#number += 1;
    const id = `test-${this.#number}`;
    return new Promise((resolve) => {
      this.#tests.set(id, { id, channel, lateAt, talk: [], sent: 'no', resolve });
    });
  }

  /** When the first of them must have been answered; infinity: there is none. */
  lateAt(): number {
    return Math.min(...[...this.#tests.values()].map((test) => test.lateAt));
  }

  /** Those that no courier was told of, which are under way from here on. */
  takeDue(): readonly { readonly id: string; readonly channel: string }[] {
    const due = [...this.#tests.values()].filter(({ sent }) => sent === 'no');
    for (const test of due) test.sent = 'yes';
    return due;
  }

  hear(id: string, line: string): void {
    const talk = this.#tests.get(id)?.talk;
    if (talk !== undefined && talk.length < MOST_TALK) talk.push(line);
  }

  /** The channel that was tested; null: this is the id of no test. */
  settle(id: string, delivery: Delivery): string | null {
    const test = this.#tests.get(id);
    if (test === undefined) return null;
    this.#tests.delete(id);
    test.resolve({ talk: test.talk, delivery });
    return test.channel;
  }

  /** `sent`: only those that a courier was told of. */
  settleAll(which: 'sent' | 'all', delivery: Delivery): void {
    for (const { id, sent } of [...this.#tests.values()])
      if (which === 'all' || sent === 'yes') this.settle(id, delivery);
  }

  /** None is under way any more: all are to be told to the next courier. */
  takeBack(): void {
    for (const test of this.#tests.values()) test.sent = 'no';
  }
}
