// The clock of /proc/uptime: seconds since the machine started, sleep included. Nobody can set it.

import { libc } from './syscalls.js';

const cclockGettime = libc.func('int clock_gettime(int clock, void *time)');
const CLOCK_BOOTTIME = 7;
const time = Buffer.alloc(16);

export function bootSeconds(): number {
  cclockGettime(CLOCK_BOOTTIME, time);
  return Number(time.readBigInt64LE(0)) + Number(time.readBigInt64LE(8)) / 1e9;
}
