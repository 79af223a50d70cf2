// What an operator's stop or restart of some services would do to others: who goes down with them, who is restarted, who is
// left alone. Follows the rules of wave.ts without moving anybody, and as if all went well.

import { couplingOf, type Dependents, orderOf } from './graph.js';
import { hasStandIn } from './pool.js';
import { isReplacedBeside } from './replaced.js';
import { type ServiceName, serviceName } from './spec.js';
import { desiredOf, type Service } from './state.js';
import { isThere } from './turn.js';
import type { View } from './world.js';

export interface Impact {
  /** They go down too and stay so, in the order in which they stop. */
  readonly down: readonly ServiceName[];
  /** They are stopped and come back by themselves, in the order in which they start. */
  readonly restarted: readonly ServiceName[];
  /** They would be moved, and are not. */
  readonly spared: readonly ServiceName[];
}

type Fate = 'down' | 'restarted';

export function impactOf(view: View, names: readonly string[], verb: 'stop' | 'restart'): Impact {
  const fates = new Map<ServiceName, Fate>();
  const spared = new Set<ServiceName>();
  const queue: ServiceName[] = [];
  const rolled = new Set<string>(verb === 'restart' ? names : []);
  const doom = (name: ServiceName, fate: Fate): void => {
    const before = fates.get(name);
    // What goes down stays down, also where something else would only restart it.
    if (before === fate || before === 'down') return;
    fates.set(name, fate);
    queue.push(name);
  };
  const befall = (service: Service, fate: Fate): void => {
    if (service.hold === null) doom(service.spec.name, fate);
    else spared.add(service.spec.name);
  };
  for (const name of names) {
    const service = view.get(name);
    // Under a hold it is refused.
    if (service === undefined || service.hold !== null) continue;
    // Replaced beside itself it is never away.
    if (verb === 'restart' && isReplacedBeside(service)) continue;
    if (isThere(service)) doom(service.spec.name, verb === 'stop' ? 'down' : 'restarted');
    else if (verb === 'stop') for (const patient of patientWith(view, service)) befall(patient, 'down');
  }
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const fate = fates.get(name) ?? 'restarted';
    // Members of one pool that are restarted by name roll: while one is away the others are there.
    const rolls = (other: ServiceName): boolean => other !== name && rolled.has(name) && rolled.has(other);
    const stays = (other: ServiceName): boolean => !fates.has(other) || rolls(other);
    for (const [dependent, its] of followersOf(view, name, fate, stays)) {
      const service = view.get(dependent);
      if (service === undefined || !isThere(service) || desiredOf(service) === 'down') continue;
      befall(service, its);
    }
  }
  const others = inOrder(view, [...fates.keys()]).filter((name) => !names.includes(name));
  return {
    down: others.filter((name) => fates.get(name) === 'down').reverse(),
    restarted: others.filter((name) => fates.get(name) === 'restarted'),
    spared: [...spared],
  };
}

/** Those that live on while it is away: nobody waits for the return of what is stopped. */
function patientWith(view: View, { spec }: Service): readonly Service[] {
  const dependents = view.dependentsOf(spec.name).needs.flatMap((name) => view.get(name) ?? []);
  return dependents.filter(({ missing }) => missing.some(({ service }) => service === spec.name));
}

function* followersOf(
  view: View,
  name: ServiceName,
  fate: Fate,
  stays: (other: ServiceName) => boolean,
): Generator<readonly [ServiceName, Fate]> {
  const { needs, restarts }: Dependents = view.dependentsOf(name);
  for (const dependent of needs) if (lacks(view, dependent, name, fate, stays)) yield [dependent, fate];
  for (const partner of restarts) yield [partner, 'restarted'];
}

/** Does it follow what it needs? Not where it can be patient with a restart, or another member of that pool stays. */
function lacks(
  view: View,
  dependent: ServiceName,
  name: ServiceName,
  fate: Fate,
  stays: (other: ServiceName) => boolean,
): boolean {
  const service = view.get(dependent);
  const gone = view.get(name);
  if (service === undefined || gone === undefined) return false;
  const coupling = couplingOf(service);
  const need = coupling.needs.find((one) => one.service === name);
  if (need === undefined || (fate === 'restarted' && need.grace > 0)) return false;
  return !hasStandIn(view, coupling, gone, stays);
}

/** Each after what it needs. */
export function inOrder(view: View, names: readonly ServiceName[]): readonly ServiceName[] {
  const couplings = new Map(
    names.flatMap((name) => {
      const service = view.get(name);
      return service === undefined ? [] : [[name, couplingOf(service)] as const];
    }),
  );
  const order = orderOf(couplings);
  return order.type === 'order' ? order.names.map(serviceName) : names;
}
