// The watchdog: a service that promised to say so lives as long as it says so in time. Armed while it serves, and not before.
// (A heartbeat is the other way round: there we ask.)

import { before, type Move } from './move.js';
import type { ProcessRef } from './process.js';
import type { Service } from './state.js';
import { beginStop } from './stop.js';
import { type Instant, instant, later, type Millis, type Moment, millis } from './time.js';

/** It serves from now on, or has just said that it lives. */
export function armed(service: Service, at: Moment): Service {
  const every = service.said.watchdogPeriod ?? service.spec.watchdog;
  const watchdog = every === null || every === 0 ? null : { period: every, due: later(at.instant, every) };
  return service.watchdog === null && watchdog === null ? service : { ...service, watchdog };
}

/** It does not serve any more. */
export const disarmed = (service: Service): Service =>
  service.watchdog === null ? service : { ...service, watchdog: null };

/** It needs so much more time, from now on; never less than it has. */
export function extended({ watchdog, ...service }: Service, by: Millis, at: Moment): Service {
  if (watchdog === null) return { ...service, watchdog };
  const due = instant(Math.max(watchdog.due, at.instant + by));
  return { ...service, watchdog: { ...watchdog, due } };
}

/** When it has to have said that it lives; null: it need not. What the loop or the machine stood still for is not held against it. */
export const watchdogDue = ({ watchdog }: Service): Instant | null => watchdog?.due ?? null;

/** Is it late, in time that it really had? */
export function isMissed({ watchdog }: Service, at: Moment): boolean {
  return watchdog !== null && watchdog.due <= at.instant && later(at.steadySince, watchdog.period) <= at.instant;
}

/** Late, and not in time that it really had: it is given that. */
export function pardoned(service: Service, at: Moment): Service {
  const { watchdog } = service;
  if (watchdog === null || watchdog.due > at.instant || isMissed(service, at)) return service;
  return { ...service, watchdog: { ...watchdog, due: later(at.steadySince, watchdog.period) } };
}

/** It hangs, as far as anybody can tell. */
export function missed(service: Service, process: ProcessRef, how: 'silence' | 'trigger', at: Moment): Move {
  const period = service.watchdog?.period ?? service.spec.watchdog ?? millis(0);
  const { state } = service;
  const helper = state.name === 'running' ? state.helper : null;
  const hung: Service = { ...service, said: { ...service.said, hung: { period, how } } };
  return before([], [{ type: 'watchdogMissed', period, how }], beginStop(hung, process, helper, 'watchdog', at));
}
