// One move of the machine: the service as it is now, orders for the outside, and what happened.

import type { What } from './change.js';
import type { Effect } from './effect.js';
import type { Service, ServiceState } from './state.js';

export interface Move {
  readonly service: Service;
  readonly effects: readonly Effect[];
  readonly happened: readonly What[];
}

/** Nothing to do. */
export function stay(service: Service): Move {
  return { service, effects: [], happened: [] };
}

/** Into this state, with these orders. */
export function go(
  service: Service,
  state: ServiceState,
  effects: readonly Effect[] = [],
  happened: readonly What[] = [],
): Move {
  return { service: { ...service, state }, effects, happened };
}

/** The second move after the first, as one. Not called `then`: a module that exports that is a promise to `import()`. */
export function andThen(first: Move, second: (service: Service) => Move): Move {
  const next = second(first.service);
  return {
    service: next.service,
    effects: [...first.effects, ...next.effects],
    happened: [...first.happened, ...next.happened],
  };
}

/** These orders and happenings, then the move. */
export function before(effects: readonly Effect[], happened: readonly What[], move: Move): Move {
  return { service: move.service, effects: [...effects, ...move.effects], happened: [...happened, ...move.happened] };
}

/** A cell of the table that cannot happen. Throws: a defect in a test, and in the daemon one event that the keeper reports and drops. */
export function impossible(service: Service, fact: string): never {
  throw new Error(`impossible: ${fact} while ${service.spec.name} is ${service.state.name}`);
}
