// Which service must be woken next: a binary heap of (instant, service) with lazy deletion, so that setting a deadline
// costs the logarithm of the services that have one, not a walk over all of them.

import type { Instant } from '../core/time.js';

interface Entry {
  readonly at: Instant;
  readonly name: string;
}

export class Wakeups {
  readonly #heap: Entry[] = [];
  readonly #current = new Map<string, Instant>();

  /** Wakes the service at this instant instead of any earlier wish; null: not at all. */
  set(name: string, at: Instant | null): void {
    if (this.#current.get(name) === (at ?? undefined)) return;
    if (at === null) {
      this.#current.delete(name);
      return;
    }
    this.#current.set(name, at);
    this.#push({ at, name });
    if (this.#heap.length > 64 && this.#heap.length > 4 * this.#current.size) this.#rebuild();
  }

  /** The earliest wish, or null. */
  next(): Instant | null {
    this.#dropStale();
    return this.#heap[0]?.at ?? null;
  }

  /** Takes out every service that is due at `now`, earliest first. */
  takeDue(now: Instant): readonly string[] {
    const due: string[] = [];
    for (;;) {
      this.#dropStale();
      const first = this.#heap[0];
      if (first === undefined || first.at > now) return due;
      this.#pop();
      this.#current.delete(first.name);
      due.push(first.name);
    }
  }

  #dropStale(): void {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#current.get(first.name) === first.at) return;
      this.#pop();
    }
  }

  #rebuild(): void {
    this.#heap.length = 0;
    for (const [name, at] of this.#current) this.#push({ at, name });
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.at <= entry.at) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      let below = heap[child];
      if (below === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && right.at < below.at) {
        child += 1;
        below = right;
      }
      if (last.at <= below.at) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = last;
  }
}
