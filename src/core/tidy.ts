// What follows from a move whoever made it: the watchdog is armed with a process that serves, what one said that serves no more
// is forgotten, sockets and stored descriptors are let go when the service is down for good, and what drains is hastened when the
// whole service goes down. One place, since every way down ends here.

import { hasten } from './draining.js';
import type { Effect } from './effect.js';
import { serverOf } from './heartbeats-of.js';
import type { Move } from './move.js';
import { isSameProcess } from './process.js';
import { desiredOf, mainOf, type Service, silent } from './state.js';
import type { Moment } from './time.js';
import { armed, disarmed } from './watchdog.js';

export function tidy(was: Service | null, move: Move, at: Moment): Move {
  if (was === null) return move;
  const { service } = move;
  const orders = [...stopsWaiting(was, service), ...letsGo(was, service)];
  const settled = {
    ...move,
    service: told(was, serving(was, service, at)),
    effects: orders.length === 0 ? move.effects : [...move.effects, ...orders],
  };
  return goesDown(was, service) ? hasten(settled, at) : settled;
}

function serving(was: Service, service: Service, at: Moment): Service {
  const now = serverOf(service);
  if (now === null) return service.reloading === null ? disarmed(service) : { ...disarmed(service), reloading: null };
  const before = serverOf(was);
  const goesOn = before !== null && isSameProcess(before, now) && isSameDefinition(was, service);
  return goesOn ? service : armed({ ...service, watchdog: null }, at);
}

const isSameDefinition = (was: Service, is: Service): boolean => was.spec.watchdog === is.spec.watchdog;

/** A new process speaks for itself; what one has said that takes over came with it. */
function told(was: Service, service: Service): Service {
  const isNew = service.generation !== was.generation && mainOf(service) === null;
  return isNew && service.said !== silent ? { ...service, said: silent } : service;
}

function stopsWaiting({ state: before, spec }: Service, { state: now }: Service): readonly Effect[] {
  const awaited = before.name === 'waiting' && before.for === 'connection';
  const awaits = now.name === 'waiting' && now.for === 'connection';
  return awaited && !awaits ? [{ type: 'stopAwaitingConnection', service: spec.name }] : [];
}

/** Down, and nothing of ours brings it up again. */
const isOver = ({ state }: Service): boolean =>
  state.name === 'stopped' || (state.name === 'failed' && state.deadline === null);

function letsGo(was: Service, service: Service): readonly Effect[] {
  const { spec } = service;
  const isDown = service.state.name === 'stopped' && desiredOf(service) === 'down';
  const wasDown = was.state.name === 'stopped' && desiredOf(was) === 'down';
  const close: readonly Effect[] =
    isDown && !wasDown && spec.sockets.length > 0 ? [{ type: 'closeSockets', spec }] : [];
  const empty: readonly Effect[] =
    spec.fdStore > 0 && isOver(service) && !isOver(was) ? [{ type: 'emptyStore', service: spec.name }] : [];
  return [...close, ...empty];
}

function goesDown(was: Service, service: Service): boolean {
  if (service.draining.length === 0 || desiredOf(service) === 'up') return false;
  return was.draining !== service.draining || desiredOf(was) === 'up';
}
