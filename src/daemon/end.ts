// How the keeper ends: leaving its services alone, or with the supervised ones stopped in order. Knows when that is done.

import type { Change } from '../core/change.js';
import { serviceName } from '../core/spec.js';
import type { ServiceSet } from '../core/state.js';
import type { Post, Sink } from '../keeper/ports.js';

export class Ending implements Sink {
  readonly #post: Post;
  readonly #services: () => ServiceSet;
  #done: (() => void) | null = null;

  constructor(post: Post, services: () => ServiceSet) {
    this.#post = post;
    this.#services = services;
  }

  /** Stops every supervised service; resolves when none of them has a process left. */
  stopAll(): Promise<void> {
    return new Promise((resolve) => {
      this.#done = resolve;
      const names = [...this.#services().keys()];
      this.#post({
        type: 'together',
        events: names.map((name) => ({ type: 'keeperEnded', service: serviceName(name) })),
      });
      this.#look();
    });
  }

  tell(_changes: readonly Change[]): void {
    this.#look();
  }

  #look(): void {
    if (this.#done === null || !isOver(this.#services())) return;
    const done = this.#done;
    this.#done = null;
    done();
  }
}

/** Stuck processes are not waited for: SIGKILL did not help, and a shutdown must come to its end. */
function isOver(set: ServiceSet): boolean {
  for (const { spec, state } of set.values()) {
    if (spec.kind.type === 'watched') continue;
    if (state.name === 'running' || state.name === 'starting' || state.name === 'handover') return false;
    if (state.name === 'stopping' && state.phase !== 'stuck') return false;
  }
  return true;
}
