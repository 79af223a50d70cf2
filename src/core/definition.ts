// A new definition of a service, or none any more: what is live at once, what needs another process, and what becomes of the
// old one. Knows nothing of operators.

import { isEqual, needsRestart } from './difference.js';
import { noOpposition } from './fight.js';
import { callOff, replace as goOver, obstacle } from './handover.js';
import { launch, seek } from './launch.js';
import { andThen, before, go, type Move, stay } from './move.js';
import { enrol } from './pool.js';
import { pursue } from './pursue.js';
import type { ServiceSpec } from './spec.js';
import { desiredOf, latestSpec, mainOf, noRestarts, type Service } from './state.js';
import { beginStop, stopWhenLaunched } from './stop.js';
import type { Moment } from './time.js';

/** A new definition. What the living process has baked in needs a new process; all else is live at once. */
export function change(service: Service, spec: ServiceSpec, at: Moment): Move {
  const was = latestSpec(service);
  // The hand-over under way is to a definition that is not the latest any more.
  if (service.state.name === 'handover' && needsRestart(was, spec).length > 0)
    return andThen(callOff(service, 'its definition has changed again', at), (it) => change(it, spec, at));
  if (service.fate === 'stays' && isResize(was, spec)) return stay(resized(service, spec));
  if (service.fate === 'stays' && service.state.name === 'skipped' && isEqual(was, spec)) return askAgain(service, at);
  const keys = needsRestart(service.spec, spec);
  const desiredChanged = was.desired !== spec.desired;
  const fresh: Service = { ...service, override: desiredChanged ? null : service.override, fate: 'stays' };
  const process = mainOf(service);

  if (process === null && fresh.state.name !== 'starting' && fresh.state.name !== 'stopping') {
    return changeWhileDown(
      {
        ...fresh,
        spec,
        next: null,
        restarts: keys.length > 0 ? { ...noRestarts, total: fresh.restarts.total } : fresh.restarts,
        opposition: keys.length > 0 ? noOpposition : fresh.opposition,
      },
      keys,
      at,
    );
  }
  if (keys.length === 0) {
    // Nothing is left that its turn would have been for.
    const enrolled = fresh.enrolled === 'changed' ? null : fresh.enrolled;
    const live: Service = { ...fresh, spec, next: null, enrolled };
    const told = {
      type: 'specChanged',
      effect: desiredChanged ? (spec.desired === 'up' ? 'start' : 'stop') : 'live',
    } as const;
    return before([], [told], desiredChanged ? pursue(live, at) : stay(live));
  }
  const waiting: Service = { ...fresh, next: spec };
  const told = { type: 'specChanged', effect: 'restart' } as const;
  if (desiredOf(waiting) === 'down' || waiting.hold !== null)
    return before([], [told], desiredOf(waiting) === 'down' ? pursue(waiting, at) : stay(waiting));
  return before([], [told], replace(waiting, spec, at));
}

/** Nothing is new of it, but its condition may say something else by now. */
const askAgain = (service: Service, at: Moment): Move =>
  desiredOf(service) === 'up' && service.hold === null ? launch(service, 'requested', at) : stay(service);

/** Does the pool have more members, or fewer, and this one stays what it is? */
export const isResize = (was: ServiceSpec, is: ServiceSpec): boolean =>
  was.pool !== null && is.pool !== null && was.pool.of !== is.pool.of && isEqual({ ...was, pool: is.pool }, is);

const resized = (service: Service, spec: ServiceSpec): Service =>
  service.next === null ? { ...service, spec } : { ...service, next: spec };

/** Old process down by the old rules, new one up by the new. A watched daemon is not ours to replace: it is looked for anew. */
function replace(service: Service, spec: ServiceSpec, at: Moment): Move {
  const { state } = service;
  if (service.spec.kind.type === 'watched' && spec.kind.type === 'watched')
    return lookAnew({ ...service, spec, next: null }, at);
  switch (state.name) {
    case 'running':
      if (spec.pool !== null || obstacle(service) !== null) return enrol(service, 'changed');
      return goOver(service, state, 'changed', at);
    case 'handover':
      return stay(service);
    case 'starting':
      return state.process === null
        ? stopWhenLaunched(service, state, 'changed', at)
        : beginStop(service, state.process, state.helper, 'changed', at);
    case 'stopping':
      return stay({ ...service, state: { ...state, why: 'changed' } });
    case 'unknown':
    case 'stopped':
    case 'skipped':
    case 'waiting':
    case 'done':
    case 'backoff':
    case 'failed':
      return stay(service);
  }
}

function lookAnew(service: Service, at: Moment): Move {
  const { state, spec } = service;
  const process = mainOf(service);
  // A start or stop command under way ends under the old definition; the new pattern counts from its end on.
  if (state.name === 'starting' || state.name === 'stopping') return stay(service);
  const quit = process === null ? [] : [{ type: 'unfollow', service: spec.name, process } as const];
  const unknown = { name: 'unknown', since: at.instant, why: { type: 'looking' } } as const;
  return go({ ...service, matched: 'never', identity: null, lastDeath: null }, unknown, [...quit, seek(service)]);
}

function changeWhileDown(service: Service, keys: readonly string[], at: Moment): Move {
  const { state } = service;
  if (keys.length > 0 && service.spec.kind.type === 'watched') {
    return before([], [{ type: 'specChanged', effect: 'live' }], lookAnew(service, at));
  }
  const wanted = desiredOf(service);
  const mayStart =
    wanted === 'up' &&
    service.hold === null &&
    (keys.length > 0 || state.name === 'skipped' || (state.name === 'stopped' && state.why === 'requested'));
  const told = {
    type: 'specChanged',
    effect: mayStart ? 'start' : wanted === 'down' && state.name !== 'stopped' ? 'stop' : 'live',
  } as const;
  // What a oneshot has done, it has done by another definition.
  if (mayStart && state.name === 'done') return before([], [told], launch(service, 'requested', at));
  return before([], [told], mayStart || wanted === 'down' ? pursue(service, at) : stay(service));
}

/** Not configured any more: a supervised process is stopped, a daemon of somebody else's is left alone. */
export function remove(service: Service, at: Moment): Move {
  const leaving: Service = { ...service, fate: 'removed' };
  const { name, kind } = service.spec;
  if (kind.type === 'supervised') return pursue(leaving, at);
  const process = mainOf(leaving);
  const quit = process === null ? [] : [{ type: 'unfollow', service: name, process } as const];
  return go(leaving, { name: 'stopped', since: at.instant, why: 'requested' }, [
    ...quit,
    { type: 'stopSeeking', service: name },
  ]);
}
