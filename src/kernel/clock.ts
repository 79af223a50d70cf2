// The clocks of the host, and the keeper's one wake-up. It must not know what anybody wakes up for.

import { instant, wallTime } from '../core/time.js';
import type { Clock } from '../keeper/ports.js';

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
