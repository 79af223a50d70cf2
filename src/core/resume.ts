// The keeper is here, for the first time or again: what each service needs from the outside is ordered anew, and every
// deadline begins its grace anew, because time without a keeper proves nothing against a service.

import type { Effect } from './effect.js';
import { awaitReady, launch, readyDeadline, seek } from './launch.js';
import { go, type Move, stay } from './move.js';
import { desiredOf, type Service, type Starting, type Stopping } from './state.js';
import { later, type Moment, seconds } from './time.js';
import { follow } from './watching.js';

export function resume(service: Service, at: Moment): Move {
  const { state } = service;
  const isWatched = service.spec.kind.type === 'watched';
  switch (state.name) {
    case 'unknown':
      return go(service, { ...state, why: { type: 'looking' } }, [seek(service)]);
    case 'stopped':
      if (service.generation === 0 && state.why === 'requested' && desiredOf(service) === 'up') return launch(service, 'first', at);
      return isWatched ? go(service, state, [seek(service)]) : stay(service);
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
      return isWatched ? go(service, state, [seek(service)]) : stay(service);
  }
}

function resumeWaiting(service: Service, at: Moment): Move {
  const { state, rest } = service;
  if (state.name !== 'waiting') return stay(service);
  if (state.for === 'leftovers' && rest !== null) {
    const order: Effect = { type: 'endRest', service: service.spec.name, process: rest, signal: 'SIGKILL', policy: service.spec.leftovers };
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
      return go(service, { ...state, deadline: readyGrace(service, at) }, [seek(service)]);
    case 'launching':
      // The order to spawn was recorded, its outcome was not: if anything came of it, the kernel layer finds it by the
      // service's token, else the start is ordered again.
      if (state.helper !== null) return go(service, state, [follow(service, state.helper), seek(service)]);
      return launch({ ...service, generation: service.generation - 1 }, 'restart', at);
  }
}

function resumeStopping(service: Service, state: Stopping, at: Moment): Move {
  const orders: Effect[] = [...followed(service, state.process), ...followed(service, state.helper)];
  if (state.process === null && service.rest !== null) {
    orders.push({ type: 'endRest', service: service.spec.name, process: service.rest, signal: 'SIGTERM', policy: service.spec.leftovers });
  }
  const deadline = state.deadline === null ? null : later(at.instant, seconds(10));
  if (state.phase === 'launching' && state.helper === null) return go(service, { name: 'stopped', since: at.instant, why: 'requested' });
  return go(service, { ...state, deadline }, orders);
}

function followed(service: Service, process: Stopping['process']): readonly Effect[] {
  return process === null ? [] : [follow(service, process)];
}

function readyGrace(service: Service, at: Moment): Starting['deadline'] {
  const { timeout } = service.spec.ready;
  return timeout === null ? null : later(at.instant, timeout);
}
