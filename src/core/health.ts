// The heartbeats of a service: asked while it serves, judged, and what follows when one fails too often. What one heartbeat
// remembers is in beat.ts. Knows no other service; a restart goes the way of every planned stop, with coupling and limits.

import {
  askBeat,
  type Beat,
  beatDeadline,
  beginBeat,
  fallSilent,
  forgetAnswers,
  goOn,
  hasFailedAnew,
  hear,
  isQuestionDue,
  leaveOut,
} from './beat.js';
import type { Asked, What } from './change.js';
import { incidentOf } from './death.js';
import { isEqual } from './difference.js';
import type { Effect } from './effect.js';
import type { ServiceEvent } from './event.js';
import type { HeartbeatSpec } from './heartbeat.js';
import { environmentFor } from './hook-env.js';
import { openIncident } from './incident.js';
import { before, type Move, stay } from './move.js';
import { isSameProcess, type ProcessRef } from './process.js';
import type { Answer } from './question.js';
import { questionInWords } from './question-text.js';
import { desiredOf, isHeld, type Running, type Service, type StopReason } from './state.js';
import { beginStop } from './stop.js';
import { elapsed, type Instant, type Moment, millis, type WallTime } from './time.js';

type Of<T extends ServiceEvent['type']> = Extract<ServiceEvent, { type: T }>;

/** What a move means for the heartbeats: they begin anew with a process, follow their definition, and fall silent when it goes. */
export function tend(was: Service | null, move: Move, at: Moment): Move {
  const { service } = move;
  const { heartbeats } = service.spec;
  if (heartbeats.length === 0 && service.health.length === 0) return move;
  const process = servingProcess(service);
  if (process === null) return hush(move);
  const earlier = was === null ? null : servingProcess(was);
  // What the keeper before had under way is not answered any more.
  if (was === null) return withBeats(move, heartbeats, at, 'same process');
  if (earlier === null || !isSameProcess(earlier, process)) return withBeats(move, heartbeats, at, 'new process');
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

/** The main process, while it serves. */
export const servingProcess = ({ state }: Service): ProcessRef | null =>
  state.name === 'running' ? state.process : null;

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
    const known = service.health.find(({ name }) => name === spec.name);
    const chance = (at.random + index * 0.618_033_988_749_895) % 1;
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
  if (!isAskable(service)) return null;
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
  if (!isAskable(service)) return null;
  let soonest: WallTime | null = null;
  for (const { dueOnWall, asked } of service.health)
    if (dueOnWall !== null && asked === null && (soonest === null || dueOnWall < soonest)) soonest = dueOnWall;
  return soonest;
}

/** One that nobody wants up, or that is on hold, is left in peace. */
export const isAskable = (service: Service): boolean =>
  servingProcess(service) !== null && !isHeld(service) && desiredOf(service) === 'up';

/** Asks what is due. */
export function askDue(service: Service, state: Running, at: Moment): Move {
  if (service.health.length === 0 || !isAskable(service)) return stay(service);
  let move = stay(service);
  for (const { name } of service.health) {
    const { health } = move.service;
    const spec = specOf(service, name);
    const beat = health.find((one) => one.name === name);
    if (spec === undefined || beat === undefined || move.service.state !== state) continue;
    const isDue = isQuestionDue(beat, at);
    if (!isDue && !isOverdue(beat, spec, at)) continue;
    if (provesNothing(beat, at)) move = pass(move, spec, beat, at);
    else if (isDue) move = ask(move, spec, beat, state.process, at);
    else move = follow(move, (it) => takeAnswer(it, spec, beat, nobodyAnswered(beat, at), at));
  }
  return move;
}

/** A host that goes down takes down what services need; and whoever was to ask may have stood still with everything else. */
const provesNothing = ({ asked }: Beat, { host, steadySince }: Moment): boolean =>
  host === 'ending' || (asked !== null && asked.at < steadySince);

function pass({ service, effects, happened }: Move, spec: HeartbeatSpec, beat: Beat, at: Moment): Move {
  const passed = withBeat(service, beat.name, () => leaveOut(beat, spec, at));
  return { service: passed, effects: [...effects, ...planFor(service, spec, at)], happened };
}

function ask(
  { service, effects, happened }: Move,
  heartbeat: HeartbeatSpec,
  beat: Beat,
  process: ProcessRef,
  at: Moment,
): Move {
  const asked = askBeat(beat, heartbeat, at);
  const { spec } = service;
  const order: Effect = { type: 'ask', spec, heartbeat, process, question: asked.questions };
  const orders = [...effects, order, ...planFor(service, heartbeat, at)];
  return { service: withBeat(service, beat.name, () => asked), effects: orders, happened };
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
  const beat = service.health.find(({ name }) => name === heartbeat);
  return main !== null && isSameProcess(main, process) && beat?.asked?.question === question;
}

export function answered(service: Service, { heartbeat, answer }: Of<'answered'>, at: Moment): Move {
  const spec = specOf(service, heartbeat);
  const beat = service.health.find(({ name }) => name === heartbeat);
  return spec === undefined || beat === undefined ? stay(service) : takeAnswer(service, spec, beat, answer, at);
}

function takeAnswer(service: Service, spec: HeartbeatSpec, beat: Beat, answer: Answer, at: Moment): Move {
  const heard = hear(beat, spec, answer, at);
  const told = asking(spec, beat, heard, answer, at);
  const known = withBeat(service, beat.name, () => heard);
  if (hasFailedAnew(beat, heard)) return before([], told, react(known, spec, heard, answer, at));
  if (heard.verdict !== 'ok' || heard.ailing === null) return before([], told, stay(known));
  const { since, incident } = heard.ailing;
  const well: What = { type: 'healthy', heartbeat: beat.name, after: elapsed(since, at.instant), incident };
  return before([], [...told, well], stay(withBeat(known, beat.name, (one) => ({ ...one, ailing: null }))));
}

/** Whether it can be asked at all is told when that changes. */
function asking(spec: HeartbeatSpec, was: Beat, now: Beat, { detail }: Answer, at: Moment): readonly What[] {
  if (was.unaskedSince === null && now.unaskedSince !== null)
    return [{ type: 'unasked', heartbeat: was.name, asked: askedOf(spec), reason: detail }];
  if (was.unaskedSince !== null && now.unaskedSince === null)
    return [{ type: 'askable', heartbeat: was.name, after: elapsed(was.unaskedSince, at.instant) }];
  return [];
}

/** It has failed too often. Under a hold nothing is done; then the next failure asks again. */
function react(service: Service, spec: HeartbeatSpec, beat: Beat, { detail }: Answer, at: Moment): Move {
  const { state } = service;
  // What could not come back now is not taken down.
  if (state.name !== 'running' || !isAskable(service) || at.host !== 'up') return stay(service);
  const then = reactionOf(service, spec);
  const ailing = beat.ailing ?? { since: at.instant, incident: openIncident(service, at) ?? incidentOf(at) };
  const { incident } = ailing;
  const acted = withBeat(service, beat.name, (one) => ({ ...one, acted: 'yes', ailing }));
  const told: What = {
    type: 'unhealthy',
    heartbeat: beat.name,
    asked: askedOf(spec),
    detail,
    fails: spec.fails,
    then: then.type,
    incident,
  };
  const stop = (why: StopReason): Move => beginStop(acted, state.process, state.helper, why, at);
  switch (then.type) {
    case 'notice':
      return before([], [told], stay(acted));
    case 'restart':
      return before([], [told], stop('heartbeat'));
    case 'stop':
      return before([], [told], stop('heartbeat-stop'));
    case 'exec': {
      const env = { ...environmentFor(service, 'reload'), UPKEEP_HEARTBEAT: beat.name, UPKEEP_DETAIL: detail };
      const order: Effect = { type: 'react', spec: service.spec, heartbeat: beat.name, command: then.command, env };
      return before([order], [told], stay(acted));
    }
  }
}

const askedOf = ({ question }: HeartbeatSpec): Asked => ({ kind: question.kind, text: questionInWords(question) });

/** What nothing can start again is not stopped. */
function reactionOf({ spec: { kind } }: Service, { then }: HeartbeatSpec): HeartbeatSpec['then'] {
  return then.type === 'restart' && kind.type === 'watched' && kind.start === null ? { type: 'notice' } : then;
}

/** What of their memory has to survive the keeper: whether it has done its work, and for long enough to be forgiven what was before. */
export const hasNewStanding = (was: Service, is: Service): boolean => standingOf(was) !== standingOf(is);

const standingOf = ({ health, spec: { restart } }: Service): string =>
  health
    .map(({ verdict, begun, lastGood }) =>
      lastGood !== null && elapsed(begun, lastGood) >= restart.healthyAfter ? `${verdict} for long` : verdict,
    )
    .join();

const specOf = ({ spec }: Service, name: string): HeartbeatSpec | undefined =>
  spec.heartbeats.find((one) => one.name === name);

function withBeat(service: Service, name: string, change: (beat: Beat) => Beat): Service {
  return { ...service, health: service.health.map((beat) => (beat.name === name ? change(beat) : beat)) };
}

function follow({ service, effects, happened }: Move, next: (service: Service) => Move): Move {
  return before(effects, happened, next(service));
}
