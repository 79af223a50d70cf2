// The older memory hierarchy ends one process of a group that is over its limit, where the newer one can be told to end
// them all (memory.oom.group). Here the kernel's word for it is waited for, and the rest is ended by us. Owns the
// descriptors of that waiting; which group belongs to whom is for others.

import { writeFileSync } from 'node:fs';
import type { Report } from '../keeper/ports.js';
import { oomKillsCounted } from './memory-group.js';
import { readText } from './processes-of.js';
import type { Pump } from './pump.js';
import { signalNumber } from './signal-number.js';
import { close, EPOLLIN, eventfd, kill, O_RDONLY, open, read, SystemCallFailure } from './syscalls.js';

// The word comes before the kernel has chosen its victim; it is counted a few milliseconds later.
const PAUSE = 5;
const ATTEMPTS = 100;

interface Watched {
  readonly event: number;
  kills: number;
  timer: NodeJS.Timeout | null;
}

export class OomWatch {
  readonly #pump: Pump;
  readonly #report: Report;
  readonly #watched = new Map<string, Watched>();

  constructor(pump: Pump, report: Report) {
    this.#pump = pump;
    this.#report = report;
  }

  /** From now on, when the kernel has killed somebody of this group for want of memory, all of it are killed. */
  watch(directory: string): void {
    if (this.#watched.has(directory)) return;
    try {
      const control = open(`${directory}/memory.oom_control`, O_RDONLY);
      const event = eventfd();
      try {
        writeFileSync(`${directory}/cgroup.event_control`, `${event} ${control}`);
        const watched: Watched = { event, kills: oomKillsIn(directory), timer: null };
        this.#pump.add(event, EPOLLIN, () => this.#onWord(directory, watched));
        this.#watched.set(directory, watched);
      } catch (error) {
        close(event);
        throw error;
      } finally {
        close(control); // the kernel holds what it needs
      }
    } catch (error) {
      this.#report(`${directory} cannot be watched: over its memory limit one process of it is killed, not all`, error);
    }
  }

  close(): void {
    for (const { event, timer } of this.#watched.values()) {
      if (timer !== null) clearTimeout(timer);
      this.#pump.remove(event);
      close(event);
    }
    this.#watched.clear();
  }

  #onWord(directory: string, watched: Watched): void {
    read(watched.event, Buffer.alloc(8));
    if (watched.timer === null) this.#whenCounted(directory, watched, ATTEMPTS);
  }

  #whenCounted(directory: string, watched: Watched, attempts: number): void {
    watched.timer = null;
    const kills = oomKillsIn(directory);
    if (kills > watched.kills) {
      watched.kills = kills;
      killAll(directory);
    } else if (attempts > 0) {
      watched.timer = setTimeout(() => this.#whenCounted(directory, watched, attempts - 1), PAUSE);
    }
  }
}

const oomKillsIn = (directory: string): number => oomKillsCounted(`${directory}/memory.oom_control`) ?? 0;

/** Until nobody new is in it: who is forked between our look and our signal is seen at the next look. */
function killAll(directory: string): void {
  const number = signalNumber('SIGKILL') ?? 9;
  const seen = new Set<number>();
  for (;;) {
    const news = readText(`${directory}/cgroup.procs`)
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 1 && pid !== process.pid && !seen.has(pid));
    if (news.length === 0) return;
    for (const pid of news) {
      seen.add(pid);
      try {
        // Read a moment ago from a group that nobody joins but by us: the number is a member's.
        kill(pid, number);
      } catch (error) {
        if (!(error instanceof SystemCallFailure)) throw error; // ESRCH
      }
    }
  }
}
