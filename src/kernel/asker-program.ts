// Ends a program that an asker had started and left behind. Which one is known from the asker alone, and that is another user's:
// nothing is ended that this user could not have ended himself.

import { readdirSync, statSync } from 'node:fs';
import { asPid } from '../core/process.js';
import type { Features } from './features.js';
import { readStat } from './identity.js';
import { signalProcess } from './signals.js';

/** All of its session that is this user's. @throws SystemCallFailure */
export function endSessionOf(leader: number, uid: number, features: Features): void {
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : null;
    if (stat === null || stat.session !== leader || ownerOf(name) !== uid) continue;
    signalProcess({ pid: asPid(Number(name)), startTicks: stat.startTicks, inode: null }, 'SIGKILL', features);
  }
}

const ownerOf = (pid: string): number | null => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? null;
