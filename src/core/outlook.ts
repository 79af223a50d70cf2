// One service among others, for those who tell people of it: for whom it waits, and what it all comes down to. Made anew for
// each question, and remembers what it has found meanwhile, so that a thousand that wait for each other cost no more than their
// neighbours. Moves nobody, and knows no words.

import type { ServiceName } from './spec.js';
import { desiredOf, type Service } from './state.js';
import { awaitsTurn, startsAfter, stopsAfter } from './turn.js';
import { type View, viewOf, type World } from './world.js';

export interface Outlook extends View {
  /** How many may start at once. */
  readonly parallel: number;
  /** The services that have to move before this one does; empty: it waits for none. */
  waitsFor(service: Service): readonly ServiceName[];
  /** What its start comes down to, directly or over others: services that are down and do not come up by themselves soon. */
  blockedBy(service: Service): readonly ServiceName[];
}

export function outlookOf(world: Pick<World, 'services' | 'links' | 'parallel'>): Outlook {
  const view = viewOf(world);
  const waits = remembered((service) => othersBefore(view, service));
  const blocks = remembered((service) => [...new Set(rootsOf(waits(service)))]);

  function* rootsOf(names: readonly ServiceName[]): Generator<ServiceName> {
    for (const name of names) {
      const other = view.get(name);
      if (other === undefined) continue;
      if (isStranded(other)) yield name;
      else if (awaitsTurn(other)) yield* blocks(other);
    }
  }

  return {
    ...view,
    parallel: world.parallel,
    waitsFor: waits,
    blockedBy: (service) => (awaitsTurn(service) ? blocks(service) : []),
  };
}

type Answer = (service: Service) => readonly ServiceName[];

/** Asked once for each service. Whoever is asked for while it is being asked waits for itself, which adds nothing. */
function remembered(answer: Answer): Answer {
  const known = new Map<Service, readonly ServiceName[]>();
  return (service) => {
    const before = known.get(service);
    if (before !== undefined) return before;
    known.set(service, []);
    const found = answer(service);
    known.set(service, found);
    return found;
  };
}

function othersBefore(view: View, service: Service): readonly ServiceName[] {
  const { state } = service;
  if (awaitsTurn(service)) return startsAfter(view, service);
  return state.name === 'stopping' && state.phase === 'turn' ? stopsAfter(view, service) : [];
}

/** Down, and nothing that is under way brings it up: somebody has to do something, or a quiet try has to help. */
export function isStranded(service: Service): boolean {
  const { state, hold } = service;
  switch (state.name) {
    case 'running':
    case 'handover':
    case 'done':
    case 'starting':
      return false;
    case 'stopping':
      return state.phase === 'stuck' || desiredOf(service) === 'down';
    case 'waiting':
      return hold !== null || desiredOf(service) === 'down';
    case 'backoff':
      return hold !== null;
    case 'unknown':
      return state.why.type !== 'looking';
    case 'stopped':
    case 'skipped':
    case 'failed':
      return true;
  }
}
