// Ending a start, stop or reload command that hangs, with what it started, but not the daemon that it brought up.

import { readdirSync } from 'node:fs';
import { asPid, type ProcessRef } from '../core/process.js';
import type { Features } from './features.js';
import { isDead, readStat } from './identity.js';
import { signalProcess } from './signals.js';
import { SystemCallFailure } from './syscalls.js';

/** What a command that does not hear SIGTERM is given before SIGKILL. */
const PATIENCE = 2000;

/** SIGTERM to the helper's session, SIGKILL to who is left of it. `spares`: a process that is the watched daemon itself. */
export function endHelper(helper: ProcessRef, features: Features, spares: (pid: number) => boolean): void {
  const condemned = membersOf(helper).filter(({ pid }) => !spares(pid));
  for (const member of condemned) send(member, 'SIGTERM', features);
  for (const member of condemned) send(member, 'SIGCONT', features);
  setTimeout(() => {
    const late = membersOf(helper).filter(({ pid }) => !spares(pid));
    for (const member of [...condemned, ...late]) send(member, 'SIGKILL', features);
  }, PATIENCE).unref();
}

function send(member: ProcessRef, signal: 'SIGTERM' | 'SIGCONT' | 'SIGKILL', features: Features): void {
  try {
    signalProcess(member, signal, features);
  } catch (error) {
    if (!(error instanceof SystemCallFailure)) throw error;
  }
}

/** The helper and its session, in the form in which they can be told from strangers later. */
function membersOf(helper: ProcessRef): readonly ProcessRef[] {
  const members: ProcessRef[] = [helper];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!(pid > 1) || pid === helper.pid) continue;
    const stat = readStat(pid);
    if (stat !== null && !isDead(stat) && stat.session === helper.pid && stat.startTicks >= helper.startTicks) {
      members.push({ pid: asPid(pid), startTicks: stat.startTicks, inode: null });
    }
  }
  return members;
}
