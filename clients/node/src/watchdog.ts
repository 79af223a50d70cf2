// Tells the manager that the event loop turns. The pings come from a timer of the loop itself and never from a worker: a loop
// that is blocked is to fall silent.

import type { Notify } from './notify.js';

/** How often to ping, in ms: half of what sd_watchdog_enabled(3) says; null where nobody waits for it. */
export function watchdogIn(env: NodeJS.ProcessEnv, pid: number): number | null {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: meant } = env;
  if (usec === undefined || !/^\d+$/.test(usec)) return null;
  // A child of the process that is watched inherits the variables: it is not meant.
  if (meant !== undefined && meant !== '' && meant !== String(pid)) return null;
  const period = Number(usec) / 2000;
  // 2^64 − 1 is "infinity".
  return period > 0 && period < 2 ** 31 ? Math.max(1, Math.floor(period)) : null;
}

/** Pings now and from now on; keeps no process alive. Returns how to stop. */
export function startWatchdog(period: number, notify: Notify): () => void {
  void notify(['WATCHDOG=1']);
  const timer = setInterval(() => void notify(['WATCHDOG=1']), period).unref();
  return () => clearInterval(timer);
}
