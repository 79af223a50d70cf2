// What a keeper that comes back begins with: every service as it was left, under the definition it was left with, and then
// whatever the configuration says otherwise. So an apply in whose middle a keeper was killed is carried to its end by the
// next one, in the same way as any other. Pure.

import { isEqual } from './difference.js';
import type { ServiceEvent } from './event.js';
import type { ServiceSpec } from './spec.js';
import { latestSpec, newService, type Service } from './state.js';
import type { Instant } from './time.js';

export interface Comeback {
  readonly as: Service;
  /** To follow it: what the configuration says of it now. */
  readonly events: readonly ServiceEvent[];
}

/** What operators said of a service that was not left by a keeper of this boot. */
export type WordOf = (name: string) => Pick<Service, 'override' | 'hold'> | undefined;

/** `left`: by name, what a keeper of this boot recorded. Services of the configuration come in its order. */
export function* comebacks(
  left: ReadonlyMap<string, Service>,
  specs: readonly ServiceSpec[],
  wordOf: WordOf,
  now: Instant,
): Generator<Comeback> {
  for (const spec of specs) {
    const was = left.get(spec.name);
    yield was === undefined || isPutToRest(was)
      ? { as: beginAnew(spec, was, was ?? wordOf(spec.name), now), events: [] }
      : goOn(was, spec);
  }
  const known = new Set<string>(specs.map(({ name }) => name));
  for (const [name, was] of left) {
    if (known.has(name) || isPutToRest(was)) continue;
    // On its way out already, or the keeper before was killed before it could even say so.
    const removed: readonly ServiceEvent[] =
      was.fate === 'removed' ? [] : [{ type: 'removed', service: was.spec.name }];
    yield { as: kept(was), events: removed };
  }
}

/** The keeper before ended and had taken it down. */
const isPutToRest = (was: Service): boolean => was.fate === 'ending' && was.state.name === 'stopped';

/** With what operators said, and what is remembered of its past. */
function beginAnew(spec: ServiceSpec, was: Service | undefined, word: ReturnType<WordOf>, now: Instant): Service {
  const { generation = 0, lastDeath = null } = was ?? {};
  return {
    ...newService(spec, now),
    override: word?.override ?? null,
    hold: word?.hold ?? null,
    generation,
    lastDeath,
  };
}

function goOn(was: Service, spec: ServiceSpec): Comeback {
  const latest = latestSpec(was);
  const isLatest = isEqual(latest, spec);
  // One object for one definition: those that came out of a journal are copies.
  const as = isLatest ? { ...was, ...(was.next === null ? { spec } : { next: spec }) } : was;
  const isSame = isLatest && was.fate !== 'removed';
  return { as: kept(as), events: isSame ? [] : [{ type: 'changed', service: spec.name, spec }] };
}

/** A keeper that was killed in the middle of its own end is not ending any more: what it was stopping stops, and comes up again. */
function kept(was: Service): Service {
  return was.fate === 'ending' ? { ...was, fate: 'stays' } : was;
}
