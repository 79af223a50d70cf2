// Pools: the members of a service with `instances`, NAME@1 to NAME@of. Who they are, and whose turn it is when several of
// them are restarted: one at a time, in the order of their numbers, each when the one before is ready. Moves nobody.

import type { SingleEvent } from './event.js';
import { go, type Move } from './move.js';
import { type Coupling, memberName, type Pool, type ServiceName, serviceName } from './spec.js';
import { desiredOf, latestSpec, type Service } from './state.js';
import { isUp } from './turn.js';
import type { View } from './world.js';

/** How a restart is carried out: at once, or when those of its pool that come before it are ready again. */
export type Pace = 'now' | 'in turn';

/** The pool that counts: how many it has now, also for a member that still runs under an old definition. */
const poolOf = (service: Service): Pool | null => latestSpec(service).pool;

/** The other members that are there, in the order of their numbers. */
export function* siblingsOf(view: Pick<View, 'get'>, service: Service): Generator<Service> {
  const pool = poolOf(service);
  if (pool === null) return;
  for (let index = 1; index <= pool.of; index++) {
    const sibling = index === pool.index ? undefined : view.get(memberName(pool.name, index));
    if (sibling !== undefined) yield sibling;
  }
}

/** The services that a NAME means: the one that is called so, or all members of that pool; empty: there are none. */
export function namedBy(view: Pick<View, 'get'>, name: string): readonly ServiceName[] {
  if (view.get(name) !== undefined) return [serviceName(name)];
  const first = view.get(memberName(name, 1));
  return first === undefined ? [] : [first, ...siblingsOf(view, first)].map(({ spec }) => spec.name);
}

/** Is another member of its pool there for those that need both? `stays`: and not about to go as well. */
export function hasStandIn(
  view: Pick<View, 'get'>,
  { needs }: Coupling,
  { spec: { name, pool } }: Service,
  stays: (other: ServiceName) => boolean = () => true,
): boolean {
  return (
    pool !== null &&
    needs.some(({ service }) => {
      const other = service === name ? undefined : view.get(service);
      return other?.spec.pool?.name === pool.name && isUp(other) && stays(service);
    })
  );
}

/** It serves, and is to be restarted when its turn comes. */
export const isEnrolled = (service: Service): boolean => service.enrolled !== null && isUp(service);

/** The member of this one's pool that is restarted next; undefined: nobody waits for it. */
export function nextInRoll(view: View, service: Service): Service | undefined {
  for (const sibling of siblingsOf(view, service)) if (isEnrolled(sibling)) return sibling;
  return undefined;
}

/** The members that come before this one; empty: its turn has come. */
export function rollsAfter(view: View, service: Service): readonly ServiceName[] {
  const index = poolOf(service)?.index ?? 0;
  const isAhead = (sibling: Service): boolean =>
    isAway(sibling) || (isEnrolled(sibling) && (poolOf(sibling)?.index ?? 0) < index);
  return [...siblingsOf(view, service)].filter(isAhead).map(({ spec }) => spec.name);
}

/** Down or not ready, and coming back by itself: also one that has died meanwhile, by its own rule. What has failed is not waited for. */
function isAway(service: Service): boolean {
  if (service.hold !== null || desiredOf(service) === 'down') return false;
  const { state } = service;
  switch (state.name) {
    case 'starting':
    case 'backoff':
    case 'handover':
      return true;
    case 'stopping':
      return state.phase !== 'stuck';
    case 'waiting':
      return state.for !== 'shutdown';
    case 'unknown':
    case 'stopped':
    case 'skipped':
    case 'running':
    case 'done':
    case 'failed':
      return false;
  }
}

/** The services that are asked to restart together with another member of their pool: those roll. */
export function rolledBy(view: View, events: readonly SingleEvent[]): ReadonlySet<ServiceName> {
  const asked = new Map<string, Set<ServiceName>>();
  for (const event of events) {
    if (event.type !== 'asked' || event.ask.verb !== 'restart') continue;
    const service = view.get(event.service);
    const pool = service === undefined ? null : poolOf(service);
    if (pool !== null) asked.set(pool.name, (asked.get(pool.name) ?? new Set()).add(event.service));
  }
  return new Set([...asked.values()].filter(({ size }) => size > 1).flatMap((names) => [...names]));
}

/** It is to be restarted in its turn. */
export const enrol = (service: Service, why: 'requested' | 'changed'): Move =>
  go({ ...service, enrolled: service.enrolled ?? why }, service.state);

/** It goes on as it is, and its turn does not come. */
export function passOver(service: Service, reason: string): Move {
  const told = isEnrolled(service) ? ([{ type: 'rollEnded', reason }] as const) : [];
  return go({ ...service, enrolled: null }, service.state, [], told);
}
