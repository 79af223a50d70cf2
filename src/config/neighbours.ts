// Services and whom they name: each has to exist, and to apply on this host where it is needed. What is right comes out as
// specs whose names are those of services of this host, members of pools included. Whether they can be ordered is not judged here.

import type { Coupling, ServiceName, ServiceSpec } from '../core/spec.js';
import { serviceName } from '../core/spec.js';
import { SERVICE_REF } from './coupling.js';
import type { Problems } from './problem.js';
import { type Couplings, type Reference, referencesIn, restricted } from './references.js';
import type { ReadService } from './service.js';
import { didYouMean } from './suggest.js';
import type { Dict } from './tree.js';

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
export function couple(all: Neighbourhood, problems: Problems): Couplings {
  const couplings = new Map<string, Coupling>();
  for (const [name, { members, effective }] of all.here) {
    for (const reference of referencesIn(effective)) checkReference(name, reference, all, problems);
    couplings.set(
      name,
      restricted(members[0].spec.coupling, (target) => target !== name && all.here.has(target)),
    );
  }
  return couplings;
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

function widened(coupling: Coupling, namesOf: (name: string) => readonly ServiceName[]): Coupling {
  const { needs, wants, after, restartWith } = coupling;
  return {
    needs: needs.flatMap((need) => namesOf(need.service).map((service) => ({ ...need, service }))),
    wants: wants.flatMap(namesOf),
    after: after.flatMap(namesOf),
    restartWith: restartWith.flatMap(namesOf),
  };
}
