// The way up: the condition, clean state and directories, the commands before a start, the process itself, and the commands
// after it. Each of them goes on to the next when it has ended; a failing one is a failed start. How a process becomes ready
// is in `starting.ts`, and what a failed start leads to in `ending.ts`.

import type { What } from './change.js';
import { type Death, failedStart } from './death.js';
import { nextGeneration } from './draining.js';
import type { Effect } from './effect.js';
import { endHelper } from './end-helper.js';
import { conclude, retry } from './ending.js';
import { LOST } from './event.js';
import type { Fact } from './fact.js';
import { failureOf, hookDeadline, hookName, roleIn, runHook } from './hooks.js';
import { filed } from './incident.js';
import { becomeRunning, killPatience, launch, seek } from './launch.js';
import { before, go, type Move, stay } from './move.js';
import { beDone } from './oneshot.js';
import type { ExitStatus } from './process.js';
import { isHeld, type LaunchReason, type Service, type Skipped, type Starting } from './state.js';
import { beginStop } from './stop.js';
import { later, type Moment } from './time.js';

type Of<T extends Fact['type']> = Extract<Fact, { type: T }>;

/** Its turn to start has come. */
export function begin(service: Service, why: LaunchReason, at: Moment): Move {
  const attempt: Starting = {
    name: 'starting',
    since: at.instant,
    why,
    phase: 'condition',
    hook: 0,
    process: null,
    helper: null,
    setback: null,
    deadline: null,
  };
  return goUp({ ...service, restarts: { ...service.restarts, lastStart: at.instant } }, attempt, at);
}

/** Orders what its phase and place say, or goes to the next phase where that is through. */
export function goUp(service: Service, state: Starting, at: Moment): Move {
  const ordered = runHook(service, state, at);
  if (ordered !== null) return ordered;
  switch (state.phase) {
    case 'condition':
      return beginGeneration(service, state, at);
    case 'preparing':
      if (waitsForConnection(service, state)) return listen(service, at);
      return goUp(service, { ...state, phase: 'before', hook: 0 }, at);
    case 'before':
      return spawnProcess(service, state, at);
    case 'after':
      return state.process === null
        ? beDone(service, at)
        : becomeRunning(service, state.process, state.helper, state.since, at);
    case 'launching':
    case 'finding':
    case 'readying':
    case 'working':
      return stay(service);
  }
}

/** Nothing is in its way: from here on it counts as a start. */
function beginGeneration(service: Service, state: Starting, at: Moment): Move {
  const generation = nextGeneration(service);
  const begun: Service = { ...service, generation, opposition: { ...service.opposition, launched: generation } };
  const next: Starting = { ...state, phase: 'preparing', hook: 0, helper: null, deadline: null };
  return before([], [{ type: 'starting', why: state.why }], prepare(begun, next, at));
}

/** Clean state and directories, where it has any. */
export function prepare(service: Service, state: Starting, at: Moment): Move {
  const { directories, clean, sockets } = service.spec;
  if (directories.length + clean.length + sockets.length === 0) return goUp(service, state, at);
  if (isHeld(service)) return go(service, state);
  return go(service, state, [{ type: 'prepare', spec: service.spec, generation: service.generation }]);
}

/** A lazy one is started at the first connection, or when somebody asks for it. */
const waitsForConnection = ({ spec }: Service, { why }: Starting): boolean =>
  why !== 'connection' && why !== 'requested' && spec.sockets.some(({ lazy }) => lazy === 'yes');

/** Its sockets are open, and that is all for now: no generation has begun. */
function listen(service: Service, at: Moment): Move {
  const { spec, generation } = service;
  return go(
    { ...service, generation: generation - 1 },
    { name: 'waiting', since: at.instant, for: 'connection', why: 'connection', deadline: null },
    [{ type: 'awaitConnection', spec }],
  );
}

/** Somebody has connected. */
export function connected(service: Service, at: Moment): Move {
  const { state } = service;
  const waits = state.name === 'waiting' && state.for === 'connection';
  return waits ? before([], [{ type: 'connected' }], launch(service, 'connection', at)) : stay(service);
}

export function prepared(service: Service, state: Starting, { problem }: Of<'prepared'>, at: Moment): Move {
  if (state.phase !== 'preparing') return stay(service);
  if (problem !== null) return fail(service, state, failedStart('spawn', { type: 'unknown' }, null, problem, at), at);
  return isHeld(service) ? stay(service) : goUp(service, state, at);
}

/** The process itself, or what brings a watched one up. */
function spawnProcess(service: Service, state: Starting, at: Moment): Move {
  const { kind } = service.spec;
  const command = kind.type === 'supervised' ? kind.run : kind.start;
  if (command === null) return launch(service, state.why, at);
  const timeout = kind.type === 'supervised' ? null : command.timeout;
  const spawn: Effect = {
    type: 'spawn',
    spec: service.spec,
    role: kind.type === 'supervised' ? 'main' : 'start',
    hook: 0,
    generation: service.generation,
    command,
    env: {},
  };
  const next: Starting = {
    ...state,
    phase: 'launching',
    hook: 0,
    helper: null,
    deadline: timeout === null ? null : later(at.instant, timeout),
  };
  return go({ ...service, restarts: { ...service.restarts, lastStart: at.instant } }, next, [spawn]);
}

/** Its probe has succeeded, or it has done its work: its commands after a start, where it has any, decide. A start command that still runs is waited for first. */
export function succeed(service: Service, state: Starting, at: Moment): Move {
  const after: Starting = { ...state, phase: 'after', hook: 0 };
  if (state.helper === null || service.spec.hooks.afterStart.length === 0) return goUp(service, after, at);
  const { kind } = service.spec;
  const timeout = kind.type === 'watched' ? (kind.start?.timeout ?? null) : null;
  return go(service, { ...after, hook: -1, deadline: timeout === null ? null : later(state.since, timeout) });
}

export function hookSpawned(service: Service, state: Starting, fact: Of<'spawned'>, at: Moment): Move {
  const { process } = fact;
  if (roleIn(state) !== fact.role) return go(service, state, endHelper(service, process));
  // The answer may come after the deadline of the order, when the loop was held: then the command gets its time from here.
  return go(service, {
    ...state,
    helper: process,
    deadline: state.deadline ?? hookDeadline(service, state, at.instant),
  });
}

export function hookNotSpawned(service: Service, state: Starting, fact: Of<'spawnFailed'>, at: Moment): Move {
  const role = roleIn(state);
  if (role === null || role !== fact.role || state.helper !== null) return stay(service);
  if (fact.errno === LOST) return goUp(service, state, at);
  const detail = `${hookName(service, role, state.hook)} could not be started: ${fact.detail}`;
  return fail(service, state, failedStart('spawn', { type: 'unknown' }, fact.errno, detail, at), at);
}

/** The command of this phase has ended. */
export function hookExited(service: Service, state: Starting, status: ExitStatus, at: Moment): Move {
  const role = roleIn(state);
  const alone: Starting = { ...state, helper: null };
  if (role === null) return go(service, alone);
  if (state.setback !== null) return fail(service, alone, state.setback, at);
  // It was the start command, of which nothing more is expected.
  if (state.hook < 0) return goUp(service, { ...alone, hook: 0 }, at);
  // Nobody saw how it ended: it is run again, as what follows builds on it.
  if (status.type === 'unknown') return goUp(service, alone, at);
  const failure = failureOf(status);
  if (failure === null) return goUp(service, { ...alone, hook: state.hook + 1 }, at);
  if (state.phase === 'condition' && status.type === 'exited' && !couldNotRun(status.code))
    return skip(service, state, `its condition ${failure}`, at);
  const cause = status.type === 'exited' ? 'exit' : 'signal';
  const detail = `${hookName(service, role, state.hook)} ${failure}`;
  return fail(service, alone, failedStart(cause, status, null, detail, at), at);
}

/** What shells and `env` say of a program that is not there, or cannot be executed: no answer to the question. */
const couldNotRun = (code: number): boolean => code >= 125 && code <= 127;

/** Not now: no failure, and nothing that was done to it. */
function skip(service: Service, state: Starting, reason: string, at: Moment): Move {
  const { restart, kind } = service.spec;
  const skipped: Skipped = { name: 'skipped', since: at.instant, deadline: later(at.instant, restart.slowEvery) };
  // Asked again and again it says so once.
  const told: readonly What[] = state.why === 'condition' ? [] : [{ type: 'skipped', reason }];
  return go(service, skipped, kind.type === 'watched' ? [seek(service)] : [], told);
}

/** The time of the command of this phase is over: it is ended, and the start has failed. */
export function hookTimedOut(service: Service, state: Starting, at: Moment): Move {
  const role = roleIn(state);
  if (role === null || state.helper === null) return go(service, { ...state, deadline: null });
  const order = endHelper(service, state.helper);
  if (state.hook < 0) return before(order, [], goUp(service, { ...state, helper: null, hook: 0 }, at));
  // Not even SIGKILL ends it: nobody waits for it any longer.
  if (state.setback !== null) return fail(service, { ...state, helper: null }, state.setback, at);
  const detail = `${hookName(service, role, state.hook)} did not end in time, ended by us`;
  const setback = failedStart('start-timeout', { type: 'unknown' }, null, detail, at);
  return go(service, { ...state, setback, deadline: later(at.instant, killPatience) }, order);
}

/** The start has failed: where something of it has begun already, that is ended by its own rules. */
function fail(service: Service, state: Starting, death: Death, at: Moment): Move {
  const { process } = state;
  switch (state.phase) {
    case 'condition':
    case 'preparing':
      return retry(service, death, at);
    case 'after':
      if (process !== null) {
        // The status is the command's: of the process nothing is known yet.
        const own: Death = { ...death, process, status: { type: 'unknown' } };
        return beginStop({ ...service, lastDeath: filed(service, own) }, process, null, 'hook', at);
      }
      return conclude(service, death, at);
    case 'before':
    case 'launching':
    case 'finding':
    case 'readying':
    case 'working':
      return conclude(service, death, at);
  }
}
