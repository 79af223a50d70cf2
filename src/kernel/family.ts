// Who belongs to a process that we started: its session, which nobody can join from outside, and the orphans that came to
// us. Sought among our own descendants where orphans come to us, else among all processes, in slices. It must not know what
// is done with them.

import { readdirSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { asPid, type ProcessRef } from '../core/process.js';
import { isDead, readStat, type Stat } from './identity.js';
import { childrenOf, ownChildren } from './processes-of.js';

/** Processes looked at before the loop gets its turn: about 0.4 ms. */
const SLICE = 40;

/** Living members of the session that this process began, itself not among them. */
export async function sessionOf(leader: ProcessRef): Promise<readonly ProcessRef[]> {
  if (!keepsItsNumber(leader)) return [];
  const members: ProcessRef[] = [];
  for (const [i, name] of readdirSync('/proc').entries()) {
    if (i % SLICE === SLICE - 1) await setImmediate();
    const pid = Number(name);
    const stat = pid > 1 ? readStat(pid) : null;
    if (stat !== null && isMember(pid, stat, leader)) members.push(refOf(pid, stat));
  }
  return members;
}

export interface Kin {
  /** An orphan that came to us: is it of this family? Asked of children of ours that are in no session of the family. */
  isOurs(pid: number): boolean;
  /** Somebody else's: neither it nor what is below it counts. */
  isOthers(pid: number): boolean;
}

/**
 * Living descendants of a process that this keeper has started itself: its session, and the orphans of the family with
 * their offspring. Complete only where orphans come to us.
 */
export const descendantsOf = (leader: ProcessRef, kin: Kin): readonly ProcessRef[] => [...eachDescendant(leader, kin)];

/** One after another, for whoever has to leave the loop its turn in between. */
export function* eachDescendant(leader: ProcessRef, kin: Kin): Generator<ProcessRef, undefined> {
  const head = readStat(leader.pid);
  const isIntact = head === null || head.startTicks === leader.startTicks;
  const below = isIntact && head !== null ? childrenOf(leader.pid) : [];
  const waiting = below.map((pid) => ({ pid, under: 'member' as 'member' | 'us' }));
  for (const pid of ownChildren()) if (pid !== leader.pid) waiting.push({ pid, under: 'us' });
  const seen = new Set<number>([leader.pid]);
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { pid, under } = next;
    if (seen.has(pid) || kin.isOthers(pid)) continue;
    seen.add(pid);
    const stat = readStat(pid);
    if (stat === null) continue;
    if (under === 'us' && !(isIntact && isMember(pid, stat, leader)) && !kin.isOurs(pid)) continue;
    if (!isDead(stat)) yield refOf(pid, stat);
    for (const child of childrenOf(pid)) waiting.push({ pid: child, under: 'member' });
  }
}

const refOf = (pid: number, stat: Stat): ProcessRef => ({ pid: asPid(pid), startTicks: stat.startTicks, inode: null });

const isMember = (pid: number, stat: Stat, leader: ProcessRef): boolean =>
  pid !== leader.pid && !isDead(stat) && stat.session === leader.pid && stat.startTicks >= leader.startTicks;

/** A pid is not given out anew while it numbers a session: if somebody else has it, nobody of the session is left. */
function keepsItsNumber(leader: ProcessRef): boolean {
  const stat = readStat(leader.pid);
  return stat === null || stat.startTicks === leader.startTicks;
}
