// How long no asker of an account is started after one that came to nothing: started again and again it would cost more than it
// asks. It must not know askers.

import { inWords } from '../core/time.js';

const FIRST_MS = 1000;
const LONGEST_MS = 60_000;

interface Pause {
  readonly until: number;
  /** In a row that ended without an answer. */
  readonly failures: number;
  readonly problem: string;
}

export class AskerPauses {
  readonly #now: () => number;
  readonly #pauses = new Map<string, Pause>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Why none is started now; null: one may be. */
  problemOf(account: string): string | null {
    const pause = this.#pauses.get(account);
    return pause !== undefined && this.#now() < pause.until ? pause.problem : null;
  }

  /** One is gone; `how` is what is said of it. `useful`: it had answered, so that the next may. */
  note(account: string, how: string, was: 'useful' | 'useless'): void {
    if (was === 'useful') {
      this.#pauses.delete(account);
      return;
    }
    const failures = (this.#pauses.get(account)?.failures ?? 0) + 1;
    const length = Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS);
    const problem = `the asker ${how}; another is started after ${inWords(length)}`;
    this.#pauses.set(account, { until: this.#now() + length, failures, problem });
  }
}
