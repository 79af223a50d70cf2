// The one door: (set, event, now) → changed services, orders, what happened. Facts about processes that are not the
// service's (any more) are dropped here and nowhere else.

import type { Change } from './change.js';
import { expire, isDue } from './deadline.js';
import type { Effect } from './effect.js';
import type { Event, ServiceEvent } from './event.js';
import { type Move, stay } from './move.js';
import { isSameProcess, type ProcessRef } from './process.js';
import { resume } from './resume.js';
import { receive } from './service.js';
import type { ServiceName } from './spec.js';
import type { Service, ServiceSet } from './state.js';
import type { Moment } from './time.js';
import { wish } from './wish.js';

/** What one event makes of the set. `services` are the new values of those that changed; `removed` are no more. */
export interface Step {
  readonly services: readonly Service[];
  readonly removed: readonly ServiceName[];
  readonly effects: readonly Effect[];
  readonly changes: readonly Change[];
}

const nothing: Step = { services: [], removed: [], effects: [], changes: [] };

export function step(set: ServiceSet, event: Event, at: Moment): Step {
  if (event.type === 'added') return outcome(event.as, resume(event.as, at), at, 'new');
  const service = set.get(event.service);
  if (service === undefined || isStale(service, event)) return nothing;
  return outcome(service, move(service, event, at), at, 'known');
}

function move(service: Service, event: ServiceEvent, at: Moment): Move {
  switch (event.type) {
    case 'spawned':
    case 'spawnFailed':
    case 'exited':
    case 'looked':
    case 'becameReady':
    case 'emptied':
      return receive(service, event, at);
    case 'deadlinePassed': {
      const expired = expire(service, at);
      if (expired !== null) return expired;
      return isDue(service, at.instant) ? receive(service, event, at) : stay(service);
    }
    case 'asked':
    case 'changed':
    case 'removed':
    case 'keeperEnded':
    case 'hostTurned':
      return wish(service, event, at);
    case 'resumed':
      return resume(service, at);
  }
}

/** Old news: about a process that is not this service's, or the answer to an order of an earlier generation. */
function isStale(service: Service, event: ServiceEvent): boolean {
  switch (event.type) {
    case 'exited':
      return !holds(service, event.process);
    case 'becameReady':
      return !(service.state.name === 'starting' && isThe(service.state.process, event.process));
    case 'emptied':
      return !isThe(service.rest, event.process);
    case 'spawned':
    case 'spawnFailed':
      return event.generation !== service.generation || !isUnderWay(service);
    case 'looked':
    case 'deadlinePassed':
    case 'asked':
    case 'changed':
    case 'removed':
    case 'resumed':
    case 'keeperEnded':
    case 'hostTurned':
      return false;
  }
}

/** Can an order to spawn be on its way in this state? Doubled answers end here. */
function isUnderWay(service: Service): boolean {
  const { state } = service;
  switch (state.name) {
    case 'starting':
    case 'stopping':
    case 'running':
      return true;
    case 'unknown':
    case 'stopped':
    case 'waiting':
    case 'backoff':
    case 'failed':
      return false;
  }
}

function holds(service: Service, process: ProcessRef): boolean {
  const { state } = service;
  switch (state.name) {
    case 'starting':
    case 'running':
    case 'stopping':
      return isThe(state.process, process) || isThe(state.helper, process);
    case 'unknown':
    case 'stopped':
    case 'waiting':
    case 'backoff':
    case 'failed':
      return false;
  }
}

function isThe(ours: ProcessRef | null, process: ProcessRef): boolean {
  return ours !== null && isSameProcess(ours, process);
}

function outcome(was: Service, move: Move, at: Moment, kept: 'new' | 'known'): Step {
  const { service, effects, happened } = move;
  const changes = happened.map(
    (what): Change => ({
      service: service.spec.name,
      time: at.wall,
      generation: service.generation,
      from: was.state.name,
      to: service.state.name,
      what,
    }),
  );
  if (service.fate === 'removed' && service.state.name === 'stopped') {
    const gone: Change = {
      service: service.spec.name,
      time: at.wall,
      generation: service.generation,
      from: was.state.name,
      to: 'stopped',
      what: { type: 'removed' },
    };
    return { services: [], removed: [service.spec.name], effects, changes: [...changes, gone] };
  }
  const services = service === was && kept === 'known' ? [] : [service];
  return { services, removed: [], effects, changes };
}
