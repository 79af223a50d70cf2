// One service as the journal keeps it: everything but its definition, which stands in the applied configuration. Only
// while a new definition, or none, waits for the old process to end does the old one, by whose rules it is stopped, go along.

import type { ServiceSpec } from '../core/spec.js';
import type { Service } from '../core/state.js';

export interface Snapshot {
  readonly name: string;
  /** The definition that its process was started with, where a newer one is applied already, or none is any more. */
  readonly oldSpec: ServiceSpec | null;
  readonly service: Omit<Service, 'spec' | 'next'>;
}

export function snapshotOf(service: Service): Snapshot {
  const { spec, next, ...rest } = service;
  return { name: spec.name, oldSpec: next === null && service.fate === 'stays' ? null : spec, service: rest };
}

/** The service again, under the definition that is applied now. */
export function restore({ oldSpec, service }: Snapshot, spec: ServiceSpec): Service {
  return oldSpec === null || service.fate !== 'stays'
    ? { ...service, spec, next: null }
    : { ...service, spec: oldSpec, next: spec };
}
