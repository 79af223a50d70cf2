// The commands around a stop: before the first signal, and after the end. None of them stops a stop: one that fails or is
// late is told, and the way goes on. The way itself is in `stop.ts`, what follows it in `ending.ts`.

import type { What } from './change.js';
import type { Role } from './effect.js';
import { endHelper } from './end-helper.js';
import { finish, moveOn } from './ending.js';
import { LOST } from './event.js';
import type { Fact } from './fact.js';
import { failureOf, type HookRole, hookDeadline, hookName, roleIn, runHook } from './hooks.js';
import { killPatience } from './launch.js';
import { before, go, type Move, stay } from './move.js';
import type { ExitStatus } from './process.js';
import type { Service, Stopping } from './state.js';
import { fall } from './stop.js';
import { later, type Moment } from './time.js';

type Of<T extends Fact['type']> = Extract<Fact, { type: T }>;

/** Orders the next command of its phase, or goes on where that was the last. */
function goDown(service: Service, state: Stopping, at: Moment): Move {
  const ordered = runHook(service, state, at);
  if (ordered !== null) return ordered;
  return state.phase === 'before' && state.process !== null
    ? fall(service, state.process, state.why, at)
    : moveOn(service, state, at);
}

export function hookSpawned(service: Service, state: Stopping, fact: Of<'spawned'>, at: Moment): Move {
  const { process } = fact;
  const isAwaited = isOf(state, fact.role);
  const isUnwanted = state.phase === 'condition' || state.phase === 'preparing';
  if (!isAwaited || isUnwanted) {
    const order = endHelper(service, process);
    return isAwaited
      ? go(service, { ...state, helper: process, deadline: later(at.instant, killPatience) }, order)
      : go(service, state, order);
  }
  const deadline = state.deadline ?? hookDeadline(service, state, at.instant);
  return go(service, { ...state, helper: process, deadline });
}

export function hookNotSpawned(service: Service, state: Stopping, fact: Of<'spawnFailed'>, at: Moment): Move {
  const role = roleIn(state);
  if (role === null || !isOf(state, fact.role) || state.helper !== null) return stay(service);
  if (state.phase === 'condition' || state.phase === 'preparing') return unstarted(service, state, at);
  if (fact.errno === LOST) return goDown(service, state, at);
  return pass(service, state, role, `could not be started: ${fact.detail}`, at);
}

/** The command of this phase has ended. */
export function hookExited(service: Service, state: Stopping, status: ExitStatus, at: Moment): Move {
  const role = roleIn(state);
  if (role === null) return go(service, { ...state, helper: null });
  if (state.phase === 'condition' || state.phase === 'preparing') return unstarted(service, state, at);
  return pass(service, state, role, state.rung > 0 ? 'did not end in time, ended by us' : failureOf(status), at);
}

/** The time of the command of this phase is over. */
export function hookTimedOut(service: Service, state: Stopping, at: Moment): Move {
  const role = roleIn(state);
  if (state.phase === 'condition' || state.phase === 'preparing') return unstarted(service, state, at);
  if (role === null || state.helper === null) return go(service, { ...state, deadline: null });
  if (state.rung > 0) return pass(service, state, role, 'does not end, not even by SIGKILL', at);
  return go(
    service,
    { ...state, rung: 1, deadline: later(at.instant, killPatience) },
    endHelper(service, state.helper),
  );
}

/** Is a command of that role what this state waits for? A start that is broken off may be at those before it and, a oneshot, at those after it. */
const isOf = (state: Stopping, role: Role): boolean =>
  state.phase === 'preparing' ? role === 'beforeStart' || role === 'afterStart' : roleIn(state) === role;

/** On to what comes after this command. `failure`: what is told of it; null: nothing. */
function pass(service: Service, state: Stopping, role: HookRole, failure: string | null, at: Moment): Move {
  const reason = `${hookName(service, role, state.hook)} ${failure}`;
  const told: readonly What[] = failure === null ? [] : [{ type: 'hookFailed', hook: role, reason }];
  return before([], told, goDown(service, { ...state, hook: state.hook + 1, rung: 0, helper: null }, at));
}

/** What was asked to stop in the middle of its preparations has come to an end. */
function unstarted(service: Service, state: Stopping, at: Moment): Move {
  const over: Stopping = { ...state, helper: null };
  return state.phase === 'condition' ? moveOn(service, over, at) : finish(service, over, at);
}
