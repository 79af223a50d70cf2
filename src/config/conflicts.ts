// Couplings that are right and yet do not do what they seem to say, because of what else is said of the two services. They
// are told, never dropped without a word.

import type { Coupling, ServiceSpec } from '../core/spec.js';
import type { Problems } from './problem.js';
import { type Couplings, type Reference, referencesIn } from './references.js';
import type { ReadService } from './service.js';

/** Both services are of this host, by the names of the configuration. */
export function warnOfConflicts(
  here: ReadonlyMap<string, ReadService>,
  couplings: Couplings,
  warnings: Problems,
): void {
  for (const [name, { members, effective }] of here) {
    const coupling = couplings.get(name);
    if (coupling === undefined || isAlone(coupling)) continue;
    for (const reference of referencesIn(effective)) {
      const other = here.get(reference.target)?.members[0].spec;
      if (other === undefined || reference.target === name) continue;
      for (const text of conflictsOf(members[0].spec, other, reference))
        warnings.report(reference.at, `services.${name}.${reference.key}`, text);
    }
  }
}

const isAlone = ({ needs, wants, restartWith }: Coupling): boolean =>
  needs.length + wants.length + restartWith.length === 0;

function* conflictsOf(spec: ServiceSpec, other: ServiceSpec, { key, target }: Reference): Generator<string> {
  const name = spec.pool?.name ?? spec.name;
  if (key === 'after') return;
  if (other.desired === 'down' && spec.desired === 'up') {
    if (key === 'needs') yield `${target} is \`desired: down\`, so ${name} waits until somebody starts it`;
    if (key === 'wants') yield `${target} is \`desired: down\`, so it is not started for the sake of ${name}`;
  }
  if (key === 'wants') return;
  if (spec.kind.type === 'watched' && spec.kind.start === null && spec.kind.restart === null)
    yield `${name} has no \`start\`: once it was stopped because of ${target}, nothing here brings it back`;
  if (key === 'restartWith' && spec.kind.type === 'supervised' && spec.kind.oneshot === 'yes')
    yield `${name} is a oneshot: it is not run again when ${target} ends, only started anew where it is still at its work`;
  // Whoever is heard may say RELOADING=1 without being asked to.
  const neverReloads = other.kind.reload === null && other.notifyAccess === 'none';
  if (key === 'needs' && neverReloads && isRestartedOnReload(spec, target))
    yield `${target} has no \`reload\`, so \`onReload: restart\` never does anything`;
}

const isRestartedOnReload = ({ coupling }: ServiceSpec, target: string): boolean =>
  coupling.needs.some(({ service, onReload }) => service === target && onReload === 'restart');
