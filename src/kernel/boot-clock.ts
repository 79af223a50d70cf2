// The clock of /proc/uptime: since the machine started, sleep included. Nobody can set it.

import { libc } from './syscalls.js';

const cclockGettime = libc.func('int clock_gettime(int clock, void *time)');
const CLOCK_BOOTTIME = 7;
/** struct timespec. */
const time = Buffer.alloc(16);

/** Seconds, with what follows the point. */
export function bootSeconds(): number {
  cclockGettime(CLOCK_BOOTTIME, time);
  return Number(time.readBigInt64LE(0)) + Number(time.readBigInt64LE(8)) / 1e9;
}

/** The ticks of 10 ms in which /proc/PID/stat gives start times. Of the whole numbers: a fraction rounded is a tick before. */
export function ticksNow(): number {
  cclockGettime(CLOCK_BOOTTIME, time);
  return Number(time.readBigInt64LE(0)) * 100 + Math.floor(Number(time.readBigInt64LE(8)) / 1e7);
}
