// When is a look over? When every service is somewhere where it may be left: what a delay or a quiet try would do is
// remembered for the next look.

import type { ServiceSet } from '../core/state.js';
import type { Keeper } from '../keeper/keeper.js';

/** Resolves when all services are at rest. Every way to rest has a deadline of its own, so it comes. */
export function untilAtRest(keeper: Keeper): Promise<void> {
  return new Promise((resolve) => {
    const stop = keeper.subscribe({ tell: () => setImmediate(look) });
    const look = (): void => {
      if (!isAtRest(keeper.services)) return;
      stop();
      resolve();
    };
    setImmediate(look);
  });
}

/** Is every service somewhere where it may be left? */
function isAtRest(set: ServiceSet): boolean {
  for (const { state } of set.values()) {
    switch (state.name) {
      case 'unknown':
        if (state.why.type === 'looking') return false;
        break;
      case 'starting':
      case 'stopping':
      case 'handover':
        return false;
      case 'waiting':
        if (state.for === 'settle' || state.for === 'leftovers') return false;
        // What it waited for is over, and a look comes before its start.
        if (state.deadline !== null) return false;
        break;
      case 'stopped':
      case 'skipped':
      case 'running':
      case 'done':
      case 'backoff':
      case 'failed':
        break;
    }
  }
  return true;
}
