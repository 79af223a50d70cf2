// The overlapped restart: a new generation gets ready beside the old one, which serves until the other has said that it can.
// Until then everything that happens leads back to where it began: the old generation serves, under its old definition, and
// whoever asked is told why. docs/graceful.md has a table of them; what becomes of a generation that serves no more is in
// draining.ts, and the words that a service says in notified.ts and heard.ts.

import type { What } from './change.js';
import { describeStatus } from './death.js';
import { countDraining, dismiss, drain, nextGeneration } from './draining.js';
import type { Effect } from './effect.js';
import { endHelper } from './end-helper.js';
import { environmentFor } from './hook-env.js';
import { commandsOf, failureOf, hookName } from './hooks.js';
import { isProbed, readyDeadline } from './launch.js';
import { andThen, before, go, type Move, stay } from './move.js';
import type { ExitStatus, ProcessRef } from './process.js';
import type { ServiceSpec } from './spec.js';
import {
  desiredOf,
  type Handover,
  latestSpec,
  type Running,
  type Service,
  type StopReason,
  silent,
  type Unborn,
} from './state.js';
import { beginStop } from './stop.js';
import { elapsed, later, type Moment } from './time.js';
import { armed } from './watchdog.js';

/** Is a restart of it an overlapped one? Only what serves can go on serving. */
export function overlaps(service: Service): boolean {
  const { handover, kind } = latestSpec(service);
  return (
    handover.mode === 'overlap' &&
    kind.type === 'supervised' &&
    service.spec.kind.type === 'supervised' &&
    desiredOf(service) === 'up'
  );
}

/** Why no hand-over can begin now, with what would do; null: one can. */
export function obstacle(service: Service): string | null {
  const { maxDraining } = latestSpec(service).handover;
  if (service.state.name === 'handover')
    return `a hand-over is under way (${phaseText(service.state)}); wait for it, or stop the service`;
  const count = countDraining(service);
  if (!overlaps(service) || service.state.name !== 'running' || count < maxDraining) return null;
  const which = service.draining.map(({ process }) => process.pid).join(', ');
  const finish =
    count === 1
      ? `an old generation of it (process ${which}) still finishes what it has begun`
      : `${count} old generations of it (processes ${which}) still finish what they have begun`;
  return `${finish}; wait for that, or raise \`handover.maxDraining\``;
}

export function phaseText({ phase }: Pick<Handover, 'phase'>): string {
  switch (phase) {
    case 'preparing':
    case 'before':
      return 'the new generation is prepared';
    case 'launching':
    case 'warming':
      return 'the new generation gets ready';
    case 'transfer':
      return 'the state goes over';
    case 'verdict':
      return 'the new generation looks at its state';
    case 'after':
      return 'its commands after a start run';
  }
}

/** Takes a serving process out of service: beside its successor where that is wanted, else down and up again. */
export function replace(service: Service, state: Running, why: StopReason, at: Moment): Move {
  return overlaps(service) && at.host === 'up'
    ? beginHandover(service, state, why, at)
    : beginStop(service, state.process, state.helper, why, at);
}

function beginHandover(service: Service, running: Running, why: StopReason, at: Moment): Move {
  const generation = nextGeneration(service);
  const state: Handover = {
    name: 'handover',
    since: at.instant,
    process: running.process,
    servedSince: running.since,
    generation,
    successor: null,
    phase: 'preparing',
    hook: 0,
    helper: null,
    said: silent,
    still: null,
    why,
    deadline: null,
  };
  return before(
    endHelper(service, running.helper),
    [{ type: 'handingOver', why, generation }],
    prepareNew(service, state, at),
  );
}

function prepareNew(service: Service, state: Handover, at: Moment): Move {
  const spec = latestSpec(service);
  const { directories, sockets } = spec;
  if (directories.length + sockets.length === 0) return advance(service, { ...state, phase: 'before' }, at);
  // What lies about is the old one's, and in use: a pid file, say, which nobody holds open.
  return go(service, state, [{ type: 'prepare', spec: { ...spec, clean: [] }, generation: state.generation }]);
}

export function prepared(service: Service, state: Handover, problem: string | null, at: Moment): Move {
  if (state.phase !== 'preparing') return stay(service);
  return problem === null
    ? advance(service, { ...state, phase: 'before', hook: 0 }, at)
    : abort(service, state, problem, at);
}

/** The next command of this phase, or what comes when there is none (any more). */
function advance(service: Service, state: Handover, at: Moment): Move {
  const role = hookRoleIn(state.phase === 'before' ? 'before' : 'after');
  const spec = latestSpec(service);
  const command = commandsOf(spec.hooks, role)[state.hook];
  if (command === undefined) return state.phase === 'before' ? launchNew(service, state) : commit(service, state, at);
  const { generation, hook } = state;
  const env = { ...environmentFor({ ...service, spec, generation }, role), ...mainPid(state) };
  const deadline = command.timeout === null ? null : later(at.instant, command.timeout);
  return go(service, { ...state, helper: null, deadline }, [
    { type: 'spawn', spec, role, hook, generation, command, env },
  ]);
}

const mainPid = ({ successor }: Handover): Readonly<Record<string, string>> =>
  successor === null ? {} : { MAINPID: String(successor.pid) };

function launchNew(service: Service, state: Handover): Move {
  const spec = latestSpec(service);
  const { kind } = spec;
  if (kind.type !== 'supervised') return stay(service);
  const { generation } = state;
  const env = { UPKEEP_SUCCEEDS: String(service.generation) };
  const next: Handover = { ...state, phase: 'launching', hook: 0, helper: null, deadline: null };
  return go(service, next, [{ type: 'spawn', spec, role: 'main', hook: 0, generation, command: kind.run, env }]);
}

/** It lives: now it has to say that it is ready, or that it will not. */
export function launched(service: Service, state: Handover, process: ProcessRef, at: Moment): Move {
  const spec = latestSpec(service);
  const next: Handover = { ...state, successor: process, phase: 'warming', deadline: readyDeadline(spec.ready, at) };
  return go(service, next, awaitNew(spec, process), [
    { type: 'handoverPhase', phase: 'launched', process, bytes: null },
  ]);
}

const awaitNew = (spec: ServiceSpec, process: ProcessRef): readonly Effect[] =>
  isProbed(spec.ready) ? [{ type: 'awaitReady', spec, process }] : [];

/** The new one wants the state: the old one stands still from here on until that has gone over, and its watchdog waits for it. */
export function transfer(service: Service, state: Handover, at: Moment): Move {
  if (state.phase !== 'warming' || state.successor === null) return stay(service);
  const deadline = later(at.instant, service.spec.handover.transfer);
  const next: Handover = { ...state, phase: 'transfer', still: at.instant, deadline };
  const order: Effect = { type: 'export', spec: service.spec, from: state.process, to: state.successor };
  return go(
    service,
    next,
    [order],
    [{ type: 'handoverPhase', phase: 'transfer', process: state.process, bytes: null }],
  );
}

/** The old one has written all of it, or has nothing (`bytes` null). */
export function exported(service: Service, state: Handover, bytes: number | null, at: Moment): Move {
  if (state.phase !== 'transfer') return stay(service);
  const deadline = readyDeadline(latestSpec(service).ready, at);
  const told: readonly What[] =
    bytes === null ? [] : [{ type: 'handoverPhase', phase: 'received', process: state.successor, bytes }];
  const moves = bytes === null ? goOnMoving(service, state, at) : service;
  const still = bytes === null ? null : state.still;
  return go(moves, { ...state, phase: 'verdict', still, deadline }, [], told);
}

/** Who stood still could not say that it lives: its watchdog begins anew. */
const goOnMoving = (service: Service, { still }: Handover, at: Moment): Service =>
  still === null || service.watchdog === null ? service : armed(service, at);

/** The verdict. It may come before the word of the old one that everything is written: the new one has seen the end mark. */
export function approved(service: Service, state: Handover, at: Moment): Move {
  switch (state.phase) {
    case 'warming':
    case 'transfer':
    case 'verdict': {
      const told: What = { type: 'handoverPhase', phase: 'ready', process: state.successor, bytes: null };
      return before([], [told], advance(service, { ...state, phase: 'after', hook: 0 }, at));
    }
    case 'preparing':
    case 'before':
    case 'launching':
    case 'after':
      return stay(service);
  }
}

/**
 * The new generation is the service from here on: recorded with this step, before anybody is told. Then it may take connections,
 * and after that the old one is told to finish.
 */
function commit(service: Service, state: Handover, at: Moment): Move {
  const { process, successor, generation } = state;
  if (successor === null) return stay(service);
  const { name } = service.spec;
  const old = service.generation;
  const serving: Service = {
    ...service,
    spec: latestSpec(service),
    next: null,
    enrolled: null,
    generation,
    asked: null,
    said: state.said,
    reloading: null,
    watchdog: null,
    restarts: { ...service.restarts, lastStart: state.since },
    state: { name: 'running', since: at.instant, process: successor, helper: null, deadline: null },
  };
  const orders: readonly Effect[] = [
    { type: 'tell', service: name, process: successor, word: { type: 'accept' } },
    { type: 'settleKept', service: name, process: successor, as: 'join' },
    ...endsOf(service, state),
  ];
  const told: What = { type: 'committed', from: process, to: successor, took: elapsed(state.since, at.instant) };
  const draining = drain({ ...serving, spec: service.spec }, process, old, at);
  return {
    service: { ...draining.service, spec: serving.spec },
    effects: [...orders, ...draining.effects],
    happened: [told],
  };
}

/** It comes to nothing: the old generation was the service all the time, and goes on. */
export const abort = (service: Service, state: Handover, reason: string, at: Moment): Move =>
  undo({ ...service, unborn: [...service.unborn, ...orderedIn(state)] }, state, reason, at);

/** What was ordered in this phase, and not answered yet. */
function orderedIn({ phase, hook, generation, helper }: Handover): readonly Unborn[] {
  switch (phase) {
    case 'launching':
      return [{ role: 'main', hook: 0, generation }];
    case 'before':
    case 'after':
      return helper === null ? [{ role: hookRoleIn(phase), hook, generation }] : [];
    case 'preparing':
    case 'warming':
    case 'transfer':
    case 'verdict':
      return [];
  }
}

/** Is this the answer to what was ordered last? Told twice it is none. */
export const isOrdered = (state: Handover, { role }: Pick<Unborn, 'role'>): boolean =>
  orderedIn(state).some((one) => one.role === role);

const hookRoleIn = (phase: 'before' | 'after'): 'beforeStart' | 'afterStart' =>
  phase === 'before' ? 'beforeStart' : 'afterStart';

/** The same where all that was ordered was answered. */
export function undo(service: Service, state: Handover, reason: string, at: Moment): Move {
  const { process, successor, servedSince, helper } = state;
  const { name } = service.spec;
  const back: Service = {
    ...goOnMoving(service, state, at),
    next: null,
    enrolled: null,
    state: { name: 'running', since: servedSince, process, helper: null, deadline: null },
  };
  const orders: readonly Effect[] = [
    { type: 'tell', service: name, process, word: { type: 'thaw', reason } },
    ...(successor === null ? [] : [{ type: 'settleKept', service: name, process: successor, as: 'discard' } as const]),
    ...endHelper(service, helper),
    ...endsOf(service, state),
  ];
  const told: What = { type: 'handoverRefused', reason, process: successor };
  const ended = successor === null ? stay(back) : dismiss(back, successor, state.generation, at);
  return before(orders, [told], ended);
}

function endsOf(service: Service, { phase }: Handover): readonly Effect[] {
  const spec = latestSpec(service);
  const wasAsked = (phase === 'warming' || phase === 'transfer' || phase === 'verdict') && isProbed(spec.ready);
  const quiet: readonly Effect[] = wasAsked ? [{ type: 'stopAwaitingReady', service: spec.name }] : [];
  return [...quiet, { type: 'endExport', service: spec.name }];
}

/** The new one has ended before it took over. */
export function successorExited(service: Service, state: Handover, status: ExitStatus, at: Moment): Move {
  const reason = `the new process ended before it was ready: ${describeStatus(status)}`;
  const process = state.successor;
  const aborted = abort(service, { ...state, successor: null }, reason, at);
  if (process === null) return aborted;
  // Its main process is gone; what it has left is ended as that of any other.
  return andThen(aborted, (it) => rested(dismiss(it, process, state.generation, at).service, process));
}

function rested(service: Service, process: ProcessRef): Move {
  const draining = service.draining.map((one) =>
    one.process === process ? ({ ...one, phase: 'rest' } as const) : one,
  );
  const { name } = service.spec;
  return {
    service: { ...service, draining },
    effects: [
      { type: 'settleKept', service: name, process, as: 'discard' },
      { type: 'endRest', service: name, process, signal: 'SIGTERM', policy: 'stop' },
    ],
    happened: [],
  };
}

export function handoverHookExited(service: Service, state: Handover, status: ExitStatus, at: Moment): Move {
  const alone: Handover = { ...state, helper: null };
  if (state.phase !== 'before' && state.phase !== 'after') return go(service, alone);
  const role = hookRoleIn(state.phase);
  const failure = failureOf(status);
  if (failure !== null)
    return undo(
      service,
      alone,
      `${hookName({ ...service, spec: latestSpec(service) }, role, state.hook)} ${failure}`,
      at,
    );
  return advance(service, { ...alone, hook: state.hook + 1 }, at);
}

/** Time is up for whatever it was at. */
export function handoverTimedOut(service: Service, state: Handover, at: Moment): Move {
  const spec = latestSpec(service);
  switch (state.phase) {
    case 'before':
    case 'after': {
      return abort(
        service,
        state,
        `${hookName({ ...service, spec }, hookRoleIn(state.phase), state.hook)} did not end in time`,
        at,
      );
    }
    case 'warming':
    case 'verdict': {
      if (spec.ready.probe.type === 'alive') return approved(service, state, at);
      const { timeout } = spec.ready;
      return abort(service, state, `the new process was not ready within ${(timeout ?? 0) / 1000} s`, at);
    }
    case 'transfer':
      return abort(
        service,
        state,
        `its state was not handed over within ${service.spec.handover.transfer / 1000} s`,
        at,
      );
    case 'preparing':
    case 'launching':
      return stay(service);
  }
}

/** Something else happens to the service, and the hand-over ends for that: the old generation is the service again. */
export function callOff(service: Service, reason: string, at: Moment): Move {
  return service.state.name === 'handover' ? abort(service, service.state, reason, at) : stay(service);
}
