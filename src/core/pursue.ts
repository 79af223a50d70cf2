// Moves a service towards what is wanted of it, up or down, whoever wants it. Never counted. Knows nothing of who asked.

import { awaitsDrained } from './draining.js';
import { rest, restOf } from './ending.js';
import { callOff } from './handover.js';
import { launch } from './launch.js';
import { andThen, before, go, type Move, stay } from './move.js';
import { desiredOf, isHeld, type Service, type StopReason } from './state.js';
import { beginStop, findBeforeStop, stopWhenLaunched } from './stop.js';
import type { Moment } from './time.js';

/** Moves the service towards what is wanted of it, uncounted. */
export function pursue(service: Service, at: Moment): Move {
  return desiredOf(service) === 'up' ? up(service, at) : down(service, at);
}

export function up(service: Service, at: Moment): Move {
  const { state } = service;
  switch (state.name) {
    case 'stopped':
    case 'skipped':
    case 'backoff':
    case 'failed':
    case 'waiting':
      return launch(service, 'requested', at);
    case 'stopping':
      // What ends now comes back: by the wish of an operator, not by the restart rule.
      return stay({ ...service, state: { ...state, why: isItsOwn(state.why) ? 'requested' : state.why } });
    case 'unknown':
    case 'starting':
    case 'running':
    case 'done':
    case 'handover':
      return stay(service);
  }
}

/** Then what comes back would be the answer of the restart rule. */
const isItsOwn = (why: StopReason): boolean =>
  why === 'start-timeout' ||
  why === 'hook' ||
  why === 'ended' ||
  why === 'watchdog' ||
  why === 'heartbeat' ||
  why === 'heartbeat-stop';

function down(service: Service, at: Moment): Move {
  const { state } = service;
  if (isHeld(service)) return stay(service);
  switch (state.name) {
    case 'stopped':
      if (awaitsDrained(service)) return go(service, restOf(at.instant));
      return stay(state.why === 'requested' ? service : { ...service, state: { ...state, why: 'requested' } });
    case 'skipped':
    case 'done':
    case 'backoff':
    case 'failed':
    case 'waiting':
      if (awaitsDrained(service)) return go(service, restOf(at.instant));
      return before([], [{ type: 'stopped' }], rest(service, 'requested', at));
    case 'handover': {
      const alone = callOff(service, 'the service is being stopped', at);
      return andThen(alone, (it) => beginStop(it, state.process, null, 'requested', at));
    }
    case 'starting':
      return state.process === null
        ? stopWhenLaunched(service, state, 'requested', at)
        : beginStop(service, state.process, state.helper, 'requested', at);
    case 'running':
      return beginStop(service, state.process, state.helper, 'requested', at);
    case 'stopping':
      // What may still appear was waited for because it was to come back.
      if (state.phase === 'finding') return findBeforeStop(service, 'requested', null, at);
      return stay({ ...service, state: { ...state, why: 'requested' } });
    case 'unknown':
      return stay(service);
  }
}
