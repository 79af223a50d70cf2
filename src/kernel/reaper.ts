// Orphans of our services come to us (PR_SET_CHILD_SUBREAPER) and have to be reaped, or they stay zombies: the process in
// the middle of every double fork is one. Owns no followed process, and must not take libuv's children away from it.

import { readStat } from './identity.js';
import { ownChildren } from './processes-of.js';
import { P_PID, reap, SystemCallFailure } from './syscalls.js';

/** Between two sweeps, in ms; orphans that nobody reaps cost nothing meanwhile. */
const PAUSE = 200;

export class Reaper {
  readonly #isFollowed: (pid: number) => boolean;
  /** Zombies of the last sweep: pid to start time. */
  #seen = new Map<number, number>();
  #timer: NodeJS.Timeout | null = null;
  readonly #onChild = (): void => this.#soon();

  /** `isFollowed`: whose end others take. */
  constructor(isFollowed: (pid: number) => boolean) {
    this.#isFollowed = isFollowed;
    process.on('SIGCHLD', this.#onChild);
  }

  close(): void {
    process.off('SIGCHLD', this.#onChild);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #soon(): void {
    // Not at every SIGCHLD: a thousand deaths in a row would read a list of a thousand children each.
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#sweep();
      if (this.#seen.size > 0) this.#soon();
    }, PAUSE);
    this.#timer.unref();
  }

  /**
   * Reaps whom two sweeps have seen dead. Between two turns of our timer the loop has polled, and libuv has reaped its own:
   * one that is seen for the first time may still be waited for by child_process.
   */
  #sweep(): void {
    const seen = new Map<number, number>();
    for (const pid of ownChildren()) {
      const stat = this.#isFollowed(pid) ? null : readStat(pid);
      if (stat?.state !== 'Z') continue;
      if (this.#seen.get(pid) === stat.startTicks) reapOrphan(pid);
      else seen.set(pid, stat.startTicks);
    }
    this.#seen = seen;
  }
}

function reapOrphan(pid: number): void {
  try {
    reap(P_PID, pid);
  } catch (error) {
    if (!(error instanceof SystemCallFailure)) throw error;
  }
}
