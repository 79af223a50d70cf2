// What comes next of a service by itself, for people: a clause about `it`. Pure. Why it is as it is stands in standing.ts.

import { plannedFor } from './calendar.js';
import { graceOf } from './deadline.js';
import { isOrAre, listOf } from './message.js';
import type { Outlook } from './outlook.js';
import { isReplacedBeside, turnText } from './replaced.js';
import { desiredOf, type Service, type Waiting } from './state.js';
import { type Instant, inWords, type Now } from './time.js';

/** null: nothing. */
export function nextFor(service: Service, now: Now, outlook: Outlook): string | null {
  const { state, hold, override, spec } = service;
  if (hold !== null) return hold.until === null ? null : `in ${inWords(hold.until - now.wall)} the hold ends`;
  switch (state.name) {
    case 'backoff':
      return `it is started in ${leftUntil(state.deadline, now)}`;
    case 'failed':
      return state.deadline === null
        ? null
        : `it is tried quietly every ${inWords(spec.restart.slowEvery)}, next in ${leftUntil(state.deadline, now)}`;
    case 'skipped':
      return state.deadline === null ? null : `its condition is asked again in ${leftUntil(state.deadline, now)}`;
    case 'done':
      return null;
    case 'waiting':
      return waitingNext(state, now, outlook.waitsFor(service));
    case 'stopped':
      return override?.desired === 'down' && override.until !== null && spec.desired === 'up'
        ? `in ${inWords(override.until - now.wall)} it is started again`
        : null;
    case 'stopping':
      return desiredOf(service) === 'up' && state.phase !== 'stuck' ? 'it is started when it has ended' : null;
    case 'starting':
      return state.deadline === null
        ? null
        : `if it is not ready in ${leftUntil(state.deadline, now)}, the start has failed`;
    case 'unknown':
      return 'it is looked for again and again';
    case 'handover':
      return `the new generation takes over when it is ready${withinText(state.deadline, now)}; if it is not, or refuses, the old one goes on`;
    case 'running':
      return (
        missingNext(service, now) ??
        (desiredOf(service) === 'up' ? (runningNext(service) ?? plannedText(service, now)) : null)
      );
  }
}

const withinText = (deadline: Instant | null, now: Now): string =>
  deadline === null ? '' : `, within ${leftUntil(deadline, now)}`;

function waitingNext(state: Waiting, now: Now, others: readonly string[]): string | null {
  switch (state.for) {
    case 'turn':
      return `it is started when ${others.length === 0 ? 'a place is free' : `${listOf(others)} ${isOrAre(others)} ready`}`;
    case 'settle':
      return state.deadline === null
        ? null
        : `it is started in ${leftUntil(state.deadline, now)}, unless it comes back by itself`;
    case 'leftovers':
      return 'it is started when that has ended';
    case 'boot':
      return 'it is started when the host has booted';
    case 'connection':
      return 'it is started at the first connection';
    case 'shutdown':
    case 'hold':
      return null;
  }
}

function missingNext(service: Service, now: Now): string | null {
  const until = graceOf(service);
  if (until === null) return null;
  const missing = service.missing.map((one) => one.service);
  return `it is stopped in ${leftUntil(until, now)}, unless ${listOf(missing)} ${isOrAre(missing)} back`;
}

/** Only after it has died lately: of a service that is well nobody asks. */
function runningNext(service: Service): string | null {
  const { spec, restarts, lastDeath, enrolled } = service;
  if (enrolled !== null) return `it is ${turnText(service)}`;
  if (lastDeath === null || restarts.streak === 0) return null;
  const { when, limit } = spec.restart;
  const most = limit === null ? '' : `, ${limit.count} times within ${inWords(limit.within)} at most`;
  return when === 'never' ? 'if it ends, it stays down' : `if it ends, it is started again${most}`;
}

function plannedText(service: Service, now: Now): string | null {
  const at = plannedFor(service);
  const what = isReplacedBeside(service) ? 'handed over to a new generation' : 'restarted';
  return at === null ? null : `it is ${what} in ${inWords(at - now.wall)}, as planned`;
}

export const leftUntil = (deadline: Instant, now: Now): string => inWords(deadline - now.instant);
