// The keeper is here, for the first time or again: what each service needs from the outside is ordered anew, and every
// deadline begins its grace anew, because time without a keeper proves nothing against a service.

import { resumeOutgoing } from './draining.js';
import type { Effect, Role } from './effect.js';
import { ordersOf } from './escalate.js';
import { abort } from './handover.js';
import { hookDeadline, reclaimHook } from './hooks.js';
import { awaitReady, findDeadline, killPatience, launch, readyDeadline, seek } from './launch.js';
import { endingOfRest, orderRest } from './leftovers.js';
import { andThen, before, go, type Move, stay } from './move.js';
import { workDeadline } from './oneshot.js';
import type { ProcessRef } from './process.js';
import { seekSuccessor } from './running.js';
import { desiredOf, type Handover, type Service, type Starting, type Stopping } from './state.js';
import { type Instant, later, type Moment, millis, seconds } from './time.js';
import { armed } from './watchdog.js';
import { follow } from './watching.js';
import { prepare } from './way-up.js';

/** A look at the host's processes takes a few hundredths of a second; on a host that is busy with coming up it may take longer. */
const lookTime = seconds(2);

/** What every deadline of a stop is given at least. */
const grace = seconds(10);

export function resume(service: Service, at: Moment): Move {
  const { state } = service;
  // Two press on with what they were at, and one looks for a successor first; in all other states the rest is ended as at the first time.
  const presses =
    state.name === 'stopping' || (state.name === 'waiting' && (state.for === 'leftovers' || state.for === 'settle'));
  const resumed = before(presses ? [] : orderRest(service), [], resumeState(service, at));
  return andThen(resumed, (it) => resumeOutgoing(it, at));
}

function resumeState(service: Service, at: Moment): Move {
  const { state } = service;
  switch (state.name) {
    case 'unknown':
      return go(service, { ...state, why: { type: 'looking' } }, [seek(service)]);
    case 'stopped':
      if (state.why === 'requested' && desiredOf(service) === 'up') return launch(service, 'first', at);
      return isWatched(service) ? go(service, state, [seek(service)]) : stay(service);
    case 'done':
    case 'skipped':
      return stay(service);
    case 'waiting':
      return resumeWaiting(service, at);
    case 'starting':
      return resumeStarting(service, state, at);
    case 'running':
      // A reload command that was ordered and not yet recorded as a process is not looked for: it may go on, nobody tells how
      // it ended, and it is not run a second time. Whoever asked for it was cut off, and may ask again.
      return go(freshWatch(service, at), state, [
        follow(service, state.process),
        ...followed(service, state.helper),
        ...accepted(service, state.process),
      ]);
    case 'handover':
      return resumeHandover(service, state, at);
    case 'stopping':
      return resumeStopping(service, state, at);
    case 'backoff':
      return isWatched(service)
        ? go(service, { ...state, deadline: afterLook(state.deadline, at) }, [seek(service)])
        : stay(service);
    case 'failed': {
      const deadline = state.deadline === null ? null : afterLook(state.deadline, at);
      return isWatched(service) ? go(service, { ...state, deadline }, [seek(service)]) : stay(service);
    }
  }
}

/** Time without a keeper proves nothing against a service that was to say that it lives. */
const freshWatch = (service: Service, at: Moment): Service =>
  service.watchdog === null ? service : armed(service, at);

/** It may have been recorded and not told any more; told twice it does no harm. */
const accepted = ({ spec }: Service, process: ProcessRef): readonly Effect[] =>
  spec.handover.mode === 'replace'
    ? []
    : [
        { type: 'tell', service: spec.name, process, word: { type: 'accept' } },
        { type: 'settleKept', service: spec.name, process, as: 'join' },
      ];

/** Nobody takes over without a keeper: the new generation has ended for want of one, or is ended now, and the old one never stopped to be the service. */
function resumeHandover(service: Service, state: Handover, at: Moment): Move {
  const { process, successor, helper } = state;
  const orders = [follow(service, process), ...followed(service, successor), ...followed(service, helper)];
  return before(orders, [], abort(freshWatch(service, at), state, 'the keeper ended meanwhile', at));
}

function resumeWaiting(service: Service, at: Moment): Move {
  const { state, rest } = service;
  if (state.name !== 'waiting') return stay(service);
  if (state.for === 'leftovers' && rest !== null)
    return go(service, { ...state, deadline: later(at.instant, killPatience) }, endingOfRest(service, 'SIGKILL'));
  if (state.for === 'connection') return go(service, state, [{ type: 'awaitConnection', spec: service.spec }]);
  if (state.for === 'settle' && !isWatched(service)) return resumeSeeking(service, at);
  if (state.for === 'settle')
    return go(service, { ...state, deadline: afterLook(state.deadline ?? at.instant, at) }, [seek(service)]);
  if (isWatched(service) && (state.for === 'boot' || state.for === 'shutdown'))
    return go(service, { ...state, deadline: afterLook(at.instant, at) }, [seek(service)]);
  return launch(service, state.why, at);
}

/** Whether it left a successor has still to be found out. */
function resumeSeeking(service: Service, at: Moment): Move {
  const { lastDeath } = service;
  if (lastDeath?.process == null || service.state.name !== 'waiting') return launch(service, 'restart', at);
  const state = { ...service.state, deadline: later(at.instant, grace) };
  return go(service, state, [seekSuccessor(service, lastDeath, lastDeath.process)]);
}

/** A start command is not run before a look could tell that somebody else has done it meanwhile. */
function afterLook(due: Instant, at: Moment): Instant {
  const soonest = later(at.instant, lookTime);
  return due > soonest ? due : soonest;
}

function resumeStarting(service: Service, state: Starting, at: Moment): Move {
  switch (state.phase) {
    case 'readying':
      if (state.process === null) return stay(service);
      return go(service, { ...state, deadline: readyDeadline(service.spec.ready, at) }, [
        follow(service, state.process),
        ...followed(service, state.helper),
        ...awaitReady(service, state.process),
        ...accepted(service, state.process),
      ]);
    case 'condition':
    case 'before':
      return resumeHook(service, state, [], at);
    case 'after':
      return resumeHook(service, state, afterHandover(service, state.process), at);
    case 'preparing':
      return prepare(service, state, at);
    case 'working':
      return go(service, { ...state, deadline: workDeadline(service, at.instant) }, followed(service, state.process));
    case 'finding':
      return go(service, { ...state, deadline: findDeadline(service.spec.ready, at) }, [seek(service)]);
    case 'launching':
      // The order to spawn was recorded, its outcome was not: what came of it decides.
      if (state.helper !== null) return go(service, state, [follow(service, state.helper), seek(service)]);
      return go(service, state, [reclaimStart(service), ...(isWatched(service) ? [seek(service)] : [])]);
  }
}

/** One that goes on alone, since the old generation died, is at its commands after a start like any other. */
const afterHandover = (service: Service, process: Starting['process']): readonly Effect[] =>
  process === null ? [] : [follow(service, process), ...accepted(service, process)];

/** Its command may have been ordered only, may run, or may have ended: what is not there any more is run (again). */
function resumeHook(service: Service, state: Starting, others: readonly Effect[], at: Moment): Move {
  const deadline = state.setback === null ? hookDeadline(service, state, at.instant) : state.deadline;
  const orders = [...others, ...followed(service, state.helper), ...reclaimHook(service, state)];
  return go(service, { ...state, deadline }, orders);
}

function resumeStopping(service: Service, state: Stopping, at: Moment): Move {
  const orders: Effect[] = [
    ...followed(service, state.process),
    ...followed(service, state.helper),
    ...ordersOf(service, state),
    ...reclaimHook(service, state),
  ];
  if (state.helper === null && state.phase === 'launching') orders.push(reclaimStart(service));
  if (state.helper === null && state.phase === 'command')
    orders.push(reclaim(service, state.why === 'restart-command' ? 'restart' : 'stop'));
  return go(service, { ...state, deadline: stopDeadline(service, state, at) }, orders);
}

/** A stop takes as long as it would have; but a wait that was over, or nearly, while nobody was there is not held against what is to end. */
function stopDeadline({ spec }: Service, { deadline, phase, rung }: Stopping, at: Moment): Stopping['deadline'] {
  if (deadline === null) return null;
  const { stop } = spec.kind;
  const wait = phase === 'ladder' && stop.type === 'ladder' ? stop.rungs[rung]?.wait : null;
  const atLeast = later(at.instant, millis(Math.min(wait ?? grace, grace)));
  return deadline > atLeast ? deadline : atLeast;
}

function followed(service: Service, process: Stopping['process']): readonly Effect[] {
  return process === null ? [] : [follow(service, process)];
}

function reclaimStart(service: Service): Effect {
  return reclaim(service, isWatched(service) ? 'start' : 'main');
}

function reclaim(service: Service, role: Role): Effect {
  return { type: 'reclaim', spec: service.spec, role, hook: 0, generation: service.generation };
}

function isWatched(service: Service): boolean {
  return service.spec.kind.type === 'watched';
}
