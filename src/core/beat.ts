// One heartbeat of one service: when it is asked, what was answered, and what that says. Values and pure functions; knows no
// service and no effect (health.ts).

import type { Fails, HeartbeatSpec } from './heartbeat.js';
import type { Answer } from './question.js';
import {
  elapsed,
  type Instant,
  instant,
  later,
  type Millis,
  type Moment,
  millis,
  minutes,
  seconds,
  type WallTime,
} from './time.js';

export interface Beat {
  readonly name: string;
  /** When the process began that its questions are about now: the grace counts from there. */
  readonly begun: Instant;
  /** When it is asked next; null: the calendar says when (`dueOnWall`), or nothing runs that could be asked. */
  readonly due: Instant | null;
  readonly dueOnWall: WallTime | null;
  /** The question under way. */
  readonly asked: { readonly question: number; readonly at: Instant } | null;
  /** How many there have been: the number of the last question. */
  readonly questions: number;
  /** The answers of this process that count, oldest first; never more than `fails.of`. */
  readonly counted: readonly ('good' | 'failed')[];
  readonly verdict: 'unknown' | 'ok' | 'failing';
  readonly lastGood: Instant | null;
  /** Has `then` been done for this failing? */
  readonly acted: 'no' | 'yes';
  /** Since when it is known to be failing and was told of, through restarts, until it is good again. */
  readonly ailing: { readonly since: Instant; readonly incident: string } | null;
  /** Since when it could not be asked. */
  readonly unaskedSince: Instant | null;
  /** The last ones, oldest first, also those of earlier processes and those that do not count. */
  readonly answers: readonly KeptAnswer[];
}

export interface KeptAnswer extends Answer {
  readonly time: WallTime;
}

/** How many answers are kept: ten minutes of the default schedule, for people. Of what was before, the history has what changed. */
const keptAnswers = 20;

/** Whatever its interval, a service says soon after its start how it is. A thousand that start together are spread over this. */
const longestPhase = minutes(1);

/**
 * Questions of different services fall due at the same tenths of a second, of the clock that all keepers share: what is woken, written
 * and read for one is for all of them. A thousand questions every 10 s cost little more than a third like this (bench/RESULTS.md).
 */
const grid = 100;

/** An asker answers by the time-out. This much later nobody is believed to answer any more. */
const answerPatience = seconds(10);

/** The beat of a new process. `was`: what is known of earlier ones. `chance`: from 0 to 1, its phase. */
export function beginBeat(
  spec: HeartbeatSpec,
  was: Beat | undefined,
  begun: Instant,
  chance: number,
  at: Moment,
): Beat {
  return {
    name: spec.name,
    begun,
    due: firstDue(spec, chance, at.instant),
    dueOnWall: null,
    asked: null,
    questions: was?.questions ?? 0,
    counted: [],
    verdict: 'unknown',
    lastGood: null,
    acted: 'no',
    ailing: was?.ailing ?? null,
    unaskedSince: was?.unaskedSince ?? null,
    answers: was?.answers ?? [],
  };
}

/** The same process under another definition of it, or another keeper: what it said counts on, what is under way does not. */
export function goOn(beat: Beat, spec: HeartbeatSpec, chance: number, at: Moment): Beat {
  return {
    ...beat,
    due: firstDue(spec, chance, at.instant),
    dueOnWall: null,
    asked: null,
    counted: beat.counted.slice(-spec.fails.of),
  };
}

/** It is asked something else from now on: what it answered before is kept to be seen, and counts no more. */
export const forgetAnswers = (beat: Beat): Beat => ({ ...beat, counted: [], verdict: 'unknown', acted: 'no' });

/** Nothing runs that could be asked. */
export const fallSilent = (beat: Beat): Beat => ({ ...beat, due: null, dueOnWall: null, asked: null });

function firstDue({ every }: HeartbeatSpec, chance: number, now: Instant): Instant | null {
  if (every.type === 'cron') return null;
  const first = later(now, millis(chance * Math.min(every.every, longestPhase)));
  return instant(Math.ceil(first / grid) * grid);
}

/** When something has to be done about it: a question, or the end of waiting for an answer. */
export function beatDeadline(beat: Beat, { timeout }: HeartbeatSpec): Instant | null {
  return beat.asked === null ? beat.due : later(beat.asked.at, millis(timeout + answerPatience));
}

export const isQuestionDue = ({ asked, due, dueOnWall }: Beat, at: Moment): boolean =>
  asked === null && ((due !== null && due <= at.instant) || (dueOnWall !== null && dueOnWall <= at.wall));

/** A question goes out. Questions come at a fixed pace from the first; those whose time has passed are left out. */
export function askBeat(beat: Beat, { every }: HeartbeatSpec, at: Moment): Beat {
  const question = beat.questions + 1;
  const due = every.type === 'cron' || beat.due === null ? null : nextOnGrid(beat.due, every.every, at.instant);
  return { ...beat, questions: question, asked: { question, at: at.instant }, due, dueOnWall: null };
}

/** A question is left out, or given up, because its answer would prove nothing. */
export function leaveOut(beat: Beat, { every }: HeartbeatSpec, at: Moment): Beat {
  const isOver = every.type === 'interval' && beat.due !== null && beat.due <= at.instant;
  const due = isOver ? nextOnGrid(beat.due, every.every, at.instant) : beat.due;
  return { ...beat, asked: null, due, dueOnWall: null };
}

function nextOnGrid(due: Instant, every: Millis, now: Instant): Instant {
  return instant(due + every * (Math.floor(Math.max(0, now - due) / every) + 1));
}

/** An answer comes in. Questions do not overlap: what fell due meanwhile is left out. */
export function hear(beat: Beat, spec: HeartbeatSpec, answer: Answer, at: Moment): Beat {
  const heard: Beat = {
    ...leaveOut(beat, spec, at),
    dueOnWall: beat.dueOnWall,
    answers: [...beat.answers.slice(1 - keptAnswers), { ...answer, time: at.wall }],
  };
  switch (answer.result) {
    case 'unasked':
      return { ...heard, unaskedSince: beat.unaskedSince ?? at.instant };
    case 'good':
      return count({ ...heard, unaskedSince: null, lastGood: at.instant }, spec.fails, 'good');
    case 'failed': {
      const asked: Beat = { ...heard, unaskedSince: null };
      return isForgiven(beat, spec, at) ? asked : count(asked, spec.fails, 'failed');
    }
  }
}

function count(beat: Beat, fails: Fails, result: 'good' | 'failed'): Beat {
  const counted = [...beat.counted.slice(1 - fails.of || beat.counted.length), result];
  const failures = counted.filter((one) => one === 'failed').length;
  const verdict =
    failures >= fails.count ? 'failing' : result === 'good' || beat.verdict === 'failing' ? 'ok' : beat.verdict;
  return { ...beat, counted, verdict, acted: verdict === 'failing' ? beat.acted : 'no' };
}

/** Has this very answer made it fail, or failed it again where nothing could be done before? */
export const hasFailedAnew = (was: Beat, now: Beat): boolean =>
  now.verdict === 'failing' && now.acted === 'no' && now.counted !== was.counted && now.counted.at(-1) === 'failed';

/** In its grace, which begins with the process, and anew when the keeper or the machine has stood still, and ends with the first success. */
function isForgiven(
  { begun, lastGood, asked }: Beat,
  { grace }: HeartbeatSpec,
  { instant: now, steadySince }: Moment,
): boolean {
  // The question itself was out while everything stood still.
  if (asked !== null && asked.at < steadySince) return true;
  const from = begun > steadySince ? begun : steadySince;
  return elapsed(from, now) < grace && (lastGood === null || lastGood < from);
}

/** How long the process did its work, as far as its answers tell; null: nothing speaks against it. */
export const healthyTime = ({ verdict, begun, lastGood }: Beat): Millis | null =>
  verdict === 'failing' ? elapsed(begun, lastGood ?? begun) : null;

/** For the status: what it says now. One that could not be asked last says nothing. */
export const stateOfBeat = ({ verdict, unaskedSince }: Beat): 'ok' | 'failing' | 'unknown' =>
  unaskedSince === null || verdict === 'failing' ? verdict : 'unknown';
