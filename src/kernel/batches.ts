// Descriptors that came with a message, until somebody claims them: in the same turn, or they are closed. It must not know
// what they are.

import { closeForeign } from './close-foreign.js';

/** More at once are not taken in: what one service sends must not be all that the keeper has. */
const MOST_WAITING = 253;

export class Batches {
  readonly #waiting = new Map<number, readonly number[]>();
  #last = 0;

  /** A number for them, by which they can be claimed until this turn of the loop is over. */
  add(descriptors: readonly number[]): number {
    if (this.#waiting.size === 0) setImmediate(() => this.close());
    this.#last += 1;
    this.#waiting.set(this.#last, descriptors);
    return this.#last;
  }

  /** They are the caller's from now on; empty: nobody's any more. */
  claim(batch: number): readonly number[] {
    const descriptors = this.#waiting.get(batch) ?? [];
    this.#waiting.delete(batch);
    return descriptors;
  }

  /** May another message be taken, which may bring as many as the kernel allows? */
  get hasRoom(): boolean {
    let waiting = 0;
    for (const descriptors of this.#waiting.values()) waiting += descriptors.length;
    return waiting < MOST_WAITING;
  }

  /** Those that nobody has claimed. */
  close(): void {
    for (const descriptors of this.#waiting.values()) for (const fd of descriptors) closeForeign(fd);
    this.#waiting.clear();
  }
}
