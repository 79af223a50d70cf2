// Descriptors kept back. A keeper that has none left can neither signal nor end what it keeps, nor hear an operator: so
// it stops starting things a little earlier, and keeps two for what must be done all the same. Knows no services.

import { close, fcntl, O_RDONLY, open, prlimit, SystemCallFailure } from './syscalls.js';

const F_DUPFD_CLOEXEC = 1030;
const RLIMIT_NOFILE = 7;
const ANY = open('/dev/null', O_RDONLY);

/**
 * Free descriptors without which nothing is started: for looks, pid files, readiness, and operators on the control socket.
 * What has run before takes no more than it had.
 */
const ROOM = { first: 16, again: 4 };

class Reserve {
  #held: number[] = [];

  /** The lowest number that was free when it was last filled. */
  get lowest(): number {
    return this.#held[0] ?? 3;
  }

  /** Two: a process is named through a pidfd and a file of /proc. @throws SystemCallFailure: EMFILE */
  take(): void {
    while (this.#held.length < 2) this.#held.push(fcntl(ANY, F_DUPFD_CLOEXEC, 3));
  }

  release(): void {
    for (const fd of this.#held) close(fd);
    this.#held = [];
  }

  refill(): void {
    try {
      this.take();
    } catch (error) {
      if (!(error instanceof SystemCallFailure)) throw error; // then the next start says so
    }
  }

  /** Does it, with what is kept back if it cannot be done without. What has been done of it is done again then. */
  lend<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof SystemCallFailure) || error.errno !== 'EMFILE') throw error;
    }
    this.release();
    try {
      return action();
    } finally {
      this.refill();
    }
  }
}

export const reserve = new Reserve();

/** Are there descriptors enough to start something? Three calls where there are. */
export function hasRoom(start: 'first' | 'again'): boolean {
  const room = ROOM[start];
  const { soft } = prlimit(0, RLIMIT_NOFILE, null);
  if (soft === null) return true;
  // The kernel gives the lowest that is free: where this very one is, the numbers above were hardly reached.
  const first = Math.max(3, soft - room);
  const taken: number[] = [];
  try {
    if (tryTake(taken, first) === first) return true;
    while (taken.length < room) if (tryTake(taken, 3) === null) return false;
    return true;
  } finally {
    for (const fd of taken) close(fd);
  }
}

function tryTake(taken: number[], from: number): number | null {
  try {
    const fd = fcntl(ANY, F_DUPFD_CLOEXEC, from);
    taken.push(fd);
    return fd;
  } catch (error) {
    // EMFILE: none from there on. EINVAL: the limit is lower than that.
    if (!(error instanceof SystemCallFailure)) throw error;
    return null;
  }
}
