// Evidence → cause of death, and the sentence for it. Invents nothing: a code is never called a signal,
// 137 is not called an OOM kill, and what we did ourselves is called ours.

import type { KeptAnswer } from './beat.js';
import { errorsIn, type LastWords } from './last-words.js';
import { personOf } from './person.js';
import type { ExitEvidence, ExitStatus, Fault, Findings, Killer, OomKill, ProcessRef, SignalName } from './process.js';
import type { QuestionKind } from './question.js';
import { sizeInWords } from './size.js';
import { elapsed, type Instant, type Millis, type Now, seconds, type WallTime } from './time.js';

export type Cause =
  | 'exit'
  | 'signal'
  | 'oom'
  | 'watchdog'
  | 'heartbeat'
  | 'start-timeout'
  | 'spawn'
  | 'requested'
  | 'coupling'
  | 'limit'
  | 'gone';

/** A process that asked for something, and the person behind it. */
export interface Sender {
  readonly pid: number | null;
  readonly name: string | null;
  readonly uid: number | null;
  readonly user: string | null;
  readonly grade: 'seen' | 'inferred';
}

/** The end of one generation of a service, or of an attempt to start one (then `process` may be null). */
export interface Death {
  readonly at: Instant;
  readonly time: WallTime;
  readonly process: ProcessRef | null;
  readonly cause: Cause;
  readonly status: ExitStatus;
  /** For cause `spawn`: the name of the error, like ENOENT. */
  readonly errno: string | null;
  /** For cause `spawn` and failed starts: what failed, in words. */
  readonly detail: string | null;
  /** A stranger. Nobody where we did it, nor for an OOM kill: there the kernel chose, whoever asked for memory. */
  readonly by: Killer | null;
  /** The signal that did it was sent by us, because `by` had asked for it (`upkeep signal`). */
  readonly onRequest: 'yes' | 'no';
  readonly oom: 'yes' | 'no';
  readonly uptime: Millis | null;
  /** How long it had served, that is since it was ready; null: it never got that far, and this is a failed start. */
  readonly served: Millis | null;
  /** Bytes and milliseconds; null where they could not be read, see ExitEvidence. */
  readonly peakMemory: number | null;
  readonly cpuTime: number | null;
  readonly findings: Findings | null;
  /** See ExitEvidence.ticks. */
  readonly ticks: number | null;
  /** `yes`: it ended while no keeper was there to see it. */
  readonly whileAway: 'yes' | 'no';
  /** Stands in every message about this death; see incident.ts. */
  readonly incident: string;
  /** For cause `heartbeat`. Absent for the others. */
  readonly ailment?: Ailment;
  /** Absent: it had said nothing. */
  readonly said?: LastWords;
}

/** The heartbeat for which it was stopped, and its last answers, oldest first. */
export interface Ailment {
  readonly heartbeat: string;
  readonly kind: QuestionKind;
  readonly answers: readonly KeptAnswer[];
}

/** What we had done to a process before it ended; it decides whether the end is called ours. */
export type OurPart = 'none' | 'requested' | 'coupling' | 'start-timeout' | 'heartbeat' | 'watchdog';

/** A signal that we sent because somebody asked for just that: what comes of it is not ours, and no opponent's either. */
export interface AskedSignal {
  readonly signal: SignalName;
  readonly by: Sender | null;
  readonly at: Instant;
}

/** Signals that whoever sent them may have meant as a polite stop (product.md 2.2, `settle`). */
const politeSignals: readonly SignalName[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'];

/** When a process was started by us, and since when it was ready; null: not by us, or never. */
export interface Life {
  readonly startedAt: Instant | null;
  readonly readySince: Instant | null;
}

/** The record of a process that ended. */
export function deathOf(
  process: ProcessRef,
  evidence: ExitEvidence,
  our: OurPart,
  life: Life,
  away: 'yes' | 'no',
  now: Now,
): Death {
  return {
    at: now.instant,
    time: now.wall,
    process,
    cause: causeOf(evidence, our),
    status: evidence.status,
    errno: null,
    detail: null,
    by: evidence.oom || our !== 'none' ? null : evidence.by,
    onRequest: 'no',
    oom: evidence.oom ? 'yes' : 'no',
    uptime: life.startedAt === null ? null : elapsed(life.startedAt, now.instant),
    served: life.readySince === null ? null : elapsed(life.readySince, now.instant),
    peakMemory: evidence.peakMemory,
    cpuTime: evidence.cpuTime,
    findings: evidence.findings,
    ticks: evidence.ticks,
    whileAway: away,
    incident: incidentOf(now),
  };
}

/** The signal is taken for the cause so long after it was sent. */
const freshSignal: Millis = seconds(10);

/** The same end, where nobody was seen to do it and a signal that somebody had us send explains it. */
export function askedFor(death: Death, asked: AskedSignal | null, now: Now): Death {
  if (asked === null || death.by !== null || death.oom === 'yes' || elapsed(asked.at, now.instant) > freshSignal)
    return death;
  const { signal, by } = asked;
  if (!explains(signal, death.status)) return death;
  const unknown = { pid: null, name: null, uid: null, user: null };
  const person = { ...unknown, ...by, grade: 'inferred', signal, command: null, parent: null } as const;
  return { ...death, by: person, onRequest: 'yes' };
}

function explains(signal: SignalName, status: ExitStatus): boolean {
  switch (status.type) {
    case 'signaled':
      return status.signal === signal;
    case 'exited':
      return politeSignals.includes(signal);
    case 'unknown':
      return true;
  }
}

/** The record of a start that came to nothing without a process of ours to blame. */
export function failedStart(
  cause: 'spawn' | 'start-timeout' | 'exit' | 'signal' | 'gone',
  status: ExitStatus,
  errno: string | null,
  detail: string,
  now: Now,
): Death {
  return {
    at: now.instant,
    time: now.wall,
    process: null,
    cause,
    status,
    errno,
    detail,
    by: null,
    onRequest: 'no',
    oom: 'no',
    uptime: null,
    served: null,
    peakMemory: null,
    cpuTime: null,
    findings: null,
    ticks: null,
    whileAway: 'no',
    incident: incidentOf(now),
  };
}

/** Ours comes first: a process that we stopped died of our wish, whatever signal it took. */
export function causeOf(evidence: ExitEvidence, our: OurPart): Cause {
  if (evidence.oom) return 'oom';
  if (our !== 'none') return our;
  switch (evidence.status.type) {
    case 'exited':
      return 'exit';
    case 'signaled':
      return 'signal';
    case 'unknown':
      return 'gone';
  }
}

/** May somebody have wanted this end? Then a watched daemon is given `settle` to come back by itself. An end that nobody saw may have been wanted too. */
export function mayBeWanted(death: Death): boolean {
  if (death.oom === 'yes') return false;
  switch (death.status.type) {
    case 'exited':
      return death.status.code === 0;
    case 'signaled':
      return isPolite(death.status);
    case 'unknown':
      return true;
  }
}

/** A signal that asks, and what it asked for was done. */
export function isPolite(status: Extract<ExitStatus, { type: 'signaled' }>): boolean {
  return politeSignals.includes(status.signal) && !status.coreDumped;
}

/** `code 3`, `SIGKILL`, `SIGSEGV (core dumped)`, `status unknown`. */
export function describeStatus(status: ExitStatus): string {
  switch (status.type) {
    case 'exited':
      return `code ${status.code}`;
    case 'signaled':
      return status.coreDumped ? `${status.signal} (core dumped)` : status.signal;
    case 'unknown':
      return 'status unknown';
  }
}

/** One sentence for people, without a full stop. */
export function describeDeath(death: Death): string {
  const away = death.whileAway === 'yes' ? ', while the keeper was away' : '';
  return describeCause(death) + describeErrors(death) + away;
}

/** Its own word for what was wrong. */
function describeErrors({ said }: Death): string {
  const errors = said === undefined ? [] : errorsIn(said);
  return errors.length === 0 ? '' : `; it had said ${errors.join(' and ')}`;
}

/** The same after "failed to start:", which says already what could not be done. */
export function describeFailedStart(death: Death): string {
  return death.cause === 'spawn' ? (death.detail ?? death.errno ?? 'unknown error') : describeDeath(death);
}

function describeCause(death: Death): string {
  switch (death.cause) {
    case 'exit':
    case 'signal':
    case 'gone':
      return describeEnd(death);
    case 'oom':
      return `killed by the kernel: out of memory${describeOomKill(death.findings?.oomKill ?? null)}`;
    case 'requested':
      return `stopped on request (${describeStatus(death.status)})`;
    case 'start-timeout':
      return death.detail ?? 'was not ready in time, stopped by us';
    case 'spawn':
      return `could not be started: ${describeFailedStart(death)}`;
    case 'watchdog':
      return `${death.detail ?? 'its watchdog was silent'}; ended by us (${describeCore(death)})`;
    case 'heartbeat':
      return `failed its heartbeat${death.detail === null ? '' : ` ${death.detail}`}, stopped by us (${describeStatus(death.status)})`;
    case 'coupling':
      return `stopped with another service (${describeStatus(death.status)})`;
    case 'limit':
      return `over its limit, killed by us (${describeStatus(death.status)})`;
  }
}

/** `SIGABRT, core at /var/crash/core.812`. A path below where it ran would name nothing to who reads this. */
function describeCore({ status, findings }: Death): string {
  const path = findings?.core?.path ?? null;
  if (status.type !== 'signaled' || !status.coreDumped || path?.startsWith('/') !== true) return describeStatus(status);
  return `${status.signal}, core at ${path}`;
}

function describeEnd(death: Death): string {
  return death.detail ?? describeBareEnd(death.status) + describeHand(death);
}

/** By whose hand, or at what fault, as far as it is known. */
function describeHand({ by, onRequest, status, findings }: Death): string {
  if (by === null) {
    const fault = findings?.fault ?? null;
    return fault === null || status.type === 'exited' ? '' : `: ${describeFault(fault)}`;
  }
  if (onRequest === 'yes') return `: ${personOf(by) ?? 'somebody'} had asked for ${by.signal}`;
  const killer = `from ${describeKiller(by)}`;
  switch (status.type) {
    case 'exited':
      return ` after ${by.signal} ${killer}`;
    case 'signaled':
      return ` ${killer}`;
    case 'unknown':
      return `, after ${by.signal} ${killer}`;
  }
}

function describeBareEnd(status: ExitStatus): string {
  switch (status.type) {
    case 'exited':
      return `exited with code ${status.code}`;
    case 'signaled':
      return `killed by ${describeStatus(status)}`;
    case 'unknown':
      return 'ended, nobody saw how';
  }
}

/** `segfault at 0x0 in libc.so.6`. */
export function describeFault({ kind, address, inside }: Fault): string {
  return `${kind}${address === null ? '' : ` at ${address}`}${inside === null ? '' : ` in ${inside}`}`;
}

/** ` (group /web, limit 40 MiB, it held 38 MiB)`, with as much of it as is known. */
function describeOomKill(kill: OomKill | null): string {
  if (kill === null) return '';
  const { group, scope, limit, held } = kill;
  const facts = [
    scope === 'machine' ? 'of the whole machine' : group === null ? null : `group ${group}`,
    limit === null ? null : `limit ${sizeInWords(limit)}`,
    held === null ? null : `it held ${sizeInWords(held)}`,
  ].filter((fact) => fact !== null);
  return facts.length === 0 ? '' : ` (${facts.join(', ')})`;
}

/** `bash (pid 4711, alice)`, with as much of it as is known. */
export function describeKiller({ pid, name, ...person }: Killer): string {
  const known = [pid === null ? null : `pid ${pid}`, personOf(person)].filter((part) => part !== null).join(', ');
  if (name === null) return known === '' ? 'an unknown process' : known;
  return known === '' ? name : `${name} (${known})`;
}

/** Short, sortable by time, and unlike enough to be looked up: the time in base 36 and three random digits. */
export function incidentOf(now: Now): string {
  const tail = Math.floor(now.random * 46656)
    .toString(36)
    .padStart(3, '0');
  return `${Math.floor(now.wall).toString(36)}${tail}`;
}
