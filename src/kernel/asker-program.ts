// Ends the programs that an asker had started and left behind. Which ones is known from the asker alone, and that is another user's:
// nothing is ended that this user could not have ended himself.

import { readdirSync, statSync } from 'node:fs';
import { asPid } from '../core/process.js';
import type { Features } from './features.js';
import { readStat } from './identity.js';
import { childrenOf } from './processes-of.js';
import { signalProcess } from './signals.js';

/** All of these sessions and their descendants that are this user's. @throws Error: without a descriptor left */
export function endSessionsOf(leaders: readonly number[], uid: number, features: Features): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const members = new Set(pids.map(Number).filter((pid) => leaders.includes(readStat(pid)?.session ?? 0)));
  // A set tells of those that join it while it is gone through.
  for (const pid of members) for (const child of childrenOf(pid)) members.add(child);
  for (const pid of members) {
    const stat = readStat(pid);
    if (stat === null || ownerOf(pid) !== uid) continue;
    signalProcess({ pid: asPid(pid), startTicks: stat.startTicks, inode: null }, 'SIGKILL', features);
  }
}

const ownerOf = (pid: number): number | null => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? null;
