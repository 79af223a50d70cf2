// A plan is more than what changed: coupled services are moved along, and all of it happens in an order. Knows the plan's
// entries and the graph, and how the two go together.

import { couplingOf, orderOf, targetsOf } from './graph.js';
import { impactOf } from './impact.js';
import type { Coupling, ServiceSpec } from './spec.js';
import type { Service, ServiceSet } from './state.js';
import { type View, viewOf, worldOf } from './world.js';

export interface PlanEntry {
  readonly name: string;
  /** `handover`: replaced beside itself, without being down. */
  readonly action: 'none' | 'live' | 'handover' | 'restart' | 'start' | 'stop' | 'remove';
  /** The keys that changed. */
  readonly keys: readonly string[];
  readonly why: string;
}

/** The same with those that the stops and restarts among them move along. */
export function withOthers(
  entries: readonly PlanEntry[],
  set: ServiceSet,
  specs: readonly ServiceSpec[],
): readonly PlanEntry[] {
  const named = (...actions: readonly PlanEntry['action'][]): readonly string[] =>
    entries
      .filter(({ action, name }) => actions.includes(action) && endsWith(set.get(name), action))
      .map(({ name }) => name);
  const view = viewAfter(set, specs);
  const byStop = impactOf(view, named('stop', 'remove'), 'stop');
  const byRestart = impactOf(view, named('restart'), 'restart');
  const down = new Set<string>(byStop.down);
  const restarted = new Set<string>([...byStop.restarted, ...byRestart.restarted]);
  const moving = new Set([...named('stop', 'remove', 'restart'), ...down, ...restarted]);
  return entries.map((entry): PlanEntry => {
    const { name, action } = entry;
    if (action !== 'none' && action !== 'live' && action !== 'handover') return entry;
    if (down.has(name))
      return { ...entry, action: 'stop', why: `${causeOf(view, name, moving)}, and goes down with it` };
    return restarted.has(name) ? { ...entry, action: 'restart', why: causeOf(view, name, moving) } : entry;
  });
}

/** A daemon of somebody else's goes on when it is watched no more. */
const endsWith = (service: Service | undefined, action: PlanEntry['action']): boolean =>
  action !== 'remove' || service?.spec.kind.type === 'supervised';

/** The services as they are, coupled as they will be. */
function viewAfter(set: ServiceSet, specs: readonly ServiceSpec[]): View {
  const coming = new Map<string, ServiceSpec>(specs.map((spec) => [spec.name, spec]));
  const services = new Map<string, Service>();
  for (const [name, service] of set) {
    const spec = coming.get(name);
    services.set(name, spec === undefined ? service : { ...service, next: spec });
  }
  return viewOf(worldOf(services));
}

function causeOf(view: View, name: string, moving: ReadonlySet<string>): string {
  const service = view.get(name);
  if (service === undefined) return 'moved by others';
  const { needs, restartWith } = couplingOf(service);
  const needed = needs.find((need) => moving.has(need.service));
  return needed === undefined
    ? `restarts with ${restartWith.find((one) => moving.has(one)) ?? 'others'}`
    : `needs ${needed.service}`;
}

/** What stops first, the last of a chain before what it builds on; then what is changed in place; then what starts, the other way round. */
export function inOrderOfDoing(
  entries: readonly PlanEntry[],
  set: ServiceSet,
  specs: readonly ServiceSpec[],
): readonly PlanEntry[] {
  const before = new Map([...set].map(([name, service]) => [name, couplingOf(service)]));
  const after = new Map<string, Coupling>(specs.map((spec) => [spec.name, spec.coupling]));
  const only = (...actions: readonly PlanEntry['action'][]): readonly PlanEntry[] =>
    entries.filter(({ action }) => actions.includes(action));
  return [
    ...byTargets(only('stop', 'remove'), before).toReversed(),
    ...only('live'),
    ...byTargets(only('restart', 'handover', 'start'), after),
    ...only('none'),
  ];
}

/** Each after what it builds on, directly or over others that stay as they are. */
function byTargets(entries: readonly PlanEntry[], couplings: ReadonlyMap<string, Coupling>): readonly PlanEntry[] {
  if (entries.every(({ name }) => isBare(couplings.get(name)))) return entries;
  const order = orderOf(couplings);
  if (order.type === 'cycle') return entries;
  const ranks = new Map(order.names.map((name, index) => [name, index]));
  return entries.toSorted((a, b) => (ranks.get(a.name) ?? 0) - (ranks.get(b.name) ?? 0));
}

const isBare = (coupling: Coupling | undefined): boolean =>
  coupling === undefined || targetsOf(coupling).next().done === true;
