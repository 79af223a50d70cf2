// The one door: (world, event, now) → changed services, orders, what happened. A fact moves the service that it is about;
// then its neighbours are told to go down where a wave takes them, and those whose turn has come go on: all in one step, so
// that it is recorded in one write. Facts about processes that are not the service's (any more) are dropped here and nowhere else.

import { plannedRestart } from './calendar.js';
import { chanceOf } from './chance.js';
import type { Change } from './change.js';
import { expire, isDue } from './deadline.js';
import { type Draft, draftOf, hum } from './draft.js';
import { endUnwanted, isUnwanted, outgoingOf, pressOutgoing, receiveOutgoing } from './draining.js';
import type { Effect } from './effect.js';
import { afterDrained } from './ending.js';
import type { Event, ServiceEvent, SingleEvent } from './event.js';
import type { Dependents } from './graph.js';
import { answered, hasNewStanding, isAwaited, plannedBeat } from './health.js';
import { heard } from './heard.js';
import { endSpared } from './leftovers.js';
import { close } from './membership.js';
import { andThen, before, type Move, stay } from './move.js';
import { notified } from './notified.js';
import { type Pace, rolledBy } from './pool.js';
import { isSameProcess, type ProcessRef } from './process.js';
import { resume } from './resume.js';
import { takeTurns } from './ripple.js';
import { breakOff } from './roll.js';
import { succeeded } from './running.js';
import { receive } from './service.js';
import type { ServiceName } from './spec.js';
import type { Service } from './state.js';
import type { Moment } from './time.js';
import { announce, carry, loseFaith } from './wave.js';
import { connected } from './way-up.js';
import { callNeeded, wish } from './wish.js';
import type { World } from './world.js';

/** What one event makes of the world. `services` are the new values of those that changed; `removed` are no more. */
export interface Step {
  readonly services: readonly Service[];
  /** Those of them in which nothing changed that has to survive the keeper: a question went out, an answer said what the last one did. */
  readonly faint: ReadonlySet<string>;
  readonly removed: readonly ServiceName[];
  readonly effects: readonly Effect[];
  readonly changes: readonly Change[];
  /** New entries of the world's links. */
  readonly links: ReadonlyMap<string, Dependents>;
  /** Those that could start now, had they a place. */
  readonly queued: readonly ServiceName[];
}

export function step(world: World, event: Event, at: Moment): Step {
  const draft = draftOf(world, at);
  if (event.type === 'together') takeTogether(draft, event.events);
  else take(draft, event, 'now', at);
  const queued = takeTurns(draft);
  close(draft);
  announce(draft);
  return outcome(draft, queued);
}

function outcome({ services: changed, faint, effects, changes, links }: Draft, queued: readonly ServiceName[]): Step {
  const services: Service[] = [];
  const removed: ServiceName[] = [];
  for (const [name, service] of changed) {
    if (service === null) removed.push(name as ServiceName);
    else services.push(service);
  }
  return { services, faint, removed, effects, changes, links, queued };
}

function takeTogether(draft: Draft, events: readonly SingleEvent[]): void {
  const rolled = rolledBy(draft, events);
  for (const [index, event] of deathsFirst(draft, events).entries())
    take(draft, event, rolled.has(event.service) ? 'in turn' : 'now', byChance(draft.at, index));
}

/** Of a successor that says that it is ready and dies in the same moment the death counts: from a commit there is no way back. */
function deathsFirst(draft: Draft, events: readonly SingleEvent[]): readonly SingleEvent[] {
  const isDeath = (event: SingleEvent): boolean =>
    event.type === 'exited' && isThe(successorOf(draft.get(event.service)), event.process);
  return events.some(isDeath) ? [...events.filter(isDeath), ...events.filter((event) => !isDeath(event))] : events;
}

const successorOf = (service: Service | undefined): ProcessRef | null =>
  service?.state.name === 'handover' ? service.state.successor : null;

/** Nothing but a heartbeat's own memory has changed, and none of it that has to survive: that moves no neighbour. */
function isHum(was: Service, { service, happened }: Move): boolean {
  if (happened.length > 0 || service.health === was.health || hasNewStanding(was, service)) return false;
  const keys = Object.keys(service) as (keyof Service)[];
  return keys.every((key) => key === 'health' || service[key] === was[key]);
}

/** They share a moment, and not its chance: delays must not go in lockstep, and each end has an incident of its own. */
const byChance = (at: Moment, index: number): Moment => ({ ...at, random: chanceOf(at, index) });

function take(draft: Draft, event: SingleEvent, pace: Pace, at: Moment): void {
  if (event.type === 'added') {
    carry(draft, null, resume(event.as, at));
    return;
  }
  const service = draft.get(event.service);
  if (service === undefined || isStale(service, event)) return;
  if (event.type === 'deadlinePassed') loseFaith(draft, service);
  const now = draft.get(event.service) ?? service;
  const moved = endSpared(now, move(now, event, pace, at));
  if (isHum(now, moved)) {
    hum(draft, moved);
    return;
  }
  carry(draft, now, moved);
  breakOff(draft, moved);
  if (event.type === 'asked') callNeeded(draft, event);
}

function move(service: Service, event: ServiceEvent, pace: Pace, at: Moment): Move {
  switch (event.type) {
    case 'spawned':
    case 'spawnFailed':
      return isUnwanted(service, event)
        ? andThen(endUnwanted(service, event, at), (it) => afterDrained(it, at))
        : receive(service, event, at);
    case 'exited':
    case 'emptied': {
      const outgoing = outgoingOf(service, event.process);
      if (outgoing === undefined) return receive(service, event, at);
      return andThen(receiveOutgoing(service, outgoing, event, at), (it) => afterDrained(it, at));
    }
    case 'looked':
    case 'becameReady':
    case 'prepared':
      return receive(service, event, at);
    case 'notified':
      return notified(service, event, at);
    case 'heard':
      return heard(service, event, at);
    case 'connected':
      return connected(service, at);
    case 'succeeded':
      return succeeded(service, event, at);
    case 'answered':
      return answered(service, event, at);
    case 'reacted':
      return before([], [{ type: 'reacted', heartbeat: event.heartbeat, problem: event.problem }], stay(service));
    case 'planned':
      return event.what.type === 'restart'
        ? plannedRestart(service, event, at)
        : plannedBeat(service, event.what.name, event);
    case 'deadlinePassed': {
      const expired = expire(service, at);
      if (expired !== null) return expired;
      const pressed = pressOutgoing(service, at);
      return isDue(pressed.service, at) ? andThen(pressed, (it) => receive(it, event, at)) : pressed;
    }
    case 'asked':
    case 'changed':
    case 'removed':
    case 'keeperEnded':
    case 'hostTurned':
      return wish(service, event, pace, at);
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
      return !isThe(awaitedReady(service), event.process);
    case 'emptied':
      return !isThe(service.rest, event.process) && outgoingOf(service, event.process) === undefined;
    case 'answered':
      return !isAwaited(service, event);
    case 'spawned':
    case 'spawnFailed':
      return !isUnwanted(service, event) && (event.generation !== awaitedGeneration(service) || !isUnderWay(service));
    case 'prepared':
      return event.generation !== awaitedGeneration(service) || !isUnderWay(service);
    case 'notified':
    case 'heard':
    case 'connected':
    case 'succeeded':
    case 'looked':
    case 'reacted':
    case 'planned':
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

const awaitedReady = ({ state }: Service): ProcessRef | null =>
  state.name === 'starting' ? state.process : state.name === 'handover' ? state.successor : null;

const awaitedGeneration = ({ state, generation }: Service): number =>
  state.name === 'handover' ? state.generation : generation;

/** Can an order to spawn be on its way in this state? Doubled answers end here. */
function isUnderWay(service: Service): boolean {
  const { state } = service;
  switch (state.name) {
    case 'starting':
    case 'stopping':
    case 'running':
    case 'handover':
      return true;
    case 'unknown':
    case 'stopped':
    case 'skipped':
    case 'waiting':
    case 'done':
    case 'backoff':
    case 'failed':
      return false;
  }
}

function holds(service: Service, process: ProcessRef): boolean {
  const { state } = service;
  const drains = outgoingOf(service, process) !== undefined;
  switch (state.name) {
    case 'starting':
    case 'running':
    case 'stopping':
      return isThe(state.process, process) || isThe(state.helper, process) || drains;
    case 'handover':
      return isThe(state.process, process) || isThe(state.successor, process) || isThe(state.helper, process) || drains;
    case 'unknown':
    case 'stopped':
    case 'skipped':
    case 'waiting':
    case 'done':
    case 'backoff':
    case 'failed':
      return drains;
  }
}

function isThe(ours: ProcessRef | null, process: ProcessRef): boolean {
  return ours !== null && isSameProcess(ours, process);
}
