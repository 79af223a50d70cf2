// A clock for what is given one, with its timers.

import { wallTime } from '../../src/core/time.js';

/** A clock that stands still until somebody moves it. */
export class HandClock {
  ms = 0;
  timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  now = (): number => this.ms;
  wall = () => wallTime(1_000_000 + this.ms);
  random = (): number => 0.5;
  after = (ms: number, callback: () => void): (() => void) => {
    const timer = { at: this.ms + ms, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  };
  pass(ms: number): void {
    const end = this.ms + ms;
    for (;;) {
      const next = [...this.timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.timers.delete(next);
      this.ms = Math.max(this.ms, next.at);
      next.callback();
    }
    this.ms = end;
  }
}
