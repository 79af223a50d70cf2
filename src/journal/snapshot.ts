// One service as the journal keeps it. Definitions stand in lines of their own, written once, and are named by number: the
// journal says whole what a service was, whatever configuration is applied by then, and a record stays short.

import type { ServiceSpec } from '../core/spec.js';
import type { Service } from '../core/state.js';

/** As it was found. */
export interface Snapshot {
  readonly name: string;
  /** null: its line is damaged. */
  readonly spec: ServiceSpec | null;
  readonly next: ServiceSpec | null;
  /** The tick count, on the clock of `startTicks`, when this generation was recorded first: no process of it is older. */
  readonly begun: number;
  readonly service: Omit<Service, 'spec' | 'next'>;
}

/** As it is written: `spec` and `next` are numbers of definitions, 0 for one that is lost. */
export interface SnapshotLine {
  readonly name: string;
  readonly spec: number;
  readonly next: number | null;
  readonly begun: number;
  readonly service: Snapshot['service'];
}

/** The service again, as it was; under `fallback` where its own definition is lost. null: there is none. */
export function restore({ spec, next, service }: Snapshot, fallback: ServiceSpec | null): Service | null {
  const known = spec ?? fallback;
  return known === null ? null : { ...service, spec: known, next };
}
