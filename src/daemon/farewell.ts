// The end of the keeper as its owner is to understand it: on purpose, and to stay so, or just an end after which it is
// started again. Knows who owns the keeper, not how it is installed.

import type { Sender } from '../core/death.js';
import { personOf } from '../core/person.js';
import type { HostPhase } from '../core/time.js';
import { bootId, markPath, markText, removeMark } from '../install/stopped-mark.js';
import { isVia, type Via } from '../install/via.js';
import { type WriteJob, writeJob } from '../journal/job.js';

/** The status by which systemd knows that the end was meant (RestartPreventExitStatus in its unit). */
const meant = 100;

/** Who starts this keeper again, by the word of whoever started it, or by its parent; null: nobody, or a guard that is gone. */
export function ownerOf(env: NodeJS.ProcessEnv, ppid: number = process.ppid): Via | null {
  const { UPKEEP_OWNER: via, UPKEEP_GUARD: guard = '' } = env;
  if (guard !== '' && guard !== String(ppid)) return null;
  if (via !== undefined && isVia(via)) return via;
  return guard === '' ? null : 'guard';
}

export class Farewell {
  readonly #state: string;
  readonly #owner: Via | null;
  readonly #send: (job: WriteJob) => void;
  #end: 'of itself' | 'meant' = 'of itself';
  #by: Sender | null = null;

  constructor(state: string, owner: Via | null, send: (job: WriteJob) => void) {
    this.#state = state;
    this.#owner = owner;
    this.#send = send;
  }

  /** A keeper starts: whoever stopped the one before has been overruled. */
  begin(): void {
    removeMark(this.#state);
  }

  /** `upkeep shutdown`: leaves the mark that every owner honours. The disk thread is flushed before the keeper ends. */
  shutDown(by: Sender): void {
    this.#end = 'meant';
    this.#by = by;
    const mark = markText({ boot: bootId(), at: new Date().toISOString(), by: personOf(by) ?? 'somebody' });
    this.#send(writeJob(markPath(this.#state), mark));
  }

  /** Who has shut it down; null: nobody that we know. */
  get by(): Sender | null {
    return this.#by;
  }

  /** The exit code in place of 0. */
  get exitCode(): number {
    return this.#end === 'meant' && this.#owner === 'systemd' ? meant : 0;
  }
}

/** Services are left alone for the next keeper; a host that goes down has none, and stops them in order. */
export async function howToEnd(wish: 'leave' | 'stop', ask: () => Promise<HostPhase>): Promise<'leave' | 'stop'> {
  return wish === 'leave' && (await ask()) === 'ending' ? 'stop' : wish;
}
