// The chronicle: what happened, from the step that did it to the disk. Numbers the changes for the journal, waits a moment for
// the last lines that a dead service printed, hands the entries on in order, and tells the journal which of them are safe. A
// sink: it neither blocks nor throws. It must not know what the history and the notices make of an entry.

import { createHash } from 'node:crypto';
import { aboutOf } from '../core/about.js';
import type { Change } from '../core/change.js';
import type { Entry, KeeperNews, News } from '../core/entry.js';
import { isEnd } from '../core/post-mortem-of.js';
import type { Service, ServiceSet } from '../core/state.js';
import type { Now } from '../core/time.js';
import type { Sink } from '../keeper/ports.js';

export interface ChronicleParts {
  /** Unique for a journal; its name is made of it, and does not give it away. */
  readonly token: string;
  readonly last: number;
  readonly now: () => Now;
  readonly services: () => ServiceSet;
  /** Services that are down only because they need this one. */
  readonly heldBackBy: (name: string) => readonly string[];
  /** Asks for the last lines that it has printed until now; calls back once, soon, with null where they could not be read. */
  readonly lastLines: (service: Service, callback: (lines: readonly string[] | null) => void) => void;
  /** The entries that are complete, oldest first. */
  readonly pass: (entries: readonly Entry[]) => void;
  /** All entries of this journal up to this number are on disk where they belong. */
  readonly told: (number: number) => void;
}

/** How long an entry waits for the output: the thread of the disk may only just begin, and a log disk that hangs must not hold what people are to be told. */
const outputPatience = 2000;

interface Waiting {
  entry: Entry;
  ready: 'yes' | 'no';
}

export class Chronicle implements Sink {
  readonly #parts: ChronicleParts;
  readonly #origin: string;
  readonly #queue: Waiting[] = [];
  #last: number;
  /** What is numbered after it may not be recorded yet. */
  #recorded: number;
  #life: 'open' | 'closed' = 'open';

  constructor(parts: ChronicleParts) {
    this.#parts = parts;
    this.#origin = createHash('sha256').update(parts.token).digest('hex').slice(0, 12);
    this.#last = parts.last;
    this.#recorded = parts.last;
  }

  /** What an earlier keeper recorded and could not tell. */
  takeUp(entries: readonly Entry[]): void {
    for (const entry of entries) this.#queue.push({ entry, ready: 'yes' });
    this.#pass();
  }

  /** The entries for what one step has changed, for the journal. `services`: those that changed, as they are now. */
  number(services: readonly Service[], changes: readonly Change[]): readonly Entry[] {
    const moved = new Map<string, Service>(services.map((service) => [service.spec.name, service]));
    return changes.map((change) => {
      const service = moved.get(change.service) ?? this.#parts.services().get(change.service) ?? null;
      const heldBack = isTrouble(change) ? this.#parts.heldBackBy(change.service) : [];
      const news: News = { of: 'service', change, about: aboutOf(change, service, heldBack, this.#parts.now()) };
      const waiting = this.#add(news);
      if (service !== null && isEnd(waiting.entry)) this.#askForOutput(service, waiting);
      return waiting.entry;
    });
  }

  /** The entry for what happened to the keeper itself; passed on with the next `tell`. */
  note(what: KeeperNews): Entry {
    return this.#add({ of: 'keeper', what }).entry;
  }

  /** Whatever was numbered is recorded by now. */
  tell(): void {
    this.#recorded = this.#last;
    this.#pass();
  }

  /** These are on disk where they belong. Those of a journal of another boot are in no journal any more. */
  confirm(entries: readonly Entry[]): void {
    const last = entries.findLast(({ origin }) => origin === this.#origin);
    if (last !== undefined) this.#parts.told(last.number);
  }

  /** What still waits for output goes on without it. */
  close(): void {
    for (const waiting of this.#queue) waiting.ready = 'yes';
    this.#pass();
    this.#life = 'closed';
  }

  #add(news: News): Waiting {
    this.#last += 1;
    const { wall, instant } = this.#parts.now();
    const entry: Entry = { origin: this.#origin, number: this.#last, time: wall, at: instant, news, output: null };
    const waiting: Waiting = { entry, ready: 'yes' };
    this.#queue.push(waiting);
    return waiting;
  }

  #askForOutput(service: Service, waiting: Waiting): void {
    waiting.ready = 'no';
    const done = (output: readonly string[] | null): void => {
      clearTimeout(timer);
      if (waiting.ready === 'yes') return;
      waiting.entry = { ...waiting.entry, output };
      waiting.ready = 'yes';
      this.#pass();
    };
    const timer = setTimeout(() => done(null), outputPatience);
    this.#parts.lastLines(service, done);
  }

  #pass(): void {
    if (this.#life === 'closed') return;
    const isComplete = ({ entry, ready }: Waiting): boolean => ready === 'yes' && entry.number <= this.#recorded;
    const waits = this.#queue.findIndex((waiting) => !isComplete(waiting) && waiting.entry.origin === this.#origin);
    const complete = this.#queue.splice(0, waits === -1 ? this.#queue.length : waits);
    if (complete.length > 0) this.#parts.pass(complete.map(({ entry }) => entry));
  }
}

/** Something that may last: who waits for its end is worth knowing. */
function isTrouble({ what }: Change): boolean {
  return what.type === 'died' || what.type === 'startFailed' || what.type === 'failed';
}
