// The guard that waits between two lives of its keeper, when no keeper is there to be asked: found by the pid that
// lib/start.sh wrote, and believed only when that process runs our guard.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Target } from './target.js';

/** Asks it to end; its keeper, if it has one, is asked too. The pid; null: there is none. */
export function endGuard({ runtime, scripts }: Target): number | null {
  try {
    const pid = Number.parseInt(readFileSync(join(runtime, 'guard.pid'), 'utf8'), 10);
    if (!(pid > 1)) return null;
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    if (!words.includes(join(scripts, 'guard.sh'))) return null;
    process.kill(pid, 'SIGTERM');
    return pid;
  } catch {
    return null;
  }
}
