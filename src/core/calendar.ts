// The planned restart (product.md 2.4, `restart.at` and `spread`): graceful, uncounted, and only of what runs. When it is time by
// a cron expression only the outside can tell, which knows time zones; here that is ordered, kept, and acted on.

import type { Effect } from './effect.js';
import type { ServiceEvent } from './event.js';
import { obstacle, replace } from './handover.js';
import { before, type Move, stay } from './move.js';
import { enrol } from './pool.js';
import { desiredOf, isHeld, type Service } from './state.js';
import { laterOnWall, type Moment, millis, minutes, type WallTime } from './time.js';

/** What is later than this, because the machine slept or nobody was there to do it, is left out: it was meant for the night. */
const latest = minutes(10);

/** Keeps the plan in line with the definition. */
export function arrange(was: Service | null, move: Move, at: Moment): Move {
  const { service } = move;
  const { at: expression } = service.spec.restart;
  const { planned } = service;
  if (expression === (planned?.expression ?? null)) return was === null && planned !== null ? again(move, at) : move;
  if (expression === null) return { ...move, service: { ...service, planned: null } };
  return order(move, expression, at);
}

/** A keeper comes back: a time that it was told is kept, one that it had asked for is asked for again. */
function again(move: Move, at: Moment): Move {
  const { planned } = move.service;
  return planned === null || planned.at !== null ? move : order(move, planned.expression, at);
}

function order({ service, effects, happened }: Move, expression: string, at: Moment): Move {
  const name = service.spec.name;
  const plan: Effect = { type: 'plan', service: name, what: { type: 'restart' }, expression, after: at.wall };
  return { service: { ...service, planned: { expression, at: null } }, effects: [...effects, plan], happened };
}

/** The answer: moved by chance, so that a fleet does not restart as one. */
export function plannedRestart(service: Service, fact: Extract<ServiceEvent, { type: 'planned' }>, at: Moment): Move {
  const { planned, spec } = service;
  // Told twice, the time that has passed would come again.
  if (planned?.expression !== fact.expression || planned.at !== null) return stay(service);
  const shift = millis(Math.floor(spec.restart.spread * at.random));
  const time = fact.next === null ? null : laterOnWall(fact.next, shift);
  return stay({ ...service, planned: { ...planned, at: time } });
}

/** Is it time? Then the next one is asked for, whatever comes of this one. null: it is not. */
export function restartAsPlanned(service: Service, at: Moment): Move | null {
  const { planned, state } = service;
  if (planned === null || planned.at === null || planned.at > at.wall) return null;
  const isLate = at.wall - planned.at > latest;
  const next = order(stay(service), planned.expression, at);
  const isIdle = state.name !== 'running' || isHeld(service) || desiredOf(service) === 'down' || at.host !== 'up';
  if (isLate || isIdle || !canStartAgain(service)) return next;
  // Members of a pool go one at a time.
  const restart =
    service.spec.pool === null && obstacle(service) === null
      ? replace(next.service, state, 'planned', at)
      : enrol(next.service, 'requested');
  return before(next.effects, [], restart);
}

/** When it is restarted next by the calendar, as it is now; null: it is not. */
export const plannedFor = (service: Service): WallTime | null =>
  desiredOf(service) === 'up' && !isHeld(service) && canStartAgain(service) ? (service.planned?.at ?? null) : null;

const canStartAgain = ({ spec: { kind } }: Service): boolean => kind.type === 'supervised' || kind.start !== null;
