// What belongs to a program that was started as the leader of a session, and its end. Told from /proc, as everybody sees it. Who
// left the session is found as long as his parents live; who did both, as a daemon does, is nobody's any more.

import { readdirSync, readFileSync } from 'node:fs';

/** Its group, whoever of its session has made a group of his own, as an interactive shell does for each job, and all descendants. */
export function killSession(leader: number): void {
  // Before their parents end, and they are nobody's.
  const members = membersOf(leader, everybody());
  killGroup(leader);
  for (const pid of members) kill(pid);
}

export const killGroup = (leader: number): void => kill(-leader);

interface Kin {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
}

function membersOf(leader: number, all: readonly Kin[]): ReadonlySet<number> {
  const members = new Set(all.filter(({ session }) => session === leader).map(({ pid }) => pid));
  // A set tells of those that join it while it is gone through.
  for (const pid of members) for (const child of all) if (child.parent === pid) members.add(child.pid);
  return members;
}

function everybody(): readonly Kin[] {
  try {
    return readdirSync('/proc').flatMap(kinOf);
  } catch {
    return []; // without a descriptor left; the group is killed all the same
  }
}

/** pid (comm) state ppid pgrp session: a name may hold anything, also parentheses. */
function kinOf(name: string): readonly Kin[] {
  if (!/^\d+$/.test(name)) return [];
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
    const [, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 4);
    return [{ pid: Number(name), parent: Number(parent), session: Number(session) }];
  } catch {
    return []; // it has ended meanwhile
  }
}

function kill(target: number): void {
  try {
    process.kill(target, 'SIGKILL');
  } catch {
    // ESRCH: it has ended; EPERM: all of it belongs to somebody else by now.
  }
}
