// When the machine started, by the clock of the wall: what turns ticks since then into a time for people. Two clocks are
// read one after the other, so that the difference jitters; whoever compares two answers, of two keepers even, must not see it.

import { bootWallMillis } from '../kernel/boot-clock.js';

/** The kernel's ticks are 10 ms: no start of a process is known better. */
const tick = 10;

/** What differs less is the same. Somebody who sets the clock moves it by more. */
const jitter = 20;

/** Milliseconds since 1970 at which the machine started, to the tick before: nothing is told later than it was. */
export type BootWall = () => number;

export function bootWallOf(measured: BootWall = bootWallMillis): BootWall {
  let known = Number.NEGATIVE_INFINITY;
  return () => {
    const found = Math.floor(measured() / tick) * tick;
    if (Math.abs(found - known) > jitter) known = found;
    return known;
  };
}
