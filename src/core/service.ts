// One service: where it is, and what the next fact does to it. One function per state, every fact named in each,
// no default: a missing cell does not compile. Knows no clock and no other service.
//
// How to read it. A supervised service goes starting → running → (death) → backoff → starting; a watched one the same,
// but its `starting` runs a start command (`helper`) and looks for the process that comes of it. Wanted down, it goes
// through `stopping`. `waiting` is down and wanted up, with something in the way; `failed` is down and wanted up, and
// only slow tries or a person are left. Restarting is not a state: it is `stopping` while `up` is wanted.
//
// Facts about processes that are not this service's (any more) were dropped before, in `step.ts`.

import type { Fact } from './fact.js';
import * as handover from './handover.js';
import { launch, releaseFrom } from './launch.js';
import { pressRest } from './leftovers.js';
import { andThen, go, impossible, type Move, stay } from './move.js';
import { oldExited } from './orphaned.js';
import { isSameProcess } from './process.js';
import * as running from './running.js';
import * as starting from './starting.js';
import type {
  Backoff,
  Done,
  Failed,
  Handover,
  Running,
  Service,
  Skipped,
  Starting,
  Stopped,
  Stopping,
  Unknown,
  Waiting,
} from './state.js';
import * as stopping from './stopping.js';
import type { Moment } from './time.js';
import { isMissed, missed, pardoned } from './watchdog.js';
import { identify, noticeWhileDown } from './watching.js';
import { prepared } from './way-up.js';

/** The next value of a service after a fact about it. Throws for a cell that cannot happen. */
export function receive(service: Service, fact: Fact, at: Moment): Move {
  const { state } = service;
  switch (state.name) {
    case 'unknown':
      return whenUnknown(service, state, fact, at);
    case 'stopped':
    case 'done':
      return whenStopped(service, state, fact, at);
    case 'skipped':
      return whenSkipped(service, state, fact, at);
    case 'waiting':
      return whenWaiting(service, state, fact, at);
    case 'starting':
      return whenStarting(service, state, fact, at);
    case 'running':
      return whenRunning(service, state, fact, at);
    case 'stopping':
      return whenStopping(service, state, fact, at);
    case 'backoff':
      return whenBackoff(service, state, fact, at);
    case 'failed':
      return whenFailed(service, state, fact, at);
    case 'handover':
      return whenHandover(service, state, fact, at);
  }
}

function whenUnknown(service: Service, _state: Unknown, fact: Fact, at: Moment): Move {
  switch (fact.type) {
    case 'looked':
      return identify(service, fact.look, at);
    case 'spawned':
    case 'spawnFailed':
    case 'becameReady':
    case 'prepared':
      return impossible(service, fact.type);
    case 'exited':
    case 'emptied':
    case 'deadlinePassed':
      return stay(service);
  }
}

function whenStopped(service: Service, _state: Stopped | Done, fact: Fact, at: Moment): Move {
  switch (fact.type) {
    case 'looked':
      return noticeWhileDown(service, fact.look, at);
    case 'emptied':
      return forgetRest(service);
    case 'spawned':
    case 'spawnFailed':
    case 'prepared':
      return impossible(service, fact.type);
    case 'exited':
    case 'becameReady':
    case 'deadlinePassed':
      return stay(service);
  }
}

function whenSkipped(service: Service, _state: Skipped, fact: Fact, at: Moment): Move {
  switch (fact.type) {
    case 'deadlinePassed':
      return launch(service, 'condition', at);
    case 'looked':
      return noticeWhileDown(service, fact.look, at);
    case 'emptied':
      return forgetRest(service);
    case 'spawned':
    case 'spawnFailed':
    case 'prepared':
      return impossible(service, fact.type);
    case 'exited':
    case 'becameReady':
      return stay(service);
  }
}

function whenWaiting(service: Service, state: Waiting, fact: Fact, at: Moment): Move {
  switch (fact.type) {
    case 'looked':
      return noticeWhileDown(service, fact.look, at);
    case 'emptied':
      return releaseFrom({ ...service, rest: null }, 'leftovers', at);
    case 'deadlinePassed':
      return whenWaitIsOver(service, state, at);
    case 'spawned':
    case 'spawnFailed':
    case 'prepared':
      return impossible(service, fact.type);
    case 'exited':
    case 'becameReady':
      return stay(service);
  }
}

function whenWaitIsOver(service: Service, state: Waiting, at: Moment): Move {
  switch (state.for) {
    case 'settle':
      return running.afterSettle(service, at);
    case 'leftovers':
      return pressRest(service, state, at);
    case 'boot':
    case 'shutdown':
      // Only after the keeper's return: the host itself turns by a fact.
      return launch(service, 'first', at);
    case 'hold':
    case 'turn':
    case 'connection':
      return stay(service);
  }
}

function whenStarting(service: Service, state: Starting, fact: Fact, at: Moment): Move {
  switch (fact.type) {
    case 'spawned':
      return starting.spawned(service, state, fact, at);
    case 'spawnFailed':
      return starting.spawnFailed(service, state, fact, at);
    case 'exited':
      return starting.exited(service, state, fact, at);
    case 'looked':
      return starting.looked(service, state, fact.look, at);
    case 'becameReady':
      return starting.becameReady(service, state, at);
    case 'deadlinePassed':
      return starting.deadlinePassed(service, state, at);
    case 'prepared':
      return prepared(service, state, fact, at);
    case 'emptied':
      return forgetRest(service);
  }
}

function whenRunning(service: Service, state: Running, fact: Fact, at: Moment): Move {
  switch (fact.type) {
    case 'spawned':
      return running.helperSpawned(service, state, fact, at);
    case 'spawnFailed':
      return go(service, state, [], [{ type: 'reloadFailed', reason: fact.detail }]);
    case 'exited':
      return running.exited(service, state, fact, at);
    case 'deadlinePassed':
      return running.deadlinePassed(service, state, at);
    case 'looked':
    case 'becameReady':
    case 'prepared':
    case 'emptied':
      return stay(service);
  }
}

function whenStopping(service: Service, state: Stopping, fact: Fact, at: Moment): Move {
  switch (fact.type) {
    case 'spawned':
      return stopping.spawned(service, state, fact, at);
    case 'spawnFailed':
      return stopping.spawnFailed(service, state, fact, at);
    case 'exited':
      return stopping.exited(service, state, fact, at);
    case 'looked':
      return stopping.looked(service, state, fact.look, at);
    case 'emptied':
      return stopping.emptied(service, state, at);
    case 'deadlinePassed':
      return stopping.deadlinePassed(service, state, at);
    case 'prepared':
    case 'becameReady':
      return stay(service);
  }
}

function whenBackoff(service: Service, _state: Backoff, fact: Fact, at: Moment): Move {
  switch (fact.type) {
    case 'deadlinePassed':
      return launch(service, 'restart', at);
    case 'looked':
      return noticeWhileDown(service, fact.look, at);
    case 'emptied':
      return forgetRest(service);
    case 'spawned':
    case 'spawnFailed':
    case 'prepared':
      return impossible(service, fact.type);
    case 'exited':
    case 'becameReady':
      return stay(service);
  }
}

function whenFailed(service: Service, _state: Failed, fact: Fact, at: Moment): Move {
  switch (fact.type) {
    case 'deadlinePassed':
      return launch(service, 'retry', at);
    case 'looked':
      return noticeWhileDown(service, fact.look, at);
    case 'emptied':
      return forgetRest(service);
    case 'spawned':
    case 'spawnFailed':
    case 'prepared':
      return impossible(service, fact.type);
    case 'exited':
    case 'becameReady':
      return stay(service);
  }
}

function whenHandover(service: Service, state: Handover, fact: Fact, at: Moment): Move {
  switch (fact.type) {
    case 'spawned':
      if (!handover.isOrdered(state, fact)) return stay(service);
      return fact.role === 'main'
        ? handover.launched(service, state, fact.process, at)
        : go(service, { ...state, helper: fact.process });
    case 'spawnFailed':
      return handover.isOrdered(state, fact) ? handover.undo(service, state, fact.detail, at) : stay(service);
    case 'prepared':
      return handover.prepared(service, state, fact.problem, at);
    case 'becameReady':
      return handover.approved(service, state, at);
    case 'exited':
      return whenOneEnds(service, state, fact, at);
    case 'deadlinePassed':
      return whenHandoverIsLate(service, state, at);
    case 'emptied':
      return forgetRest(service);
    case 'looked':
      return stay(service);
  }
}

function whenOneEnds(service: Service, state: Handover, fact: Extract<Fact, { type: 'exited' }>, at: Moment): Move {
  const { process, evidence } = fact;
  if (isSameProcess(state.process, process)) return oldExited(service, state, fact, at);
  return state.successor !== null && isSameProcess(state.successor, process)
    ? handover.successorExited(service, state, evidence.status, at)
    : handover.handoverHookExited(service, state, evidence.status, at);
}

/** The old one has to say that it lives also now, but for the time in which it stands still. */
function whenHandoverIsLate(service: Service, state: Handover, at: Moment): Move {
  if (state.still === null && isMissed(service, at))
    return andThen(handover.abort(service, state, 'the old generation does not say that it lives', at), (it) =>
      missed(it, state.process, 'silence', at),
    );
  const fair = state.still === null ? pardoned(service, at) : service;
  return state.deadline !== null && state.deadline <= at.instant
    ? handover.handoverTimedOut(fair, state, at)
    : stay(fair);
}

function forgetRest(service: Service): Move {
  return stay({ ...service, rest: null });
}
