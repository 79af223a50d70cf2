// When the machine started, by the clock of the wall: what turns ticks since then into a time for people. Two clocks are
// read one after the other, so that the difference jitters; whoever compares two answers must not see it.

import { bootSeconds } from '../kernel/boot-clock.js';

/** What differs less is the same: the kernel's ticks are 10 ms. Somebody who sets the clock moves it by more. */
const jitter = 20;

/** Milliseconds since 1970 at which the machine started, asked at the wall time `wall`. */
export type BootWall = (wall: number) => number;

export function bootWallOf(uptime: () => number = () => bootSeconds() * 1000): BootWall {
  let known = Number.NEGATIVE_INFINITY;
  return (wall) => {
    const found = wall - uptime();
    if (Math.abs(found - known) > jitter) known = found;
    return known;
  };
}
