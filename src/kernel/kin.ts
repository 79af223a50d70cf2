// Whose descendants are of a service and whose are not: of one that we started, its orphans by their environment, but nobody
// who is followed as somebody else's; of a daemon, whoever is still in its control group. It must not know what is done with
// them.

import type { ServiceName } from '../core/spec.js';
import type { Exits } from './exits.js';
import type { Kin } from './family.js';
import type { Orphan } from './newcomers.js';
import { environmentOf, ownChildren, readText } from './processes-of.js';

/** `generation` null: of whichever. */
export const kinOf = (
  service: ServiceName,
  generation: number | null,
  exits: Pick<Exits, 'isFollowedBeside'>,
): Kin => ({
  isOurs: (pid) => {
    const origin = originOf(pid);
    return origin?.service === service && (generation === null || origin.generation === generation);
  },
  isOthers: (pid) => exits.isFollowedBeside(restOf(service), pid),
});

/** Those that services have left to us, and whose ends nobody waits for. */
export const orphansOfServices = (exits: Pick<Exits, 'isFollowed'>): readonly Orphan[] =>
  ownChildren().flatMap((pid) => {
    const origin = exits.isFollowed(pid) ? null : originOf(pid);
    return origin === null ? [] : [{ pid, ...origin }];
  });

/** The service and the generation whose main process it descends from, by its environment. */
export function originOf(pid: number): { readonly service: string; readonly generation: number } | null {
  const variable = environmentOf(pid);
  const service = variable('UPKEEP_ROLE') === 'main' ? variable('UPKEEP_SERVICE') : null;
  return service === null ? null : { service, generation: Number(variable('UPKEEP_GENERATION')) };
}

/** Under this name the ends of leftovers are followed: those are still left, not somebody else's. */
export const restOf = (service: ServiceName): string => `rest of ${service}`;

/** A login below sshd, or a job below crond, is moved to a group of its own where there is an init system that does so. */
export function withinGroupOf(pid: number): Kin {
  const groups = readText(`/proc/${pid}/cgroup`).split('\n');
  const isBelow = (group: string, index: number): boolean => {
    const above = groups[index] ?? '';
    return group === above || group.startsWith(above.endsWith('/') ? above : `${above}/`);
  };
  return {
    isOurs: () => false,
    isOthers: (other) => !readText(`/proc/${other}/cgroup`).split('\n').every(isBelow),
  };
}
