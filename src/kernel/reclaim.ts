// Finds a process that an earlier keeper started without living to write its birth down: by the token in its environment,
// as the leader of its own session, run by who must have run it, with a parent that an orphan of ours can have. A token alone is
// inherited by grandchildren and can be forged, so it is never enough.

import { readdirSync } from 'node:fs';
import type { ProcessRef } from '../core/process.js';
import type { Features } from './features.js';
import { identify, readStat } from './identity.js';
import { hasVariable } from './processes-of.js';
import { close } from './syscalls.js';

/** The process, or null when nothing of it lives. */
export function findByToken(token: string, features: Features): ProcessRef | null {
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!(pid > 1) || pid === process.pid) continue;
    const stat = readStat(pid);
    // Every process that we start begins a session, and its parent is we, or who took over our orphans.
    if (stat === null || stat.session !== pid || !isOrphanOfOurs(stat.ppid)) continue;
    if (!hasVariable(pid, 'UPKEEP_TOKEN', token)) continue;
    const found = identify(pid, features);
    if (found === null) continue;
    if (found.pidfd !== null) close(found.pidfd);
    return found.process;
  }
  return null;
}

/** Init, ourselves, whoever started us (a guard), or another subreaper: none of which is below a service. */
function isOrphanOfOurs(ppid: number): boolean {
  if (ppid <= 1 || ppid === process.pid || ppid === process.ppid) return true;
  for (let pid = process.ppid; pid > 1; ) {
    const stat = readStat(pid);
    if (stat === null) return false;
    if (stat.ppid === ppid) return true;
    pid = stat.ppid;
  }
  return false;
}
