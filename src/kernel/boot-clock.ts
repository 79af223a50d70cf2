// The clock of /proc/uptime: since the machine started, sleep included. Nobody can set it.

import { libc } from './syscalls.js';

const cclockGettime = libc.func('int clock_gettime(int clock, void *time)');
const CLOCK_REALTIME = 0;
const CLOCK_BOOTTIME = 7;
/** struct timespec. */
const time = Buffer.alloc(16);

/** Seconds, with what follows the point. */
export function bootSeconds(): number {
  cclockGettime(CLOCK_BOOTTIME, time);
  return Number(time.readBigInt64LE(0)) + Number(time.readBigInt64LE(8)) / 1e9;
}

/**
 * Milliseconds since 1970 at which the machine started, to some microseconds: of three readings the one in which least
 * came between the clocks. Date.now() leaves out what follows the millisecond, which is another part of it each time.
 */
export function bootWallMillis(): number {
  let [best, narrowest] = [0, Number.POSITIVE_INFINITY];
  for (let i = 0; i < 3; i += 1) {
    const before = nanoseconds(CLOCK_BOOTTIME);
    const wall = nanoseconds(CLOCK_REALTIME);
    const between = Number(nanoseconds(CLOCK_BOOTTIME) - before);
    if (between < narrowest) [best, narrowest] = [Number(wall - before) - between / 2, between];
  }
  return best / 1e6;
}

function nanoseconds(clock: number): bigint {
  cclockGettime(clock, time);
  return time.readBigInt64LE(0) * 1_000_000_000n + time.readBigInt64LE(8);
}

/** The ticks of 10 ms in which /proc/PID/stat gives start times. Of the whole numbers: a fraction rounded is a tick before. */
export function ticksNow(): number {
  cclockGettime(CLOCK_BOOTTIME, time);
  return Number(time.readBigInt64LE(0)) * 100 + Math.floor(Number(time.readBigInt64LE(8)) / 1e7);
}
