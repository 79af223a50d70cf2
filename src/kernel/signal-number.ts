// Names of signals and their numbers, real-time ones included, and the status that wait(2) packs them into.
// It must not know who signals whom.

import { constants } from 'node:os';
import type { ExitStatus, SignalName } from '../core/process.js';

// glibc keeps 32 and 33 for itself, so that its SIGRTMIN is 34.
const RTMIN = 34;
const RTMAX = 64;
const SYNONYMS = new Set(['SIGIOT', 'SIGPOLL', 'SIGUNUSED', 'SIGCLD']);
const NUMBERS: ReadonlyMap<string, number> = new Map(Object.entries(constants.signals));
const NAMES: ReadonlyMap<number, SignalName> = new Map(
  [...NUMBERS].filter(([name]) => !SYNONYMS.has(name)).map(([name, number]) => [number, name as SignalName]),
);

/** The number of SIGTERM, SIGRTMIN+3, SIGRTMAX-1; null for a name that Linux does not know. */
export function signalNumber(name: SignalName): number | null {
  const known = NUMBERS.get(name);
  if (known !== undefined) return known;
  const realTime = /^SIGRT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (realTime === null) return null;
  const distance = Number(realTime[3] ?? 0) * (realTime[2] === '-' ? -1 : 1);
  const number = (realTime[1] === 'MIN' ? RTMIN : RTMAX) + distance;
  return number >= RTMIN && number <= RTMAX ? number : null;
}

/** The name of a number; real-time ones count from SIGRTMIN. */
export function signalName(number: number): SignalName {
  return NAMES.get(number) ?? (number === RTMIN ? 'SIGRTMIN' : `SIGRTMIN+${number - RTMIN}`);
}

/** What a wait(2) status says. */
export function exitStatus(status: number): ExitStatus {
  const signal = status & 0x7f;
  if (signal === 0) return { type: 'exited', code: (status >> 8) & 0xff };
  return { type: 'signaled', signal: signalName(signal), coreDumped: (status & 0x80) !== 0 };
}
