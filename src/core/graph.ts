// Who has to do with whom: the reverse of what each service says of others, kept so that what happens to one service costs
// its neighbours alone, however many are configured. Knows names and edges, no states.

import type { Coupling, ServiceName } from './spec.js';
import { latestSpec, type Service } from './state.js';

/** Those that name this service: in `needs`, in `wants` or `after`, in `restartWith`. */
export interface Dependents {
  readonly needs: readonly ServiceName[];
  readonly orders: readonly ServiceName[];
  readonly restarts: readonly ServiceName[];
}

/** By name; a service that nobody names has no entry. */
export type Links = ReadonlyMap<string, Dependents>;

const nobody: Dependents = { needs: [], orders: [], restarts: [] };

export const dependentsIn = (links: Pick<Links, 'get'>, name: string): Dependents => links.get(name) ?? nobody;

/** The coupling that counts: it is no part of a process, so a new definition's holds at once. */
export const couplingOf = (service: Service): Coupling => latestSpec(service).coupling;

/** The services that have to be there, or to be on their way, before this one starts; and that end after it. */
export function* targetsOf({ needs, wants, after }: Coupling): Generator<ServiceName> {
  for (const { service } of needs) yield service;
  yield* wants;
  yield* after;
}

/** The entries that differ once this service has another coupling; null: it is not there. `links` is what they are now. */
export function relink(
  links: Pick<Links, 'get'>,
  name: ServiceName,
  was: Coupling | null,
  is: Coupling | null,
): ReadonlyMap<string, Dependents> {
  const changed = new Map<string, Dependents>();
  const edit = (target: string, change: (to: Dependents) => Dependents): void => {
    changed.set(target, change(changed.get(target) ?? dependentsIn(links, target)));
  };
  for (const [target, kind] of edgesOf(was)) {
    edit(target, (to) => ({ ...to, [kind]: to[kind].filter((other) => other !== name) }));
  }
  for (const [target, kind] of edgesOf(is)) {
    edit(target, (to) => (to[kind].includes(name) ? to : { ...to, [kind]: [...to[kind], name] }));
  }
  return changed;
}

function* edgesOf(coupling: Coupling | null): Generator<readonly [ServiceName, keyof Dependents]> {
  if (coupling === null) return;
  for (const { service } of coupling.needs) yield [service, 'needs'];
  for (const service of coupling.wants) yield [service, 'orders'];
  for (const service of coupling.after) yield [service, 'orders'];
  for (const service of coupling.restartWith) yield [service, 'restarts'];
}

/** The order of these services in which each comes after its targets, else as given; or a cycle of them, as a path whose last is its first. */
export function orderOf(
  couplings: ReadonlyMap<string, Coupling>,
):
  | { readonly type: 'order'; readonly names: readonly string[] }
  | { readonly type: 'cycle'; readonly path: readonly string[] } {
  const names: string[] = [];
  const placed = new Set<string>();
  for (const root of couplings.keys()) {
    // By hand instead of recursion: a chain may be longer than the stack is deep.
    const path: { readonly name: string; readonly targets: Iterator<string> }[] = [];
    const onPath = new Set<string>();
    const enter = (name: string): void => {
      const coupling = couplings.get(name);
      if (coupling === undefined || placed.has(name)) return;
      onPath.add(name);
      path.push({ name, targets: targetsOf(coupling) });
    };
    enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { value, done } = top.targets.next();
      if (done === true) {
        path.pop();
        onPath.delete(top.name);
        placed.add(top.name);
        names.push(top.name);
      } else if (onPath.has(value)) {
        const from = path.findIndex(({ name }) => name === value);
        return { type: 'cycle', path: [...path.slice(from).map(({ name }) => name), value] };
      } else enter(value);
    }
  }
  return { type: 'order', names };
}
