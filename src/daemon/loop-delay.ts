// How long the keeper's loop was held at the longest: a histogram of Node's own, which costs a timer of its own. So it is
// on only while somebody asks: `upkeep status --keeper` shows what the last minute had.

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { inWords } from '../core/status.js';
import { millis } from '../core/time.js';
import { bootSeconds } from '../kernel/boot-clock.js';

/** A keeper that nobody looks at does not wake up to measure itself. */
const lookedAtFor = 60_000;
const resolution = 10;
/** What is longer is told, and no service is blamed for it. */
const stallLimit = 2000;

export interface LoopWatch {
  readonly counters: () => Readonly<Record<string, number>>;
  /** A timer that comes anyway had its turn this many milliseconds too late. */
  readonly late: (by: number) => 'steady' | 'stood still';
  close(): void;
}

export function watchLoop(say: (text: string) => void, slept: () => number = sleptMillis): LoopWatch {
  let stalls = 0;
  let longestStall = 0;
  let suspensions = 0;
  let known = slept();
  let histogram: IntervalHistogram | null = null;
  let off: NodeJS.Timeout | null = null;
  const stop = (): void => {
    histogram?.disable();
    histogram = null;
  };
  return {
    counters: () => {
      if (off !== null) clearTimeout(off);
      off = setTimeout(stop, lookedAtFor);
      off.unref();
      if (histogram === null) {
        histogram = monitorEventLoopDelay({ resolution });
        histogram.enable();
      }
      const loopDelayMaxMs = Math.max(0, histogram.max / 1e6 - resolution);
      return { loopDelayMaxMs, stalls, longestStallMs: longestStall, suspensions };
    },
    late: (by) => {
      const sleep = slept() - known;
      known += sleep;
      if (sleep >= stallLimit) {
        suspensions += 1;
        say(`the machine was suspended for ${inWords(millis(sleep))}`);
      }
      if (by < stallLimit) return sleep >= stallLimit ? 'stood still' : 'steady';
      stalls += 1;
      longestStall = Math.max(longestStall, by);
      say(`the keeper stood still for at least ${inWords(millis(by))}; what started meanwhile is given its time anew`);
      return 'stood still';
    },
    close: () => {
      if (off !== null) clearTimeout(off);
      stop();
    },
  };
}

/** How long the machine has slept since it started: the clock that counts sleep less the one that does not. */
const sleptMillis = (): number => bootSeconds() * 1000 - Number(process.hrtime.bigint()) / 1e6;
