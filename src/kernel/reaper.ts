// Orphans of our services come to us (PR_SET_CHILD_SUBREAPER) and have to be reaped, or they stay zombies: the process in
// the middle of every double fork is one. Owns no followed process, and must not take libuv's children away from it.

import { readStat } from './identity.js';
import { ownChildren } from './processes-of.js';
import { P_PID, reap, SystemCallFailure } from './syscalls.js';

// libuv reaps its own children in the turn of the loop that their SIGCHLD comes in. What is still a zombie a second later
// is nobody else's.
const PATIENCE = 1000;

export class Reaper {
  readonly #isFollowed: (pid: number) => boolean;
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
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#sweep();
    }, PATIENCE);
    this.#timer.unref();
  }

  #sweep(): void {
    for (const pid of ownChildren()) {
      if (this.#isFollowed(pid) || readStat(pid)?.state !== 'Z') continue;
      try {
        reap(P_PID, pid);
      } catch (error) {
        if (!(error instanceof SystemCallFailure)) throw error;
      }
    }
  }
}
