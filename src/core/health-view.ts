// The heartbeats of a service in the outward view: what each says, since when, and when it is asked next. Pure.

import { type KeptAnswer, stateOfBeat } from './beat.js';
import { failsInWords, type HeartbeatSpec, type Schedule } from './heartbeat.js';
import { beatOf, isAskable } from './heartbeats-of.js';
import type { QuestionKind, Result } from './question.js';
import { isOutput, questionInWords } from './question-text.js';
import type { Service } from './state.js';
import { type Instant, inWords, iso, tenths } from './time.js';

export interface HealthStatus {
  /** `none`: it has no heartbeats. `unknown`: it does not run, is not asked, has not answered yet, or could not be asked. */
  readonly state: HeartbeatStatus['state'] | 'none';
  readonly heartbeats: readonly HeartbeatStatus[];
}

export interface HeartbeatStatus {
  readonly name: string;
  readonly state: 'ok' | 'failing' | 'unknown';
  /** Of its last answer; null: there was none yet. */
  readonly at: string | null;
  readonly ms: number | null;
  /** null also where it is not for whoever asks: what a program printed. */
  readonly detail: string | null;
  /** What the last answer was: `failing` are so many of them as `fails` says. */
  readonly result: Result | null;
  readonly kind: QuestionKind;
  /** In words; null where it is a command line that is not for whoever asks. */
  readonly asks: string | null;
  /** `30 s`, or a cron expression. */
  readonly every: string;
  /** `3 times in a row` */
  readonly fails: string;
  /** What follows: restart, notice, stop or exec. */
  readonly then: HeartbeatSpec['then']['type'];
  /** Since when it is known to be failing, also over restarts; null: it is not. */
  readonly failingSince: string | null;
  /** Since when it could not be asked; null: it can be. */
  readonly unaskedSince: string | null;
  /** When it is asked next; null: not now, or it is being asked. */
  readonly next: string | null;
  /** The last ones, oldest first. */
  readonly answers: readonly AnswerStatus[];
}

export interface AnswerStatus {
  readonly time: string;
  readonly result: Result;
  readonly ms: number;
}

export function healthOf(service: Service, wallOf: (at: Instant) => string): HealthStatus {
  const heartbeats = service.spec.heartbeats.map((spec) => heartbeatStatus(service, spec, wallOf));
  return { state: stateOf(heartbeats), heartbeats };
}

function stateOf(heartbeats: readonly HeartbeatStatus[]): HealthStatus['state'] {
  if (heartbeats.length === 0) return 'none';
  const worst = (['failing', 'unknown'] as const).find((state) => heartbeats.some((one) => one.state === state));
  return worst ?? 'ok';
}

function heartbeatStatus(service: Service, spec: HeartbeatSpec, wallOf: (at: Instant) => string): HeartbeatStatus {
  const beat = beatOf(service, spec.name);
  const last = beat?.answers.at(-1) ?? null;
  // What it said before says nothing about one that is down, or that nobody asks.
  const current = isAskable(service) ? beat : undefined;
  const timeOf = (at: Instant | null): string | null => (at === null ? null : wallOf(at));
  return {
    name: spec.name,
    state: current === undefined ? 'unknown' : stateOfBeat(current),
    at: last === null ? null : iso(last.time),
    ms: last === null ? null : tenths(last.ms),
    detail: last?.detail ?? null,
    result: last?.result ?? null,
    kind: spec.question.kind,
    asks: questionInWords(spec.question),
    every: scheduleText(spec.every),
    fails: failsInWords(spec.fails),
    then: spec.then.type,
    failingSince: timeOf(beat?.ailing?.since ?? null),
    unaskedSince: timeOf(beat?.unaskedSince ?? null),
    next: current?.dueOnWall == null ? timeOf(current?.due ?? null) : iso(current.dueOnWall),
    answers: beat?.answers.map(answerStatus) ?? [],
  };
}

const answerStatus = ({ time, result, ms }: KeptAnswer): AnswerStatus => ({ time: iso(time), result, ms: tenths(ms) });

function scheduleText(every: Schedule): string {
  if (every.type === 'cron') return every.expression;
  return every.every < 60_000 ? `${every.every / 1000} s` : inWords(every.every);
}

/** As everybody may see it: no command line, and nothing that a program printed. */
export function healthForAll(health: HealthStatus): HealthStatus {
  if (!health.heartbeats.some(isOutput)) return health;
  const heartbeats = health.heartbeats.map((one) => (isOutput(one) ? { ...one, asks: null, detail: null } : one));
  return { ...health, heartbeats };
}
