// A journal in memory that outlives the keepers of a simulation. Everything goes through JSON, as on a disk:
// what does not survive that does not survive the keeper.

import type { ServiceName } from '../../src/core/spec.js';
import type { Service } from '../../src/core/state.js';
import type { Journal } from '../../src/keeper/ports.js';

export class SimulatedJournal implements Journal {
  readonly #records = new Map<string, string>();

  record(services: readonly Service[], removed: readonly ServiceName[]): void {
    for (const service of services) this.#records.set(service.spec.name, JSON.stringify(service));
    for (const name of removed) this.#records.delete(name);
  }

  /** What a new keeper finds. */
  load(): readonly Service[] {
    return [...this.#records.values()].map((text) => JSON.parse(text) as Service);
  }

  /** What is on record of one service; null: nothing. */
  of(name: string): Service | null {
    const text = this.#records.get(name);
    return text === undefined ? null : (JSON.parse(text) as Service);
  }
}
