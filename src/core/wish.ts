// What operators, configurations and the keeper itself want of a service: the wish is noted, and the machine moved towards it.
// Facts about processes are in `service.ts`.

import type { Sender } from './death.js';
import { needsRestart } from './difference.js';
import type { Effect } from './effect.js';
import { orderRest, rest } from './ending.js';
import type { Ask, ServiceEvent } from './event.js';
import { forgive, noOpposition } from './fight.js';
import { launch, seek } from './launch.js';
import { before, go, type Move, stay } from './move.js';
import type { ProcessRef } from './process.js';
import type { Desired, ServiceSpec } from './spec.js';
import { desiredOf, mainOf, noRestarts, type Override, type Service } from './state.js';
import { beginStop, runCommand, stopWhenLaunched } from './stop.js';
import type { Moment } from './time.js';

export type Wish = Extract<
  ServiceEvent,
  { readonly type: 'asked' | 'changed' | 'removed' | 'keeperEnded' | 'hostTurned' }
>;

export function wish(service: Service, event: Wish, at: Moment): Move {
  switch (event.type) {
    case 'asked':
      return ask(service, event.ask, event.by, at);
    case 'changed':
      return change(service, event.spec, at);
    case 'removed':
      return remove(service, at);
    case 'keeperEnded':
      return service.spec.kind.type === 'watched' ? stay(service) : pursue({ ...service, fate: 'ending' }, at);
    case 'hostTurned':
      return hostTurned(service, at);
  }
}

/** An operator's word. Never counted, cuts any delay short, and a stop wins over everything. */
function ask(service: Service, it: Ask, by: Sender | null, at: Moment): Move {
  const told = { type: 'asked', verb: it.verb, by, reason: 'reason' in it ? it.reason : null } as const;
  const refusal = refusalOf(service, it);
  if (refusal !== null) return before([], [told, { type: 'refused', verb: it.verb, reason: refusal }], stay(service));
  return before([], [told], obey(atHand(service, it), it, by, at));
}

/** Whatever an operator does to it, what others did to it before counts no more, and what comes of it is no act of theirs. */
function atHand(service: Service, it: Ask): Service {
  switch (it.verb) {
    case 'start':
    case 'stop':
    case 'restart':
    case 'reload':
    case 'reset':
    case 'signal':
      return { ...service, opposition: forgive(service.opposition) };
    case 'hold':
    case 'unhold':
      return service;
  }
}

/** Why it cannot be done, with what would do; null when it can. */
function refusalOf(service: Service, it: Ask): string | null {
  const { state, spec, hold } = service;
  const { name } = spec;
  switch (it.verb) {
    case 'hold':
      return service.fate === 'stays' ? null : 'it is being removed';
    case 'unhold':
      return hold === null ? 'it is not on hold' : null;
    case 'reset':
      return null;
    case 'start':
    case 'restart':
      if (service.fate !== 'stays') return 'it is being removed';
      if (hold !== null) return `it is on hold; \`upkeep unhold ${name}\` first`;
      if (
        spec.kind.type === 'watched' &&
        spec.kind.start === null &&
        state.name !== 'running' &&
        spec.kind.restart === null
      )
        return 'it has no `start` command';
      return unclear(service);
    case 'stop':
      if (hold !== null) return `it is on hold; \`upkeep unhold ${name}\` first`;
      return unclear(service);
    case 'reload':
      if (hold !== null) return `it is on hold; \`upkeep unhold ${name}\` first`;
      if (spec.kind.reload === null) return 'it has no `reload`; `upkeep restart` would do';
      if (state.name !== 'running') return `it is ${state.name}, not running`;
      return state.helper === null ? null : 'a command of it still runs';
    case 'signal':
      return mainOf(service) === null ? 'it has no process' : null;
  }
}

function unclear(service: Service): string | null {
  const { state } = service;
  if (state.name !== 'unknown' || state.why.type === 'looking') return null;
  return state.why.type === 'ambiguous'
    ? `more than one process could be it: ${state.why.pids.join(', ')}; narrow with pidFile or user`
    : state.why.reason;
}

function obey(service: Service, it: Ask, by: Sender | null, at: Moment): Move {
  switch (it.verb) {
    case 'start':
      return pursue(freshStart(override(service, 'up', by, it.reason, null, 'always', at)), at);
    case 'stop':
      return pursue(override(service, 'down', by, it.reason, it.until, it.lasts, at), at);
    case 'restart':
      return restart(freshStart(override(service, 'up', by, it.reason, null, 'always', at)), at);
    case 'reload':
      return reload(service);
    case 'hold':
      return hold({ ...service, hold: { by, since: at.wall, until: it.until, reason: it.reason } }, at);
    case 'unhold':
      return unhold(service, at);
    case 'reset': {
      const clean: Service = {
        ...service,
        restarts: { ...noRestarts, total: service.restarts.total, lastStart: service.restarts.lastStart },
      };
      return pursue(clean, at);
    }
    case 'signal': {
      const process = mainOf(service);
      if (process === null) return stay(service);
      return go(
        service,
        service.state,
        [{ type: 'signal', service: service.spec.name, process, signal: it.signal, to: 'main', thenContinue: 'no' }],
        [{ type: 'signaled', signal: it.signal }],
      );
    }
  }
}

/** The slow pace ends with an operator's start; the window of the limit does not. */
function freshStart(service: Service): Service {
  return { ...service, restarts: { ...service.restarts, pace: 'normal', streak: 0 } };
}

/** A word that says what the configuration says needs no remembering. */
function override(
  service: Service,
  desired: Desired,
  by: Sender | null,
  reason: string | null,
  until: Override['until'],
  lasts: Override['lasts'],
  at: Moment,
): Service {
  const asConfigured = (service.next ?? service.spec).desired === desired;
  return { ...service, override: asConfigured ? null : { desired, by, since: at.wall, until, lasts, reason } };
}

/** Moves the service towards what is wanted of it, uncounted. */
export function pursue(service: Service, at: Moment): Move {
  return desiredOf(service) === 'up' ? up(service, at) : down(service, at);
}

function up(service: Service, at: Moment): Move {
  const { state } = service;
  switch (state.name) {
    case 'stopped':
    case 'backoff':
    case 'failed':
    case 'waiting':
      return launch(service, 'requested', at);
    case 'stopping':
      // What ends now comes back: by the wish of an operator, not by the restart rule.
      return stay({ ...service, state: { ...state, why: state.why === 'start-timeout' ? 'requested' : state.why } });
    case 'unknown':
    case 'starting':
    case 'running':
      return stay(service);
  }
}

function down(service: Service, at: Moment): Move {
  const { state } = service;
  if (service.hold !== null && service.fate === 'stays') return stay(service);
  switch (state.name) {
    case 'stopped':
      return stay(state.why === 'requested' ? service : { ...service, state: { ...state, why: 'requested' } });
    case 'backoff':
    case 'failed':
    case 'waiting':
      return before([], [{ type: 'stopped' }], rest(service, 'requested', at));
    case 'starting':
      return state.process === null
        ? stopWhenLaunched(service, state, 'requested', at)
        : beginStop(service, state.process, state.helper, 'requested', at);
    case 'running':
      return beginStop(service, state.process, state.helper, 'requested', at);
    case 'stopping':
      return stay({ ...service, state: { ...state, why: 'requested' } });
    case 'unknown':
      return stay(service);
  }
}

function restart(service: Service, at: Moment): Move {
  const { state } = service;
  const { kind } = service.spec;
  switch (state.name) {
    case 'running':
      if (kind.type === 'watched' && kind.restart !== null && service.next === null) {
        return before(
          endOther(service, state.helper),
          [{ type: 'stopping', why: 'restart-command' }],
          runCommand(service, state.process, 'restart', kind.restart, 'restart-command', at),
        );
      }
      return beginStop(service, state.process, state.helper, 'requested', at);
    case 'starting':
      return state.process === null
        ? stopWhenLaunched(service, state, 'requested', at)
        : beginStop(service, state.process, state.helper, 'requested', at);
    case 'stopped':
    case 'waiting':
    case 'stopping':
    case 'backoff':
    case 'failed':
    case 'unknown':
      return up(service, at);
  }
}

/** Never two commands of one service at once: a start command that goes on beside its daemon makes room. */
function endOther(service: Service, helper: ProcessRef | null): readonly Effect[] {
  return helper === null
    ? []
    : [{ type: 'endHelper', service: service.spec.name, process: helper, spec: service.spec }];
}

function reload(service: Service): Move {
  const { state, spec } = service;
  const { reload: how } = spec.kind;
  if (state.name !== 'running' || how === null) return stay(service);
  switch (how.type) {
    case 'signal':
      return go(
        service,
        state,
        [
          {
            type: 'signal',
            service: spec.name,
            process: state.process,
            signal: how.signal,
            to: 'main',
            thenContinue: 'no',
          },
        ],
        [{ type: 'reloaded' }],
      );
    case 'command':
      return go(service, state, [
        { type: 'spawn', spec, role: 'reload', generation: service.generation, command: how.command },
      ]);
  }
}

/** Nothing is acted on any more: delays and quiet tries stop, what is under way goes on by itself. */
function hold(service: Service, at: Moment): Move {
  const { state } = service;
  switch (state.name) {
    case 'backoff':
    case 'failed':
      return launch(service, 'requested', at);
    case 'waiting':
      return state.for === 'hold' ? stay(service) : launch(service, 'requested', at);
    case 'unknown':
    case 'stopped':
    case 'starting':
    case 'running':
    case 'stopping':
      return stay(service);
  }
}

/** Acts again on what it finds. */
export function unhold(service: Service, at: Moment): Move {
  const free: Service = { ...service, hold: null };
  const { state } = free;
  if (state.name === 'stopped' && state.why !== 'requested') return stay(free);
  if (state.name === 'running' && free.next !== null) return change(free, free.next, at);
  // A deadline that passed under the hold is due now: the keeper wakes for it at once. A start that is not wanted any more ends here.
  const orders = orderRest(free);
  const goesOn = (state.name === 'starting' && desiredOf(free) === 'up') || state.name === 'stopping';
  if (goesOn) return go(free, state, orders);
  return before(orders, [], pursue(free, at));
}

/** A new definition. What the living process has baked in needs a new process; all else is live at once. */
function change(service: Service, spec: ServiceSpec, at: Moment): Move {
  const was = service.next ?? service.spec;
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
    const live: Service = { ...fresh, spec, next: null };
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

/** Old process down by the old rules, new one up by the new. A watched daemon is not ours to replace: it is looked for anew. */
function replace(service: Service, spec: ServiceSpec, at: Moment): Move {
  const { state } = service;
  if (service.spec.kind.type === 'watched' && spec.kind.type === 'watched')
    return lookAnew({ ...service, spec, next: null }, at);
  switch (state.name) {
    case 'running':
      return beginStop(service, state.process, state.helper, 'changed', at);
    case 'starting':
      return state.process === null
        ? stopWhenLaunched(service, state, 'changed', at)
        : beginStop(service, state.process, state.helper, 'changed', at);
    case 'stopping':
      return stay({ ...service, state: { ...state, why: 'changed' } });
    case 'unknown':
    case 'stopped':
    case 'waiting':
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
    (keys.length > 0 || (state.name === 'stopped' && state.why === 'requested'));
  const told = {
    type: 'specChanged',
    effect: mayStart ? 'start' : wanted === 'down' && state.name !== 'stopped' ? 'stop' : 'live',
  } as const;
  return before([], [told], mayStart || wanted === 'down' ? pursue(service, at) : stay(service));
}

/** Not configured any more: a supervised process is stopped, a daemon of somebody else's is left alone. */
function remove(service: Service, at: Moment): Move {
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

/** What waited for the host may start now; what is up when the host goes down is left to the host. */
function hostTurned(service: Service, at: Moment): Move {
  const { state } = service;
  if (at.host === 'up' && state.name === 'waiting' && (state.for === 'boot' || state.for === 'shutdown'))
    return launch(service, 'first', at);
  if (at.host === 'ending' && (state.name === 'backoff' || state.name === 'failed'))
    return launch(service, 'restart', at);
  return stay(service);
}
