// Moves new main processes into the groups of their services: together, off the loop, each with all that it has started
// before, also with those that have left it and lost their parent since. It must not know what a group is for, nor how orphans
// are told apart.

import { errorCode } from '../core/error-text.js';
import type { ProcessRef } from '../core/process.js';
import type { ServiceName } from '../core/spec.js';
import type { Report } from '../keeper/ports.js';
import { childrenOf } from './processes-of.js';

export interface Newcomer {
  readonly service: ServiceName;
  readonly process: ProcessRef;
  readonly generation: number;
  readonly memory: number | null;
}

/** A child of ours that a service has left to us. */
export interface Orphan {
  readonly pid: number;
  readonly service: string;
  readonly generation: number;
}

/** Writes to a file of the kernel without holding the loop. */
export type WriteOffLoop = (path: string, text: string) => Promise<void>;

export interface NewcomerParts {
  /** Makes the groups that it goes to; the files that take its pid. */
  readonly prepare: (newcomer: Newcomer) => Promise<readonly string[]>;
  readonly orphans: () => readonly Orphan[];
  readonly write: WriteOffLoop;
  readonly report: Report;
  /** All that it has started is in its group now, and what they start from now on is born there. */
  readonly onMoved: (newcomer: Newcomer) => void;
}

const LANES = 2; // of libuv's four threads

// A write to cgroup.procs locks out every fork on the host, ours included, for about 7 ms at first and next to nothing right
// after (measured on 6.18, an RCU grace period). In a storm of starts that cost 5 ms a start; so the newcomers are moved
// together, when no more have come for a while.
const QUIET_MS = 250;
/** Where starts never end, they wait no longer than this. */
const LATEST_MS = 2000;

export class Newcomers {
  readonly #parts: NewcomerParts;
  #waiting: Newcomer[] = [];
  /** Those of this round whose turn has not come. */
  #round: Newcomer[] = [];
  #lastRound: Promise<void> = Promise.resolve();
  #quiet: NodeJS.Timeout | null = null;
  #waitingSince = 0;

  constructor(parts: NewcomerParts) {
    this.#parts = parts;
  }

  add(newcomer: Newcomer): void {
    this.#waiting.push(newcomer);
    const now = performance.now();
    if (this.#quiet === null) this.#waitingSince = now;
    else clearTimeout(this.#quiet);
    const wait = Math.max(0, Math.min(QUIET_MS, this.#waitingSince + LATEST_MS - now));
    this.#quiet = setTimeout(() => {
      this.#quiet = null;
      this.#lastRound = this.#lastRound
        .then(() => this.#moveAll())
        .catch((error: unknown) => this.#parts.report('no processes could be put into control groups', error));
    }, wait);
  }

  close(): void {
    if (this.#quiet !== null) clearTimeout(this.#quiet);
    this.#waiting = [];
    this.#round = [];
  }

  async #moveAll(): Promise<void> {
    const all = this.#waiting;
    this.#waiting = [];
    this.#round = [...all];
    const targets = new Map<Newcomer, readonly string[]>();
    const lane = async (): Promise<void> => {
      for (let next = this.#round.shift(); next !== undefined; next = this.#round.shift())
        await this.#try(next.service, () => this.#move(next, targets));
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    const moved = new Map<string, Newcomer>(all.filter((one) => targets.has(one)).map((one) => [keyOf(one), one]));
    await this.#moveOrphans(moved, targets);
    for (const newcomer of moved.values()) this.#parts.onMoved(newcomer);
  }

  async #move(newcomer: Newcomer, targets: Map<Newcomer, readonly string[]>): Promise<void> {
    const files = await this.#parts.prepare(newcomer);
    await this.#moveTree(newcomer.process.pid, files);
    targets.set(newcomer, files);
  }

  /**
   * After the trees: who was in none of them when they were moved has come to us by then. In one look for all newcomers, since
   * the list of a thousand children takes the kernel a millisecond. An orphan that cannot be moved leaves its main process unmoved.
   */
  async #moveOrphans(moved: Map<string, Newcomer>, targets: ReadonlyMap<Newcomer, readonly string[]>): Promise<void> {
    const seen = new Set<number>();
    const isNew = (orphan: Orphan): boolean => moved.has(keyOf(orphan)) && !seen.has(orphan.pid);
    const look = (): readonly Orphan[] => (moved.size === 0 ? [] : this.#parts.orphans().filter(isNew));
    for (let orphans = look(); orphans.length > 0; orphans = look())
      for (const orphan of orphans) {
        seen.add(orphan.pid);
        const newcomer = moved.get(keyOf(orphan));
        if (newcomer === undefined) continue;
        const move = (): Promise<void> => this.#moveTree(orphan.pid, targets.get(newcomer) ?? []);
        if ((await this.#try(orphan.service, move)) === 'failed') moved.delete(keyOf(orphan));
      }
  }

  /** The head first: what it forks from then on is born inside. What it forked before follows, each followed by its own, until nobody new turns up. */
  async #moveTree(head: number, files: readonly string[]): Promise<void> {
    const moved = new Set<number>();
    const waiting: number[] = [head];
    for (let pid = waiting.shift(); pid !== undefined; pid = waiting.shift()) {
      moved.add(pid);
      for (const file of files) await this.#parts.write(file, String(pid)).catch(ignoreGone);
      waiting.push(...childrenOf(pid).filter((child) => !moved.has(child)));
    }
  }

  async #try(service: string, move: () => Promise<void>): Promise<'done' | 'failed'> {
    try {
      await move();
      return 'done';
    } catch (error) {
      this.#parts.report(`the processes of ${service} could not be put into a control group`, error);
      return 'failed';
    }
  }
}

const keyOf = ({ service, generation }: Newcomer | Orphan): string => `${service} ${generation}`;

/** It may end while it is being moved. */
function ignoreGone(error: unknown): void {
  if (errorCode(error) !== 'ESRCH') throw error;
}
