// The askers that there are: one for each account that asks, started when it is needed and sent away when it has had nothing to do
// for a while. A question for which none is free waits for one. Sets no timer: somebody looks after it from time to time. It must
// not know where questions come from; what becomes of a single asker is asker.ts.

import type { Report } from '../keeper/ports.js';
import type { AskerRights } from '../kernel/asker-rights.js';
import { Asker, type Open } from './asker.js';
import { AskerPauses } from './asker-pauses.js';
import type { StartAsker } from './asker-process.js';

export interface AskerPoolParts {
  readonly start: StartAsker;
  /** By the leaders of their sessions. */
  readonly endPrograms: (leaders: readonly number[], uid: number) => void;
  readonly report: Report;
  /** Milliseconds on a monotonic clock. */
  readonly now: () => number;
}

/** Starting one costs 50 ms of processor, keeping one 45 MB. */
export const LINGER_MS = 5 * 60_000;
/** Who waits for a free asker, or a secret, waits so long: together with its own time less than the core has patience for. */
const LONGEST_WAIT_MS = 5000;

/** Until when a question that came now waits for what it needs to be asked. */
export const waitsUntil = ({ order }: Open, now: number): number => now + Math.min(order.timeout, LONGEST_WAIT_MS);

interface Waiting {
  readonly open: Open;
  readonly rights: AskerRights;
}

export class AskerPool {
  readonly #parts: AskerPoolParts;
  readonly #askers = new Map<string, Asker>();
  readonly #pauses: AskerPauses;
  /** Those for whom no asker is free; with when that has lasted too long. */
  readonly #waiting = new Map<Waiting, number>();
  #limit = 1;
  #life: 'open' | 'closed' = 'open';

  constructor(parts: AskerPoolParts) {
    this.#parts = parts;
    this.#pauses = new AskerPauses(parts.now);
  }

  /** How many askers there may be (`keeper.limits.askers`). */
  set limit(count: number) {
    this.#limit = count;
    while (this.#askers.size > count && this.#dismissIdle() === 'done');
    this.#serveWaiting();
  }

  /** `busy`: somebody waits for an answer. */
  get state(): 'closed' | 'empty' | 'idle' | 'busy' {
    if (this.#life === 'closed') return 'closed';
    if (this.#waiting.size > 0 || [...this.#askers.values()].some(({ isIdle }) => !isIdle)) return 'busy';
    return this.#askers.size === 0 ? 'empty' : 'idle';
  }

  /** To its asker; where there is none to a new one, or to the end of the queue. */
  ask(open: Open, rights: AskerRights, until = waitsUntil(open, this.#parts.now())): void {
    if (this.#life === 'closed') {
      open.giveUp('the keeper is ending');
      return;
    }
    const key = keyOf(rights);
    const problem = this.#pauses.problemOf(key);
    const asker = this.#askers.get(key);
    if (asker !== undefined) asker.ask(open);
    else if (problem !== null) open.giveUp(problem);
    else if (this.#askers.size < this.#limit || this.#dismissIdle() === 'done') this.#start(key, rights).ask(open);
    else this.#waiting.set({ open, rights }, until);
  }

  /** Nobody waits for these answers any more. */
  cancel(isMeant: (open: Open) => boolean): void {
    for (const waiting of [...this.#waiting.keys()]) if (isMeant(waiting.open)) this.#waiting.delete(waiting);
    // An asker that becomes idle may make room for another.
    for (const asker of [...this.#askers.values()]) asker.cancel(isMeant);
  }

  /** Gives up what has waited for too long, ends who does not answer, and dismisses who has nothing to do. */
  look(): void {
    const now = this.#parts.now();
    for (const [waiting, until] of [...this.#waiting]) {
      if (now < until || !this.#waiting.delete(waiting)) continue;
      waiting.open.giveUp(`no asker is free (${this.#limit} at most); raise keeper.limits.askers`);
    }
    for (const [key, asker] of [...this.#askers]) {
      if (!asker.isIdle) asker.look();
      else if (now - asker.usedAt >= LINGER_MS) this.#dismiss(key, asker);
    }
  }

  close(): void {
    this.#life = 'closed';
    for (const { open } of this.#waiting.keys()) open.giveUp('the keeper is ending');
    this.#waiting.clear();
    for (const asker of [...this.#askers.values()]) asker.kill('ends with the keeper');
  }

  #start(key: string, rights: AskerRights): Asker {
    const { start, now } = this.#parts;
    const asker: Asker = new Asker({
      rights,
      start,
      now,
      onIdle: () => this.#serveWaiting(),
      onGone: (how, was) => this.#lose(key, asker, how, was),
      endPrograms: (leaders) => this.#endPrograms(leaders, rights),
    });
    this.#askers.set(key, asker);
    return asker;
  }

  #lose(key: string, asker: Asker, how: string, was: 'useful' | 'useless'): void {
    if (this.#askers.get(key) === asker) this.#askers.delete(key);
    this.#pauses.note(key, how, was);
    this.#serveWaiting();
  }

  /** Where that fails, as without a descriptor left, the questions of a lost asker are given up all the same. */
  #endPrograms(leaders: readonly number[], { uid }: AskerRights): void {
    try {
      this.#parts.endPrograms(leaders, uid);
    } catch (error) {
      const which = `pid ${leaders.join(', ')} of uid ${uid}`;
      this.#parts.report(`what an asker left behind cannot be ended (${which})`, error);
    }
  }

  /** The one that has had nothing to do for longest makes room for another. */
  #dismissIdle(): 'done' | 'none is idle' {
    const idle = [...this.#askers].filter(([, { isIdle }]) => isIdle);
    const [longest] = idle.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (longest === undefined) return 'none is idle';
    this.#dismiss(...longest);
    return 'done';
  }

  #dismiss(key: string, asker: Asker): void {
    this.#askers.delete(key);
    asker.dismiss();
  }

  #serveWaiting(): void {
    if (this.#waiting.size === 0 || this.#life === 'closed') return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [{ open, rights }, until] of waiting) this.ask(open, rights, until);
  }
}

const keyOf = ({ uid, gid }: AskerRights): string => `${uid}:${gid}`;
