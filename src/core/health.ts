// The heartbeats of a service while it serves: which of them is asked when, and how they begin anew with a process. What one of
// them remembers is in beat.ts, what follows from an answer in answer.ts. Knows no other service.

import { takeAnswer } from './answer.js';
import {
  askBeat,
  type Beat,
  beatDeadline,
  beginBeat,
  fallSilent,
  forgetAnswers,
  goOn,
  isQuestionDue,
  leaveOut,
} from './beat.js';
import { chanceOf } from './chance.js';
import { isEqual } from './difference.js';
import type { Effect } from './effect.js';
import type { ServiceEvent } from './event.js';
import type { HeartbeatSpec } from './heartbeat.js';
import { beatOf, isAskable, processAsked, servingProcess, specOf, withBeat } from './heartbeats-of.js';
import { andThen, type Move, stay } from './move.js';
import { isSameProcess, type ProcessRef } from './process.js';
import type { Answer } from './question.js';
import type { Running, Service } from './state.js';
import { elapsed, type Instant, type Moment, millis, type WallTime } from './time.js';

type Of<T extends ServiceEvent['type']> = Extract<ServiceEvent, { type: T }>;

/** What a move means for the heartbeats: they begin anew with a process, follow their definition, and fall silent when it goes. */
export function tend(was: Service | null, move: Move, at: Moment): Move {
  const { service } = move;
  const { heartbeats } = service.spec;
  if (heartbeats.length === 0 && service.health.length === 0) return move;
  const process = servingProcess(service);
  if (process === null) return hush(move);
  const earlier = was === null ? null : processAsked(was);
  // What the keeper before had under way is not answered any more.
  if (was === null) return withBeats(move, heartbeats, at, 'same process');
  if (earlier === null || !isSameProcess(earlier, process)) return withBeats(move, heartbeats, at, 'new process');
  // What was to replace it came to nothing.
  if (was.state.name !== 'running') return withBeats(rethink(was, move), heartbeats, at, 'same process');
  // What was left in peace, many at once perhaps, is asked in its own time, and not for every time that was missed.
  const isLeftAlone = isEqual(was.spec.heartbeats, heartbeats) && (isAskable(was) || !isAskable(service));
  return isLeftAlone ? move : withBeats(rethink(was, move), heartbeats, at, 'same process');
}

/** What answered another question under the same name says nothing about this one. */
function rethink({ spec: { heartbeats: before } }: Service, move: Move): Move {
  const isAsBefore = (beat: Beat): boolean => {
    const was = before.find(({ name }) => name === beat.name);
    return isEqual(was?.question, specOf(move.service, beat.name)?.question);
  };
  const health = move.service.health.map((beat) => (isAsBefore(beat) ? beat : forgetAnswers(beat)));
  return { ...move, service: { ...move.service, health } };
}

function hush(move: Move): Move {
  const { service } = move;
  if (service.health.every(({ asked, due, dueOnWall }) => asked === null && due === null && dueOnWall === null))
    return move;
  const silent: Service = { ...service, health: service.health.map(fallSilent) };
  return { ...move, service: silent, effects: [...move.effects, ...stopAsking(service)] };
}

function withBeats(
  move: Move,
  specs: readonly HeartbeatSpec[],
  at: Moment,
  process: 'same process' | 'new process',
): Move {
  const { service } = move;
  const begun = beginningOf(service, at);
  const health = specs.map((spec, index) => {
    const known = beatOf(service, spec.name);
    const chance = chanceOf(at, index);
    return known === undefined || process === 'new process'
      ? beginBeat(spec, known, begun, chance, at)
      : goOn(known, spec, chance, at);
  });
  const plans = specs.flatMap((spec) => planFor(service, spec, at));
  return { ...move, service: { ...service, health }, effects: [...move.effects, ...stopAsking(service), ...plans] };
}

/** The start of its process where we know it: a definition that comes later than that gives no new grace. */
function beginningOf({ spec, state, restarts }: Service, { instant }: Moment): Instant {
  const since = state.name === 'running' ? state.since : instant;
  return spec.kind.type === 'supervised' ? (restarts.lastStart ?? since) : since;
}

function stopAsking({ spec, health }: Service): readonly Effect[] {
  return health.some(({ asked }) => asked !== null) ? [{ type: 'stopAsking', service: spec.name }] : [];
}

function planFor({ spec }: Service, { name, every }: HeartbeatSpec, { wall }: Moment): readonly Effect[] {
  if (every.type === 'interval') return [];
  const { expression } = every;
  return [{ type: 'plan', service: spec.name, what: { type: 'heartbeat', name }, expression, after: wall }];
}

/** The answer of the calendar. */
export function plannedBeat(service: Service, name: string, { expression, next }: Of<'planned'>): Move {
  const spec = specOf(service, name);
  if (spec?.every.type !== 'cron' || spec.every.expression !== expression || servingProcess(service) === null)
    return stay(service);
  return stay(withBeat(service, name, (beat) => ({ ...beat, dueOnWall: next })));
}

/** The next instant at which a question, or the end of waiting for an answer, is due; null: none. */
export function healthDeadline(service: Service): Instant | null {
  if (service.health.length === 0 || !isAskable(service)) return null;
  let soonest: Instant | null = null;
  for (const beat of service.health) {
    const spec = specOf(service, beat.name);
    const due = spec === undefined ? null : beatDeadline(beat, spec);
    if (due !== null && (soonest === null || due < soonest)) soonest = due;
  }
  return soonest;
}

/** The same for those that the calendar asks. */
export function healthWallDeadline(service: Service): WallTime | null {
  if (service.health.length === 0 || !isAskable(service)) return null;
  let soonest: WallTime | null = null;
  for (const { dueOnWall, asked } of service.health)
    if (dueOnWall !== null && asked === null && (soonest === null || dueOnWall < soonest)) soonest = dueOnWall;
  return soonest;
}

/** Asks what is due. */
export function askDue(service: Service, state: Running, at: Moment): Move {
  if (service.health.length === 0 || !isAskable(service)) return stay(service);
  let move = stay(service);
  for (const { name } of service.health) {
    // What an answer that never came has led to may have ended its serving.
    if (move.service.state === state) move = andThen(move, (it) => attend(it, name, state.process, at));
  }
  return move;
}

/** Whatever this one is due for now. */
function attend(service: Service, name: string, process: ProcessRef, at: Moment): Move {
  const [spec, beat] = [specOf(service, name), beatOf(service, name)];
  if (spec === undefined || beat === undefined) return stay(service);
  const isDue = isQuestionDue(beat, at);
  if (!isDue && !isOverdue(beat, spec, at)) return stay(service);
  if (provesNothing(beat, at)) return pass(service, spec, beat, at);
  return isDue ? ask(service, spec, beat, process, at) : takeAnswer(service, spec, beat, nobodyAnswered(beat, at), at);
}

/** A host that goes down takes down what services need; and whoever was to ask may have stood still with everything else. */
const provesNothing = ({ asked }: Beat, { host, steadySince }: Moment): boolean =>
  host === 'ending' || (asked !== null && asked.at < steadySince);

function pass(service: Service, spec: HeartbeatSpec, beat: Beat, at: Moment): Move {
  const passed = withBeat(service, beat.name, () => leaveOut(beat, spec, at));
  return { service: passed, effects: planFor(service, spec, at), happened: [] };
}

function ask(service: Service, heartbeat: HeartbeatSpec, beat: Beat, process: ProcessRef, at: Moment): Move {
  const asked = askBeat(beat, heartbeat, at);
  const order: Effect = { type: 'ask', spec: service.spec, heartbeat, process, question: asked.questions };
  const effects = [order, ...planFor(service, heartbeat, at)];
  return { service: withBeat(service, beat.name, () => asked), effects, happened: [] };
}

function isOverdue(beat: Beat, spec: HeartbeatSpec, at: Moment): boolean {
  const due = beatDeadline(beat, spec);
  return beat.asked !== null && due !== null && due <= at.instant;
}

/** Whoever was to ask has not come back. */
const nobodyAnswered = ({ asked }: Beat, at: Moment): Answer => ({
  result: 'unasked',
  ms: asked === null ? millis(0) : elapsed(asked.at, at.instant),
  detail: 'whoever was to ask did not come back',
});

/** Is the answer about the process that runs, and the question that is under way? */
export function isAwaited(service: Service, { heartbeat, process, question }: Of<'answered'>): boolean {
  const main = servingProcess(service);
  return main !== null && isSameProcess(main, process) && beatOf(service, heartbeat)?.asked?.question === question;
}

export function answered(service: Service, { heartbeat, answer }: Of<'answered'>, at: Moment): Move {
  const [spec, beat] = [specOf(service, heartbeat), beatOf(service, heartbeat)];
  return spec === undefined || beat === undefined ? stay(service) : takeAnswer(service, spec, beat, answer, at);
}

/** What of their memory has to survive the keeper: whether it has done its work, and for long enough to be forgiven what was before. */
export const hasNewStanding = (was: Service, is: Service): boolean => standingOf(was) !== standingOf(is);

const standingOf = ({ health, spec: { restart } }: Service): string =>
  health
    .map(({ verdict, begun, lastGood }) =>
      lastGood !== null && elapsed(begun, lastGood) >= restart.healthyAfter ? `${verdict} for long` : verdict,
    )
    .join();
