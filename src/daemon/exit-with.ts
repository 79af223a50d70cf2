// `--exit-with NAME`: the keeper ends when that service has ended for good, with its exit code. Knows when an end is one
// for good, not what happens then.

import type { Change } from '../core/change.js';
import type { ExitStatus } from '../core/process.js';
import type { Service, ServiceSet } from '../core/state.js';
import type { Sink } from '../keeper/ports.js';
import { signalNumber } from '../kernel/signal-number.js';

/** What a shell and every container runtime report for a program that could not be run, or of which nothing is known. */
const unknown = 1;

export class ExitWith implements Sink {
  readonly #name: string;
  readonly #end: (code: number) => void;
  /** Services come one after the other when the keeper begins: one that has not come yet is not one that was taken away. */
  #known: 'not yet' | 'known' = 'not yet';

  constructor(name: string, end: (code: number) => void) {
    this.#name = name;
    this.#end = end;
  }

  tell(_changes: readonly Change[], set: ServiceSet): void {
    const service = set.get(this.#name);
    if (service === undefined) {
      if (this.#known === 'known') this.#end(unknown);
      return;
    }
    this.#known = 'known';
    if (service.state.name === 'done') this.#end(0);
    else if (isOver(service)) this.#end(codeOf(service.lastDeath?.status ?? { type: 'unknown' }));
  }
}

/** It is down, and nothing brings it back by itself. Before its first start it is no more than not begun. */
function isOver({ state, hold, override, generation }: Service): boolean {
  // A hold, or a stop for a while, ends by itself.
  if (hold !== null || generation === 0 || (override?.until ?? null) !== null) return false;
  return state.name === 'stopped' || (state.name === 'failed' && state.deadline === null);
}

/** As a shell tells it: 128 and the number of the signal. */
export function codeOf(status: ExitStatus): number {
  switch (status.type) {
    case 'exited':
      return status.code;
    case 'signaled':
      return 128 + (signalNumber(status.signal) ?? 0);
    case 'unknown':
      return unknown;
  }
}
