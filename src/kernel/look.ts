// Puts together what a look tells of one service: the matches that were found, and what the pid file says of them.
// It must not know when to look, nor which of the matches is the main process.

import { realpathSync, statSync } from 'node:fs';
import { type Host, type Matcher, matcherOf } from '../core/match.js';
import type { Look, Pattern, PidFile, ProcessFacts } from '../core/pattern.js';
import { findUser } from './account.js';
import { fileId } from './facts.js';
import type { Features } from './features.js';
import { readPidFile, whoElseCouldWrite } from './pid-file.js';
import { type Finding, judgeProcess } from './processes.js';

/** What the words of a pattern mean on this host. */
export const HOST: Host = {
  file: (path) => {
    try {
      const stat = statSync(path, { bigint: true });
      // Asking each process for its file costs as much again, and only a hard link makes it necessary.
      return { path: realpathSync.native(path), id: stat.nlink > 1n ? fileId(stat) : null };
    } catch {
      return null; // not there now: matched by its words alone
    }
  },
  uid: (user) => findUser(user)?.uid ?? null,
  keeper: process.pid,
};

/** What is known of a service's processes; `found` by pid. */
export interface Sighting {
  readonly pattern: Pattern;
  readonly matcher: Matcher;
  readonly found: Map<number, ProcessFacts>;
  readonly unseen: string | null;
}

/** Why this pattern's processes may have been missed. Who looks for processes of the keeper's own user needs to see no others. */
export function unseenFor(pattern: Pattern, unseen: Finding['unseen']): string | null {
  if (unseen === null) return null;
  const isOwn = pattern.user !== null && HOST.uid(pattern.user) === process.geteuid?.();
  return unseen.type === 'hidden' && isOwn ? null : unseen.reason;
}

/** The look of now. A match that only the pid file knew of yet is added to `found`. */
export function lookOf(sighting: Sighting, features: Features): Look {
  const { pattern, found, unseen } = sighting;
  const pidFile = pattern.by.type === 'pidFile' ? null : believed(sighting, features);
  if (pidFile === null) return lookByPidFile(sighting, features);
  const matches = [...found.values()].sort((a, b) => a.process.pid - b.process.pid);
  return { matches, pidFile, unseen };
}

/** What a pid file says beside another pattern: it only narrows, so anybody may have written it. */
function believed({ pattern, matcher, found }: Sighting, features: Features): PidFile {
  if (pattern.pidFile === null) return { type: 'none' };
  const reading = readPidFile(pattern.pidFile);
  if (reading.type === 'unreadable') return { type: 'refused', reason: reading.reason };
  if (reading.type !== 'names') return reading;
  const facts = factsIfMeant(reading.pid, matcher, features);
  if (facts === null) return strange(pattern.pidFile, reading.pid);
  // It may have come after the last event or scan.
  found.set(reading.pid, facts);
  return reading;
}

/** A pid file and nothing else: whoever can write it decides whom we signal, so it is believed only from those who could signal that process themselves. */
function lookByPidFile({ pattern, matcher }: Sighting, features: Features): Look {
  const path = pattern.pidFile ?? '';
  const reading = readPidFile(path);
  if (reading.type === 'unreadable') {
    return { matches: [], pidFile: { type: 'refused', reason: reading.reason }, unseen: reading.reason };
  }
  if (reading.type !== 'names') return { matches: [], pidFile: reading, unseen: null };
  const facts = factsIfMeant(reading.pid, matcher, features);
  if (facts === null) return { matches: [], pidFile: strange(path, reading.pid), unseen: null };
  const doubt = whoElseCouldWrite(path, facts.uid);
  if (doubt === null) return { matches: [facts], pidFile: reading, unseen: null };
  // Whether the service runs cannot be told, so it is neither down nor started: a person has to look.
  const reason = `${path} ${doubt}`;
  return { matches: [], pidFile: { type: 'refused', reason }, unseen: reason };
}

const strange = (path: string, pid: number): PidFile => ({
  type: 'refused',
  reason: `${path} names process ${pid}, which does not match`,
});

/** Does this process match the pattern now? By a pid file alone: does that name it? */
export function isMeant(pattern: Pattern, pid: number, features: Features): boolean {
  if (pattern.by.type === 'pidFile') {
    const reading = readPidFile(pattern.pidFile ?? '');
    if (reading.type !== 'names' || reading.pid !== pid) return false;
  }
  return factsIfMeant(pid, matcherOf(pattern, HOST), features) !== null;
}

function factsIfMeant(pid: number, matcher: Matcher, features: Features): ProcessFacts | null {
  const [verdict] = judgeProcess(pid, [matcher], features);
  return verdict?.type === 'match' ? verdict.facts : null;
}
