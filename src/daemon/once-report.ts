// What `upkeep once` says beside what it did: what is down and stays so, and what only a keeper can run. A look that ends
// with 3 is never silent, and one that finds all well is.

import type { Change } from '../core/change.js';
import { desiredOf, mainOf, type Service } from '../core/state.js';
import { type ServiceStatus, standing } from '../core/status.js';
import type { Sink } from '../keeper/ports.js';
import { isDead, readStat } from '../kernel/identity.js';

export class OnceReport implements Sink {
  readonly #told = new Set<string>();
  readonly #left: Service[] = [];

  /** What the log has told of already is not said again. */
  tell(changes: readonly Change[]): void {
    for (const { service } of changes) this.#told.add(service);
  }

  /** A supervised service is the business of a keeper. */
  leave(service: Service): void {
    this.#left.push(service);
  }

  /** The lines to be said, and 3 when anything that should be up is not. */
  end(statuses: readonly ServiceStatus[]): { readonly lines: readonly string[]; readonly exitCode: 0 | 3 } {
    const bad = statuses.filter((service) => standing(service) === 'bad');
    const down = this.#left.filter(isDown);
    const lines = [
      ...bad
        .filter(({ name }) => !this.#told.has(name))
        .map(
          ({ name, description, state, reason }) =>
            `${name}: ${description ?? name} is not running (${state}): ${reason}`,
        ),
      ...down.map(
        ({ spec }) =>
          `${spec.name}: ${spec.description ?? spec.name} is not running, and only a keeper starts it: \`upkeep run\``,
      ),
    ];
    return { lines, exitCode: bad.length + down.length === 0 ? 0 : 3 };
  }
}

/** Wanted up, and the process that the last keeper knew of is gone. */
function isDown(service: Service): boolean {
  if (desiredOf(service) === 'down' || service.hold !== null) return false;
  const process = mainOf(service);
  const stat = process === null ? null : readStat(process.pid);
  return stat === null || isDead(stat) || stat.startTicks !== process?.startTicks;
}
