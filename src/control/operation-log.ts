// The asks that were accepted and what came of them: for `?wait=` and GET /v1/operations/ID. Bounded; forgets the oldest.

import type { Change } from '../core/change.js';
import type { Verb } from '../core/event.js';
import { type Progress, progressOf } from '../core/operation.js';
import type { Outlook } from '../core/outlook.js';
import type { ServiceSet } from '../core/state.js';
import type { Now } from '../core/time.js';
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

export interface OperationParts {
  readonly now: () => Now;
  readonly outlook: () => Outlook;
}

/** More unfinished operations than this at once are nobody's honest wish. */
const kept = 10_000;

export class OperationLog implements Sink {
  readonly #entries = new Map<string, Entry>();
  /** Those that are not settled: every change is held against them. */
  readonly #open = new Set<Entry>();
  readonly #parts: OperationParts;
  #last = 0;

  constructor(parts: OperationParts) {
    this.#parts = parts;
  }

  /** Begins to follow an ask that is about to be posted. */
  open(service: string, verb: Verb): string {
    this.#last += 1;
    const id = String(this.#last);
    const opened: Entry = {
      id,
      service,
      verb,
      changes: [],
      progress: { type: 'pending', text: 'asked' },
      waiters: new Set(),
    };
    this.#entries.set(id, opened);
    this.#open.add(opened);
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
    if (entry !== undefined) this.#judge(entry, set, this.#parts.outlook());
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
    const outlook = this.#parts.outlook();
    const strands = changes.some(mayStrand);
    for (const entry of this.#open) {
      const mine = changes.filter((change) => change.service === entry.service);
      // One that waits hears from others that there is nothing to wait for any more.
      if (mine.length === 0 && !(strands && set.get(entry.service)?.state.name === 'waiting')) continue;
      entry.changes.push(...mine);
      this.#judge(entry, set, outlook);
    }
  }

  #judge(entry: Entry, set: ServiceSet, outlook: Outlook): void {
    if (entry.progress.type !== 'pending') return;
    const service = set.get(entry.service) ?? null;
    const progress = progressOf(entry.verb, entry.changes, service, this.#parts.now(), outlook);
    if (progress.type === 'pending') entry.progress = progress;
    else this.#settle(entry, progress);
  }

  #settle(entry: Entry, progress: Progress): void {
    this.#open.delete(entry);
    entry.progress = progress;
    const view = viewOf(entry);
    for (const waiter of entry.waiters) waiter(view);
    entry.waiters.clear();
  }
}

/** May those that wait for this one have to wait for a person from now on? Starts that go well never ask for more. */
function mayStrand({ to, what }: Change): boolean {
  if (what.type === 'asked') return what.verb === 'hold' || what.verb === 'stop';
  return what.type === 'stuck' || to === 'failed' || to === 'stopped' || to === 'skipped' || to === 'unknown';
}

function viewOf({ id, service, verb, progress }: Entry): Operation {
  return { id, service, verb, progress };
}
