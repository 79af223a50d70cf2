// The clocks of the host, and the keeper's one wake-up. It must not know what anybody wakes up for.

import { instant, wallTime } from '../core/time.js';
import type { Clock } from '../keeper/ports.js';
import { libc } from './syscalls.js';

/** The longest that a timer of Node sleeps: 2^31 − 1 ms; longer ones would fire at once. */
const LONGEST = 0x7fffffff;

/** CLOCK_MONOTONIC (since boot, comparable across keepers), the wall clock, randomness, and one timer. */
export function createClock(): Clock {
  let timer: NodeJS.Timeout | null = null;
  const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6;
  const wakeAt: Clock['wakeAt'] = (at, callback) => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (at === null) return;
    const delay = Math.min(LONGEST, Math.max(1, Math.ceil(at - monotonic())));
    timer = setTimeout(() => {
      // libuv's clock is that of the last loop turn in whole milliseconds: it may come early.
      if (monotonic() < at) wakeAt(at, callback);
      else callback();
    }, delay);
  };
  return {
    now: () => ({ instant: instant(monotonic()), wall: wallTime(Date.now()), random: Math.random() }),
    wakeAt,
  };
}

const cclockGettime = libc.func('int clock_gettime(int clock, void *time)');
const CLOCK_BOOTTIME = 7;
const time = Buffer.alloc(16);

/** Now, in the ticks of 10 ms since boot (sleep included) in which /proc/PID/stat gives start times. */
export function ticksNow(): number {
  cclockGettime(CLOCK_BOOTTIME, time);
  return Number(time.readBigInt64LE(0)) * 100 + Math.floor(Number(time.readBigInt64LE(8)) / 1e7);
}
