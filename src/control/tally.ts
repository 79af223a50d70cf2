// How often things happened to each service that no status remembers, since this keeper began: for the counters of /metrics, which
// may begin anew with a keeper. Bounded by the services that there are.

import type { Change, What } from '../core/change.js';
import type { ServiceSet } from '../core/state.js';
import type { Sink } from '../keeper/ports.js';

export type Counted = 'committed' | 'refused' | 'missed';

export type Counts = Readonly<Record<Counted, number>>;

const none: Counts = { committed: 0, refused: 0, missed: 0 };

export class Tally implements Sink {
  readonly #counts = new Map<string, Counts>();

  of(service: string): Counts {
    return this.#counts.get(service) ?? none;
  }

  tell(changes: readonly Change[], set: ServiceSet): void {
    for (const { service, what } of changes) {
      const counted = countedIn(what);
      if (counted === null) continue;
      const before = this.of(service);
      this.#counts.set(service, { ...before, [counted]: before[counted] + 1 });
    }
    for (const name of this.#counts.keys()) if (!set.has(name)) this.#counts.delete(name);
  }
}

function countedIn({ type }: What): Counted | null {
  if (type === 'committed') return 'committed';
  if (type === 'handoverRefused') return 'refused';
  return type === 'watchdogMissed' ? 'missed' : null;
}
