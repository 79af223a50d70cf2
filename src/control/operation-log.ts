// The asks that were accepted and what came of them: for `?wait=` and GET /v1/operations/ID. Bounded; forgets the oldest.

import type { Change } from '../core/change.js';
import type { Verb } from '../core/event.js';
import { type Progress, progressOf } from '../core/operation.js';
import type { ServiceSet } from '../core/state.js';
import type { Sink } from '../keeper/ports.js';

export interface Operation {
  readonly id: string;
  readonly service: string;
  readonly verb: Verb;
  readonly progress: Progress;
}

interface Entry {
  readonly id: string;
  readonly service: string;
  readonly verb: Verb;
  readonly changes: Change[];
  progress: Progress;
  readonly waiters: Set<(operation: Operation) => void>;
}

/** More unfinished operations than this at once are nobody's honest wish. */
const kept = 1000;

export class OperationLog implements Sink {
  readonly #entries = new Map<string, Entry>();
  #last = 0;

  /** Begins to follow an ask that is about to be posted. */
  open(service: string, verb: Verb): string {
    this.#last += 1;
    const id = String(this.#last);
    this.#entries.set(id, {
      id,
      service,
      verb,
      changes: [],
      progress: { type: 'pending', text: 'asked' },
      waiters: new Set(),
    });
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= kept) break;
      this.#settle(entry, { type: 'failed', text: 'forgotten: too many operations at once' });
      this.#entries.delete(oldest);
    }
    return id;
  }

  /** After the ask was taken: what needed no change is done already. */
  check(id: string, set: ServiceSet): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#judge(entry, set);
  }

  get(id: string): Operation | null {
    const entry = this.#entries.get(id);
    return entry === undefined ? null : viewOf(entry);
  }

  /** Calls back once, when it is no longer pending (at once if so already); returns how to stop waiting. */
  whenSettled(id: string, callback: (operation: Operation) => void): () => void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return () => {};
    if (entry.progress.type !== 'pending') {
      callback(viewOf(entry));
      return () => {};
    }
    entry.waiters.add(callback);
    return () => entry.waiters.delete(callback);
  }

  tell(changes: readonly Change[], set: ServiceSet): void {
    for (const entry of this.#entries.values()) {
      if (entry.progress.type !== 'pending') continue;
      const mine = changes.filter((change) => change.service === entry.service);
      if (mine.length === 0) continue;
      entry.changes.push(...mine);
      this.#judge(entry, set);
    }
  }

  #judge(entry: Entry, set: ServiceSet): void {
    if (entry.progress.type !== 'pending') return;
    const progress = progressOf(entry.verb, entry.changes, set.get(entry.service) ?? null);
    if (progress.type === 'pending') entry.progress = progress;
    else this.#settle(entry, progress);
  }

  #settle(entry: Entry, progress: Progress): void {
    entry.progress = progress;
    const view = viewOf(entry);
    for (const waiter of entry.waiters) waiter(view);
    entry.waiters.clear();
  }
}

function viewOf({ id, service, verb, progress }: Entry): Operation {
  return { id, service, verb, progress };
}
