// The working copy of one step: what has changed so far, in the order in which it did. Lives no longer than the step, and is
// the one thing in the core that is written to in place: a thousand services that start together must not be copied a thousand times.

import type { Change, Spared, What } from './change.js';
import type { Effect } from './effect.js';
import { couplingOf, type Dependents, dependentsIn, relink } from './graph.js';
import type { Move } from './move.js';
import type { ServiceName } from './spec.js';
import type { Service, WaveId } from './state.js';
import type { Moment } from './time.js';
import { awaitsTurn } from './turn.js';
import { holdsPlace, type View, type World } from './world.js';

/** What a wave does beyond the service that began it. */
export interface Crest {
  readonly moves: Set<ServiceName>;
  readonly spares: Map<ServiceName, Spared['why']>;
}

export interface Draft extends View {
  readonly world: World;
  readonly at: Moment;
  /** The new values; null: removed. */
  readonly services: Map<string, Service | null>;
  /** Those of them that need not be recorded. */
  readonly faint: Set<string>;
  readonly links: Map<string, Dependents>;
  readonly effects: Effect[];
  readonly changes: Change[];
  /** Those that moved, and whose neighbours are still to be looked at. */
  readonly touched: Touched[];
  /** The waves that drew somebody in this step. */
  readonly crests: Map<WaveId, Crest>;
  /** Members of waves that have settled. */
  readonly settled: { readonly id: WaveId; readonly name: ServiceName }[];
  /** Places taken, less those given back, in this step. */
  places: number;
}

/** `far`: it came to nothing, or is on its way again, which matters to those that wait for others on its account. */
export interface Touched {
  readonly name: ServiceName;
  readonly reach: 'near' | 'far';
}

export function draftOf(world: World, at: Moment): Draft {
  const services = new Map<string, Service | null>();
  const links = new Map<string, Dependents>();
  return {
    world,
    at,
    services,
    faint: new Set(),
    links,
    effects: [],
    changes: [],
    touched: [],
    crests: new Map(),
    settled: [],
    places: 0,
    get: (name) => {
      const changed = services.get(name);
      return changed === undefined ? world.services.get(name) : (changed ?? undefined);
    },
    dependentsOf: (name) => links.get(name) ?? dependentsIn(world.links, name),
  };
}

/** Takes a move in: the value, what follows from it for the outside, and what is told of it. */
export function enter(draft: Draft, was: Service | null, { service, effects, happened }: Move): void {
  const { name } = service.spec;
  const isGone = service.fate === 'removed' && service.state.name === 'stopped';
  relinkIn(draft, was, isGone ? null : service);
  draft.places += placeOf(isGone ? null : service) - placeOf(was);
  draft.faint.delete(name);
  draft.services.set(name, isGone ? null : service);
  draft.effects.push(...effects);
  for (const what of happened) note(draft, was, service, what);
  if (isGone) note(draft, was, service, { type: 'removed' });
}

/** Another value of a service, of which nothing is to be told. */
export function amend(draft: Draft, service: Service): void {
  draft.faint.delete(service.spec.name);
  draft.services.set(service.spec.name, service);
}

/** Another value, in which nothing changed that concerns anybody else or has to survive the keeper. */
export function hum(draft: Draft, { service, effects }: Move): void {
  const { name } = service.spec;
  if (!draft.services.has(name)) draft.faint.add(name);
  draft.services.set(name, service);
  draft.effects.push(...effects);
}

/** Tells of a service that it has not moved otherwise. */
export function note(draft: Draft, was: Service | null, now: Service, what: What): void {
  draft.changes.push({
    ...stamp(draft, now),
    from: fromIn(draft, was ?? now).name,
    wave: now.wave?.id ?? null,
    what,
  });
}

/** Where it was before this step, if it went through its turn within it: what lasts no time at all is nothing to tell. */
function fromIn({ world }: Draft, was: Service): Service['state'] {
  const { state } = was;
  const before = world.services.get(was.spec.name)?.state;
  return awaitsTurn(was) && before !== undefined ? before : state;
}

export function stamp({ at }: Draft, { spec, generation, state }: Service): Omit<Change, 'wave' | 'what'> {
  return { service: spec.name, time: at.wall, generation, from: state.name, to: state.name };
}

/** Is a place free among those that start at once? */
export function hasPlace({ world, places }: Draft): boolean {
  return world.starting.size + places < world.parallel;
}

const placeOf = (service: Service | null): number => (service !== null && holdsPlace(service) ? 1 : 0);

function relinkIn(draft: Draft, was: Service | null, is: Service | null): void {
  const before = was === null ? null : couplingOf(was);
  const after = is === null ? null : couplingOf(is);
  const name = (is ?? was)?.spec.name;
  if (before === after || name === undefined) return;
  const now = { get: (target: string) => draft.links.get(target) ?? draft.world.links.get(target) };
  for (const [target, dependents] of relink(now, name, before, after)) draft.links.set(target, dependents);
}
