// When does a service need waking? A deadline is a field of a state; holds and overrides with `--for` end on the wall clock.

import { unhold } from './ask.js';
import { restartAsPlanned } from './calendar.js';
import { drainDeadline } from './draining.js';
import { peaceAt } from './fight.js';
import { healthDeadline, healthWallDeadline } from './health.js';
import { before, type Move } from './move.js';
import { pursue } from './pursue.js';
import { announcedEnd } from './running.js';
import { isHeld, type Service } from './state.js';
import type { Instant, Moment, Now, WallTime } from './time.js';
import { watchdogDue } from './watchdog.js';

/** The deadline of its state, or of a generation that drains; null: it waits for facts alone. Under a hold nothing is due. */
export const stateDeadline = (service: Service): Instant | null =>
  isHeld(service) ? null : earliest(ownDeadline(service), drainDeadline(service));

/** When it has to have said something. */
const tellDeadline = (service: Service): Instant | null =>
  earliest(earliest(watchdogDue(service), announcedEnd(service)), service.reloading?.deadline ?? null);

function ownDeadline(service: Service): Instant | null {
  const { state } = service;
  switch (state.name) {
    case 'unknown':
    case 'stopped':
    case 'done':
      return null;
    case 'running':
      return earliest(
        earliest(graceOf(service), healthDeadline(service)),
        earliest(earliest(state.deadline, tellDeadline(service)), peaceOf(service, state.since)),
      );
    case 'starting':
      return earliest(graceOf(service), state.deadline);
    case 'handover':
      return earliest(graceOf(service), earliest(state.deadline, state.still === null ? watchdogDue(service) : null));
    case 'skipped':
    case 'waiting':
    case 'stopping':
    case 'backoff':
    case 'failed':
      return state.deadline;
  }
}

/** When the first of what it needs and has not has been away for too long. */
export function graceOf({ missing }: Service): Instant | null {
  return missing.reduce<Instant | null>((soonest, { until }) => earliest(soonest, until), null);
}

/** When a fight is over, if nobody stops it before. */
function peaceOf({ opposition: { fight } }: Service, since: Instant): Instant | null {
  return fight === null ? null : peaceAt(fight, since);
}

function earliest<T extends Instant | WallTime>(a: T | null, b: T | null): T | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

/** When a hold or an operator's word ends by itself, or something is due by the calendar. */
export function wallDeadline(service: Service): WallTime | null {
  const { hold, override, planned } = service;
  const words = earliest(hold?.until ?? null, override?.until ?? null);
  return earliest(words, earliest(planned?.at ?? null, healthWallDeadline(service)));
}

/** How often a wall clock is asked again when something waits for it: it may be set forward without a word. */
const wallPatience = 60_000;

/** The instant at which the keeper must look at this service again; null: never by itself. */
export function wakeTime(service: Service, now: Now): Instant | null {
  const due = stateDeadline(service);
  const wall = wallDeadline(service);
  if (wall === null) return due;
  const wait = Math.min(wallPatience, Math.max(0, wall - now.wall));
  const byWall = (now.instant + wait) as Instant;
  return due === null ? byWall : (Math.min(due, byWall) as Instant);
}

/** Has the deadline of its state passed, or the time of a heartbeat come? */
export function isDue(service: Service, { instant, wall }: Now): boolean {
  const due = stateDeadline(service);
  const byCalendar = healthWallDeadline(service);
  return (due !== null && due <= instant) || (byCalendar !== null && byCalendar <= wall);
}

/** What the wall clock ends or begins; null when nothing is due. */
export function expire(service: Service, at: Moment): Move | null {
  if (service.hold?.until != null && service.hold.until <= at.wall) {
    return before([], [{ type: 'holdEnded' }], unhold(service, at));
  }
  if (service.override?.until != null && service.override.until <= at.wall) {
    return before([], [{ type: 'overrideEnded' }], pursue({ ...service, override: null }, at));
  }
  return restartAsPlanned(service, at);
}
