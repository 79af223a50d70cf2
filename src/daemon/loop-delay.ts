// How long the keeper's loop was held at the longest: a histogram of Node's own, which costs a timer of its own. So it is
// on only while somebody asks: `upkeep status --keeper` shows what the last minute had.

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** A keeper that nobody looks at does not wake up to measure itself. */
const lookedAtFor = 60_000;
const resolution = 10;

export interface LoopWatch {
  readonly counters: () => Readonly<Record<string, number>>;
  close(): void;
}

export function watchLoop(): LoopWatch {
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
      return { loopDelayMaxMs: Math.max(0, histogram.max / 1e6 - resolution) };
    },
    close: () => {
      if (off !== null) clearTimeout(off);
      stop();
    },
  };
}
