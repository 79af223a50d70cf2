// The keeper is here, for the first time or again: what each service needs from the outside is ordered anew, and every
// deadline begins its grace anew, because time without a keeper proves nothing against a service.

import type { Effect, Role } from './effect.js';
import { orderRest } from './ending.js';
import { awaitReady, findDeadline, launch, readyDeadline, seek } from './launch.js';
import { before, go, type Move, stay } from './move.js';
import { desiredOf, type Service, type Starting, type Stopping } from './state.js';
import { ordersOf } from './stop.js';
import { later, type Moment, seconds } from './time.js';
import { follow } from './watching.js';

export function resume(service: Service, at: Moment): Move {
  const { state } = service;
  // Those two press on with what they were at; in all other states the rest is ended as at the first time.
  const presses = state.name === 'stopping' || (state.name === 'waiting' && state.for === 'leftovers');
  return before(presses ? [] : orderRest(service), [], resumeState(service, at));
}

function resumeState(service: Service, at: Moment): Move {
  const { state } = service;
  switch (state.name) {
    case 'unknown':
      return go(service, { ...state, why: { type: 'looking' } }, [seek(service)]);
    case 'stopped':
      if (state.why === 'requested' && desiredOf(service) === 'up') return launch(service, 'first', at);
      return isWatched(service) ? go(service, state, [seek(service)]) : stay(service);
    case 'waiting':
      return resumeWaiting(service, at);
    case 'starting':
      return resumeStarting(service, state, at);
    case 'running':
      return go(service, state, [follow(service, state.process), ...followed(service, state.helper)]);
    case 'stopping':
      return resumeStopping(service, state, at);
    case 'backoff':
    case 'failed':
      return isWatched(service) ? go(service, state, [seek(service)]) : stay(service);
  }
}

function resumeWaiting(service: Service, at: Moment): Move {
  const { state, rest } = service;
  if (state.name !== 'waiting') return stay(service);
  if (state.for === 'leftovers' && rest !== null) {
    const order: Effect = {
      type: 'endRest',
      service: service.spec.name,
      process: rest,
      signal: 'SIGKILL',
      policy: service.spec.leftovers,
    };
    return go(service, { ...state, deadline: later(at.instant, seconds(10)) }, [order]);
  }
  if (state.for === 'settle') return go(service, state, [seek(service)]);
  return launch(service, 'restart', at);
}

function resumeStarting(service: Service, state: Starting, at: Moment): Move {
  switch (state.phase) {
    case 'readying':
      if (state.process === null) return stay(service);
      return go(service, { ...state, deadline: readyDeadline(service.spec.ready, at) }, [
        follow(service, state.process),
        ...followed(service, state.helper),
        ...awaitReady(service, state.process),
      ]);
    case 'finding':
      return go(service, { ...state, deadline: findDeadline(service.spec.ready, at) }, [seek(service)]);
    case 'launching':
      // The order to spawn was recorded, its outcome was not: what came of it decides.
      if (state.helper !== null) return go(service, state, [follow(service, state.helper), seek(service)]);
      return go(service, state, [reclaimStart(service), ...(isWatched(service) ? [seek(service)] : [])]);
  }
}

function resumeStopping(service: Service, state: Stopping, at: Moment): Move {
  const orders: Effect[] = [
    ...followed(service, state.process),
    ...followed(service, state.helper),
    ...ordersOf(service, state),
  ];
  if (state.helper === null && state.phase === 'launching') orders.push(reclaimStart(service));
  if (state.helper === null && state.phase === 'command')
    orders.push(reclaim(service, state.why === 'restart-command' ? 'restart' : 'stop'));
  const deadline = state.deadline === null ? null : later(at.instant, seconds(10));
  return go(service, { ...state, deadline }, orders);
}

function followed(service: Service, process: Stopping['process']): readonly Effect[] {
  return process === null ? [] : [follow(service, process)];
}

function reclaimStart(service: Service): Effect {
  return reclaim(service, isWatched(service) ? 'start' : 'main');
}

function reclaim(service: Service, role: Role): Effect {
  return { type: 'reclaim', spec: service.spec, role, generation: service.generation };
}

function isWatched(service: Service): boolean {
  return service.spec.kind.type === 'watched';
}
