// A start under way: launched, found, ready, or come to nothing. For supervised services `process` is what we spawned;
// for watched ones `helper` is the start command and `process` what was found. A double-forking daemon is found more than
// once: its first processes end while it detaches itself, and that is no death.

import { askedFor, type Death, deathOf, failedStart } from './death.js';
import { endHelper } from './end-helper.js';
import { conclude } from './ending.js';
import { LOST } from './event.js';
import type { Fact } from './fact.js';
import { hookDeadline, roleIn } from './hooks.js';
import { filed } from './incident.js';
import {
  findDeadline,
  killPatience,
  launch,
  readyDeadline,
  readying,
  seek,
  settledEffects,
  stopAwaiting,
} from './launch.js';
import { leaveNoRest } from './leftovers.js';
import { before, go, type Move, stay } from './move.js';
import { isOneshot, isWorkDone, work, workDeadline } from './oneshot.js';
import { chooseMain, type Look } from './pattern.js';
import { isSameProcess, type ProcessRef } from './process.js';
import { isHeld, type Service, type Starting, type Stopping } from './state.js';
import { beginStop } from './stop.js';
import { type Instant, later, type Millis, type Moment, seconds } from './time.js';
import { follow, living, memoryOf, remember, unclear } from './watching.js';
import { hookExited, hookNotSpawned, hookSpawned, hookTimedOut, succeed } from './way-up.js';

/** How long the one look may take that decides after a failure. */
const lookPatience: Millis = seconds(5);

type Of<T extends Fact['type']> = Extract<Fact, { type: T }>;

export function spawned(service: Service, state: Starting, fact: Of<'spawned'>, at: Moment): Move {
  switch (fact.role) {
    case 'main': {
      const move = isOneshot(service)
        ? work(service, state, fact.process, at)
        : readying(service, fact.process, null, state, at);
      return before([], [{ type: 'launched', process: fact.process }], move);
    }
    case 'start': {
      // The answer may come after the deadline of the order, when the loop was held: then the command gets its time from here.
      const { kind } = service.spec;
      const timeout = kind.type === 'watched' ? (kind.start?.timeout ?? null) : null;
      const deadline =
        state.deadline ?? (timeout === null || state.process !== null ? null : later(at.instant, timeout));
      return go(service, { ...state, helper: fact.process, deadline }, [seek(service)]);
    }
    case 'condition':
    case 'beforeStart':
    case 'afterStart':
    case 'beforeStop':
    case 'afterStop':
      return hookSpawned(service, state, fact, at);
    case 'stop':
    case 'restart':
    case 'reload':
      return stay(service);
  }
}

export function spawnFailed(service: Service, state: Starting, fact: Of<'spawnFailed'>, at: Moment): Move {
  if (fact.role !== 'main' && fact.role !== 'start') return hookNotSpawned(service, state, fact, at);
  if (fact.errno === LOST) return orderLost(service, state, at);
  return conclude(service, failedStart('spawn', { type: 'unknown' }, fact.errno, fact.detail, at), at);
}

/** The keeper before died between this order and its outcome, and nothing of it lives: it is ordered again, uncounted. */
function orderLost(service: Service, state: Starting, at: Moment): Move {
  if (state.phase !== 'launching') return stay(service);
  const again: Service = { ...service, generation: service.generation - 1 };
  if (service.spec.kind.type === 'supervised') return launch(again, 'restart', at);
  // The start command may have done its work and ended: only if a look finds nothing it is run again.
  return go(again, { name: 'unknown', since: at.instant, why: { type: 'looking' } }, [seek(service)]);
}

export function exited(service: Service, state: Starting, fact: Of<'exited'>, at: Moment): Move {
  if (state.process !== null && isSameProcess(state.process, fact.process))
    return mainExited(service, state, state.process, fact, at);
  return roleIn(state) === null
    ? helperExited(service, state, fact, at)
    : hookExited(service, state, fact.evidence.status, at);
}

function mainExited(service: Service, state: Starting, process: ProcessRef, fact: Of<'exited'>, at: Moment): Move {
  if (state.phase === 'working' && isWorkDone(service, fact.evidence.status))
    return workDone(service, state, process, at);
  const startedAt = service.restarts.lastStart ?? state.since;
  const seen = deathOf(process, fact.evidence, 'none', { startedAt, readySince: null }, fact.away, at);
  const death = askedFor(seen, service.asked, at);
  const quiet = stopAwaiting(service);
  // What was to come after its start comes too late. A hold ends nothing.
  const hook = state.phase === 'after' && !isHeld(service) ? endHelper(service, state.helper) : [];
  switch (service.spec.kind.type) {
    case 'supervised': {
      const rid = leaveNoRest(service, process);
      return before([...quiet, ...hook, ...rid.effects], [], conclude(rid.service, death, at));
    }
    case 'watched': {
      // It may have detached itself: look again. Its own crash is kept, in case nothing else is found.
      const left: Starting = state.phase === 'after' ? { ...state, hook: 0, helper: null } : state;
      const next: Starting = {
        ...left,
        phase: left.helper === null ? 'finding' : 'launching',
        process: null,
        setback: death,
        deadline: findingDeadline(service, left, at),
      };
      return go(service, next, [...quiet, ...hook, { type: 'look', spec: service.spec, seek: 'on' }]);
    }
  }
}

/** A oneshot has ended as it should: what it leaves behind is ended as after any end. */
function workDone(service: Service, state: Starting, process: ProcessRef, at: Moment): Move {
  const rid = leaveNoRest(service, process);
  return before(rid.effects, [], succeed(rid.service, { ...state, process: null, deadline: null }, at));
}

/** While the start command runs its own deadline holds; afterwards the time to become ready does. */
function findingDeadline(service: Service, state: Starting, at: Moment): Starting['deadline'] {
  const { kind } = service.spec;
  if (state.helper !== null && kind.type === 'watched')
    return kind.start?.timeout == null ? null : later(state.since, kind.start.timeout);
  return findDeadline(service.spec.ready, at);
}

/** The start command has ended. With a process found, its status says nothing more; without one it decides. */
function helperExited(service: Service, state: Starting, fact: Of<'exited'>, at: Moment): Move {
  if (state.process !== null) return go(service, { ...state, helper: null });
  const { status } = fact.evidence;
  const succeeded = status.type === 'exited' && status.code === 0;
  const finding: Starting = { ...state, phase: 'finding', helper: null, deadline: null };
  if (succeeded || status.type === 'unknown') {
    const deadline = findingDeadline(service, finding, at);
    return go(service, { ...finding, deadline }, [{ type: 'look', spec: service.spec, seek: 'on' }]);
  }
  // It failed, but what it started may live all the same: one more look decides (`looked` below).
  const detail =
    status.type === 'exited'
      ? `its start command exited with code ${status.code}`
      : `its start command was killed by ${status.signal}`;
  const death = failedStart(status.type === 'exited' ? 'exit' : 'signal', status, null, detail, at);
  return go(service, { ...finding, setback: death, deadline: later(at.instant, lookPatience) }, [
    { type: 'look', spec: service.spec, seek: 'on' },
  ]);
}

export function looked(service: Service, state: Starting, look: Look, at: Moment): Move {
  const { kind } = service.spec;
  if (kind.type !== 'watched' || state.process !== null) return stay(service);
  // Before the order is answered no look can be about what came of it; the answer brings a new one.
  if (roleIn(state) !== null || state.phase === 'preparing') return stay(service);
  if (state.phase === 'launching' && state.helper === null) return stay(service);
  const choice = chooseMain(kind.pattern, living(look, service), memoryOf(service));
  switch (choice.type) {
    case 'main': {
      const { process } = choice.facts;
      // A start command that stays in the foreground, or is about to fork, is found itself: one process, one end.
      const helper = state.helper !== null && isSameProcess(state.helper, process) ? null : state.helper;
      return before(
        [follow(service, process)],
        [],
        readying(remember(service, choice.facts), process, helper, state, at),
      );
    }
    case 'none':
      // A crash, or a failed command, and nothing else there: waiting longer would help nobody. A pid file may still be written.
      if (isLastLook(state)) return nothingFound(service, state, at);
      if (
        state.phase === 'finding' &&
        state.setback !== null &&
        isFailure(state.setback) &&
        kind.pattern.by.type !== 'pidFile'
      )
        return nothingFound(service, state, at);
      return stay(service);
    case 'ambiguous':
      // Two at once is what a daemon looks like in the middle of its double fork. When time is up they are too many, and
      // another start would make them more.
      return isLastLook(state) ? unclear(service, { type: 'ambiguous', pids: choice.pids }, at) : stay(service);
    case 'unseen':
      return isLastLook(state) ? unclear(service, { type: 'unseen', reason: choice.reason }, at) : stay(service);
  }
}

/** Is it the look that decides, because the time to find something is over? */
function isLastLook(state: Starting): boolean {
  return state.phase === 'finding' && state.deadline === null;
}

export function becameReady(service: Service, state: Starting, at: Moment): Move {
  return state.phase === 'readying' ? succeed(service, state, at) : stay(service);
}

export function deadlinePassed(service: Service, state: Starting, at: Moment): Move {
  const fair = fairDeadline(service, state, at);
  if (fair !== null && state.deadline !== null && fair > state.deadline)
    return go(service, { ...state, deadline: fair });
  switch (state.phase) {
    case 'condition':
    case 'before':
    case 'after':
      return hookTimedOut(service, state, at);
    case 'preparing':
      return stay(service);
    case 'working':
      return state.process === null ? stay(service) : notReady(service, state, state.process, at);
    case 'launching':
      return state.helper === null
        ? go(service, { ...state, deadline: null })
        : startCommandTimedOut(service, state.helper, at);
    case 'finding':
      // Time is up: one more look decides.
      return go(service, { ...state, deadline: null }, [seek(service)]);
    case 'readying':
      if (state.process === null) return stay(service);
      if (service.spec.ready.probe.type === 'alive') return succeed(service, state, at);
      return notReady(service, state, state.process, at);
  }
}

/** The keeper was held up, or the machine slept: the time that this phase is given counts from then. null: it has none. */
function fairDeadline(service: Service, state: Starting, at: Moment): Instant | null {
  const { kind, ready } = service.spec;
  const from = { ...at, instant: at.steadySince };
  switch (state.phase) {
    case 'readying':
      return readyDeadline(ready, from);
    case 'launching': {
      const timeout = kind.type === 'watched' ? (kind.start?.timeout ?? null) : null;
      return timeout === null ? null : later(at.steadySince, timeout);
    }
    case 'condition':
    case 'before':
    case 'after':
      return state.setback === null ? hookDeadline(service, state, at.steadySince) : null;
    case 'working':
      return workDeadline(service, at.steadySince);
    case 'finding':
    case 'preparing':
      return null;
  }
}

/** The start command hangs: it is ended, except for what matches; then the start has failed. */
function startCommandTimedOut(service: Service, helper: ProcessRef, at: Moment): Move {
  const death = failedStart(
    'start-timeout',
    { type: 'unknown' },
    null,
    'its start command did not end in time, stopped by us',
    at,
  );
  const next: Stopping = {
    name: 'stopping',
    since: at.instant,
    process: null,
    phase: 'launching',
    rung: 0,
    hook: 0,
    servedSince: null,
    helper,
    why: 'start-timeout',
    deadline: later(at.instant, killPatience),
  };
  return go({ ...service, lastDeath: filed(service, death) }, next, endHelper(service, helper), [
    { type: 'stopping', why: 'start-timeout' },
  ]);
}

/** The start command has ended, and no process came of it. */
function nothingFound(service: Service, state: Starting, at: Moment): Move {
  if (state.setback !== null) return conclude(service, state.setback, at);
  if (service.matched === 'once') {
    return conclude(
      service,
      failedStart('gone', { type: 'unknown' }, null, 'its start command succeeded, and no process came of it', at),
      at,
    );
  }
  const failed = { name: 'failed', since: at.instant, failure: { type: 'nothing-matches' }, deadline: null } as const;
  const reason = 'its start command succeeded, and nothing matches its watch';
  const death = filed(service, failedStart('gone', { type: 'unknown' }, null, reason, at));
  const next = { type: 'nothing', why: 'try `upkeep match`' } as const;
  return go(
    { ...service, lastDeath: death },
    failed,
    [],
    [
      { type: 'startFailed', death, next },
      { type: 'failed', failure: failed.failure, next },
    ],
  );
}

/** An end that no daemon which detaches itself has. */
function isFailure(death: Death): boolean {
  return !(death.status.type === 'exited' && death.status.code === 0);
}

/** It lives, but its probe never succeeded: stopped by its own rules, and the start has failed. */
function notReady(service: Service, state: Starting, process: ProcessRef, at: Moment): Move {
  const { timeout } = service.spec.ready;
  const what = state.phase === 'working' ? 'done' : 'ready';
  const detail = `was not ${what} within ${timeout === null ? 'its time' : `${timeout / 1000} s`}, stopped by us`;
  const death: Death = { ...failedStart('start-timeout', { type: 'unknown' }, null, detail, at), process };
  return before(
    settledEffects(service),
    [],
    beginStop({ ...service, lastDeath: filed(service, death) }, process, state.helper, 'start-timeout', at),
  );
}
