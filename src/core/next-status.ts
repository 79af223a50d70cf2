// What comes next for a service by itself, in its outward view. status.ts has the whole.

import { plannedFor } from './calendar.js';
import { graceOf } from './deadline.js';
import type { Outlook } from './outlook.js';
import { desiredOf, isInFight, type Service } from './state.js';
import { type Instant, iso } from './time.js';

export interface NextStatus {
  readonly what: 'start' | 'stop' | 'restart' | 'look';
  readonly at: string | null;
  /** `others`: the services in `waitsFor` move first. `place`: so many start at once already. `missing`: those in `waitsFor`, which it needs, are away. */
  readonly why: string;
  readonly waitsFor: readonly string[];
}

export function nextOf(service: Service, outlook: Outlook, wall: (at: Instant) => string): NextStatus | null {
  const { state, hold, enrolled } = service;
  if (hold !== null) return null;
  const next = (
    what: NextStatus['what'],
    why: string,
    at: Instant | null = null,
    waitsFor: readonly string[] = [],
  ): NextStatus => ({ what, at: at === null ? null : wall(at), why, waitsFor });
  const others = outlook.waitsFor(service);
  const missing = service.missing.map((one) => one.service);
  switch (state.name) {
    case 'backoff':
      return next('start', isInFight(service) ? 'fight' : 'backoff', state.deadline);
    case 'failed':
      return state.deadline === null ? null : next('start', isInFight(service) ? 'fight' : 'slow', state.deadline);
    case 'waiting':
      if (state.for !== 'turn') return next('start', state.for, state.deadline);
      return next('start', others.length === 0 ? 'place' : 'others', null, others);
    case 'stopping':
      if (others.length > 0) return next('stop', 'others', null, others);
      return desiredOf(service) === 'up' ? next('start', state.why) : null;
    case 'unknown':
      return next('look', state.why.type);
    case 'skipped':
      return state.deadline === null ? null : next('start', 'condition', state.deadline);
    case 'handover':
    case 'running':
      if (missing.length > 0) return next('stop', 'missing', graceOf(service), missing);
      return enrolled === null ? plannedNext(service) : next('restart', enrolled);
    case 'starting':
      return missing.length > 0 ? next('stop', 'missing', graceOf(service), missing) : null;
    case 'stopped':
    case 'done':
      return null;
  }
}

/** By the calendar; null: nothing is planned, or nothing would come of it. */
function plannedNext(service: Service): NextStatus | null {
  const at = plannedFor(service);
  return at === null ? null : { what: 'restart', at: iso(at), why: 'planned', waitsFor: [] };
}
