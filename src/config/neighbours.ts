// Services and what they say of one another: who is named has to exist and to apply on this host, and together they must be
// able to start in some order. What is right comes out as specs whose names are those of services of this host, members of
// pools included.

import { orderOf } from '../core/graph.js';
import type { Coupling, ServiceName, ServiceSpec } from '../core/spec.js';
import { serviceName } from '../core/spec.js';
import { SERVICE_REF } from './coupling.js';
import type { Place, Problems } from './problem.js';
import type { ReadService } from './service.js';
import { didYouMean } from './suggest.js';
import { type Dict, isNull, type Layer, type Tree, valueAt } from './tree.js';

const COUPLING_KEYS = ['needs', 'wants', 'after', 'restartWith'] as const;

type CouplingKey = (typeof COUPLING_KEYS)[number];

export type Couplings = ReadonlyMap<string, Coupling>;

/** One name that stands in one of the four keys. */
export interface Reference {
  readonly key: CouplingKey;
  readonly target: string;
  readonly at: Place;
  readonly layer: Layer['type'];
}

export interface Neighbourhood {
  /** The services of this host, by name. */
  readonly here: ReadonlyMap<string, ReadService>;
  /** The services of other hosts, with the class expression that says so. */
  readonly elsewhere: ReadonlyMap<string, string>;
}

/** Finds names that mean no service, in every layer by itself: a service that cannot be read is no reason to be silent about it. */
export function checkReferences(
  layers: Iterable<readonly [key: string, tree: Dict]>,
  declared: Pick<ReadonlyMap<string, Dict>, 'has' | 'keys'>,
  problems: Problems,
): void {
  for (const [where, tree] of layers) {
    for (const { key, target, at } of referencesIn(tree)) {
      // What is no name at all was reported by who read it.
      if (declared.has(target) || !SERVICE_REF.test(target)) continue;
      problems.report(at, `${where}.${key}`, unknownService(target, declared));
    }
  }
}

function unknownService(target: string, declared: Parameters<typeof checkReferences>[1]): string {
  const found = `unknown service ${JSON.stringify(target)}`;
  const pool = target.slice(0, Math.max(0, target.lastIndexOf('@')));
  if (declared.has(pool)) return `${found}; members are not named one by one, so write ${pool}, which means them all`;
  const hint = didYouMean(target, declared.keys());
  return `${found}${hint === '' ? '; name one of `services`' : hint}`;
}

/** The coupling of each service of this host, as the core has it, still by the names of the configuration. */
export function couple(all: Neighbourhood, problems: Problems, warnings: Problems): Couplings {
  const couplings = new Map<string, Coupling>();
  for (const [name, { members, effective }] of all.here) {
    for (const reference of referencesIn(effective)) checkReference(name, reference, all, problems);
    couplings.set(
      name,
      restricted(members[0].spec.coupling, (target) => target !== name && all.here.has(target)),
    );
  }
  return ordered(couplings, all, problems, warnings);
}

/** The specs of this host in the order of the configuration, each member of a pool by itself. */
export function specsOf(here: Neighbourhood['here'], couplings: Couplings): readonly ServiceSpec[] {
  const namesOf = (name: string): readonly ServiceName[] =>
    here.get(name)?.members.map(({ spec }) => spec.name) ?? [serviceName(name)];
  return [...here].flatMap(([name, { members }]) => {
    const coupling = widened(couplings.get(name) ?? members[0].spec.coupling, namesOf);
    return members.map(({ spec }) => ({ ...spec, coupling }));
  });
}

/** Every name in the four keys of a service, or of a layer of one. */
export function* referencesIn(tree: Tree): Generator<Reference> {
  for (const key of COUPLING_KEYS) {
    const said = valueAt(tree, key);
    if (said?.type === 'dict') {
      for (const { key: target, at, value } of said.entries)
        if (!isNull(value)) yield { key, target, at, layer: value.layer.type };
    } else if (said?.type === 'list') {
      for (const item of said.items)
        if (item.type === 'leaf') yield { key, target: item.text, at: item.at, layer: item.layer.type };
    }
  }
}

function checkReference(name: string, reference: Reference, { elsewhere }: Neighbourhood, problems: Problems): void {
  const { key, target, at, layer } = reference;
  const where = `services.${name}.${key}`;
  // What all others need by default, it does not need itself.
  if (target === name && layer !== 'defaults') problems.report(at, where, `found ${name} itself; take it out`);
  const hosts = elsewhere.get(target);
  if (hosts === undefined || key !== 'needs') return;
  problems.report(
    at,
    where,
    `${target} does not apply on this host (its hosts are ${hosts}); give both the same \`hosts\`, or write it in \`wants\``,
  );
}

function restricted(coupling: Coupling, isKept: (name: string) => boolean): Coupling {
  const { needs, wants, after, restartWith } = coupling;
  return {
    needs: needs.filter(({ service }) => isKept(service)),
    wants: wants.filter(isKept),
    after: after.filter(isKept),
    restartWith: restartWith.filter(isKept),
  };
}

function widened(coupling: Coupling, namesOf: (name: string) => readonly ServiceName[]): Coupling {
  const { needs, wants, after, restartWith } = coupling;
  return {
    needs: needs.flatMap((need) => namesOf(need.service).map((service) => ({ ...need, service }))),
    wants: wants.flatMap(namesOf),
    after: after.flatMap(namesOf),
    restartWith: restartWith.flatMap(namesOf),
  };
}

/** Without cycles. What is only wanted gives way, and that is told; a cycle of all else is a mistake. */
function ordered(
  couplings: Map<string, Coupling>,
  { here }: Neighbourhood,
  problems: Problems,
  warnings: Problems,
): Couplings {
  for (;;) {
    const order = orderOf(couplings);
    if (order.type === 'order') return couplings;
    const { path } = order;
    const edges = path.slice(1).map((target, index) => ({ from: path[index] ?? '', target }));
    const wanted = edges.findLast(({ from, target }) => isOnlyWanted(couplings.get(from), target));
    for (const { from, target } of wanted === undefined ? edges : [wanted]) {
      const coupling = couplings.get(from);
      if (coupling !== undefined) couplings.set(from, withoutOrder(coupling, target));
    }
    const [first] = edges;
    const { from, target } = wanted ?? first ?? { from: '', target: '' };
    const effective = here.get(from)?.effective;
    const reference =
      effective && [...referencesIn(effective)].find((one) => one.target === target && one.key !== 'restartWith');
    if (reference === undefined) continue;
    const way = path.join(' → ');
    const where = `services.${from}.${reference.key}`;
    if (wanted === undefined)
      problems.report(
        reference.at,
        where,
        `each of these waits for the next, so none could ever start: ${way}; take one of these \`needs\` or \`after\` out`,
      );
    else
      warnings.report(
        reference.at,
        where,
        `${way} is a cycle, so ${from} does not wait for ${target}, which it only wants; both are started`,
      );
  }
}

function isOnlyWanted(coupling: Coupling | undefined, target: string): boolean {
  if (coupling === undefined) return false;
  const { needs, wants, after } = coupling;
  return (
    wants.some((name) => name === target) &&
    !after.some((name) => name === target) &&
    !needs.some(({ service }) => service === target)
  );
}

/** `restartWith` alone orders nothing. */
function withoutOrder(coupling: Coupling, target: string): Coupling {
  const { restartWith } = coupling;
  return { ...restricted(coupling, (name) => name !== target), restartWith };
}
