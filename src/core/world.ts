// What a step reads: all services, who depends on whom, and who holds one of the places of those that start at once. The
// keeper keeps it; a step tells what changes in it.

import { couplingOf, type Dependents, dependentsIn, type Links, relink } from './graph.js';
import type { Service, ServiceSet } from './state.js';

export interface World {
  readonly services: ServiceSet;
  readonly links: Links;
  /** Services that hold a place, see `holdsPlace`. */
  readonly starting: ReadonlySet<string>;
  /** Services that could start, had they a place; the one that has waited longest first. */
  readonly queued: ReadonlySet<string>;
  /** How many may start at once (`keeper.limits.parallel`). */
  readonly parallel: number;
}

/** One service among others, as those see it who ask for its neighbours. */
export interface View {
  get(name: string): Service | undefined;
  dependentsOf(name: string): Dependents;
}

export const viewOf = ({ services, links }: Pick<World, 'services' | 'links'>): View => ({
  get: (name) => services.get(name),
  dependentsOf: (name) => dependentsIn(links, name),
});

/** Does its start keep others waiting? One that only has to live for a while does not, nor one that may take for ever. */
export function holdsPlace({ state, spec }: Service): boolean {
  if (state.name !== 'starting') return false;
  switch (state.phase) {
    case 'condition':
    case 'before':
    case 'launching':
    case 'after':
      return state.helper === null || state.deadline !== null;
    case 'preparing':
    case 'finding':
      return true;
    case 'readying':
      return spec.ready.probe.type !== 'alive' && spec.ready.timeout !== null;
    case 'working':
      return false;
  }
}

/** A world of these services alone, in which nobody waits for a place. */
export function worldOf(services: ServiceSet, parallel = 10): World {
  const links = new Map<string, Dependents>();
  const starting = new Set<string>();
  for (const service of services.values()) {
    for (const [name, dependents] of relink(links, service.spec.name, null, couplingOf(service)))
      links.set(name, dependents);
    if (holdsPlace(service)) starting.add(service.spec.name);
  }
  return { services, links, starting, queued: new Set(), parallel };
}
