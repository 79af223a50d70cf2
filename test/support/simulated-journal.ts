// A journal in memory that outlives the keepers of a simulation. Everything goes through JSON, as on a disk:
// what does not survive that does not survive the keeper.

import { aboutOf } from '../../src/core/about.js';
import type { Change } from '../../src/core/change.js';
import type { Entry } from '../../src/core/entry.js';
import type { ServiceName } from '../../src/core/spec.js';
import type { Service } from '../../src/core/state.js';
import { instant, type Now, wallTime } from '../../src/core/time.js';
import type { Journal } from '../../src/keeper/ports.js';

export class SimulatedJournal implements Journal {
  readonly #records = new Map<string, string>();
  /** Read once for each record: a simulation asks for them before every effect. */
  readonly #parsed = new Map<string, { readonly text: string; readonly service: Service }>();

  /** What happened, numbered in the same write. */
  readonly entries: Entry[] = [];
  /** Set by the stage: who is down on account of this service. */
  heldBackBy: (name: string) => readonly string[] = () => [];
  now: () => Pick<Now, 'instant' | 'wall'> = () => ({ instant: instant(0), wall: wallTime(0) });

  record(services: readonly Service[], removed: readonly ServiceName[], changes: readonly Change[]): void {
    for (const service of services) this.#records.set(service.spec.name, JSON.stringify(service));
    for (const name of removed) this.#records.delete(name);
    for (const change of changes) this.#note(change);
  }

  /** A line of the chronicle: about a service, or about the keeper. */
  note(news: Entry['news']): void {
    const { instant: at, wall: time } = this.now();
    const entry: Entry = { origin: 'f00d', number: this.entries.length + 1, time, at, news, output: null };
    this.entries.push(JSON.parse(JSON.stringify(entry)) as Entry);
  }

  #note(change: Change): void {
    const about = aboutOf(change, this.of(change.service), this.heldBackBy(change.service), {
      ...this.now(),
      random: 0,
    });
    this.note({ of: 'service', change, about });
  }

  /** What a new keeper finds. */
  load(): readonly Service[] {
    return [...this.#records.values()].map((text) => JSON.parse(text) as Service);
  }

  /** What is on record of one service; null: nothing. */
  of(name: string): Service | null {
    const text = this.#records.get(name);
    if (text === undefined) return null;
    const known = this.#parsed.get(name);
    if (known?.text === text) return known.service;
    const service = JSON.parse(text) as Service;
    this.#parsed.set(name, { text, service });
    return service;
  }
}
