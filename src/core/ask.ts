// What operators ask of a service: refused with what would do, or noted and carried out. Who may ask what is decided elsewhere.

import type { AskedSignal, Sender } from './death.js';
import { change } from './definition.js';
import type { Ask } from './event.js';
import { forgive } from './fight.js';
import { callOff, obstacle, overlaps, replace } from './handover.js';
import { environmentFor } from './hook-env.js';
import { reclaimHook } from './hooks.js';
import { launch } from './launch.js';
import { orderRest } from './leftovers.js';
import { andThen, before, go, type Move, stay } from './move.js';
import { enrol, type Pace, passOver } from './pool.js';
import { pursue, up } from './pursue.js';
import { askToReload } from './reload.js';
import type { Desired } from './spec.js';
import { desiredOf, forgetFailures, latestSpec, mainOf, type Override, type Service } from './state.js';
import { beginStop, stopWhenLaunched } from './stop.js';
import type { Moment } from './time.js';
import { isUp } from './turn.js';
import { prepare } from './way-up.js';

/** An operator's word. Never counted, cuts any delay short, and a stop wins over everything. */
export function ask(service: Service, it: Ask, by: Sender | null, pace: Pace, at: Moment): Move {
  const told = { type: 'asked', verb: it.verb, by, reason: 'reason' in it ? it.reason : null } as const;
  const refusal = refusalOf(service, it);
  if (refusal !== null) return before([], [told, { type: 'refused', verb: it.verb, reason: refusal }], stay(service));
  return before([], [told], obey(atHand(service, it), it, by, pace, at));
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
      return (it.verb === 'restart' ? obstacle(service) : null) ?? unclear(service);
    case 'stop':
      if (hold !== null) return `it is on hold; \`upkeep unhold ${name}\` first`;
      return unclear(service);
    case 'reload':
      if (hold !== null) return `it is on hold; \`upkeep unhold ${name}\` first`;
      if (spec.kind.reload === null && !overlaps(service)) return 'it has no `reload`; `upkeep restart` would do';
      if (spec.kind.reload === null && obstacle(service) !== null) return obstacle(service);
      if (service.reloading !== null) return 'a reload of it is under way';
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

function obey(service: Service, it: Ask, by: Sender | null, pace: Pace, at: Moment): Move {
  switch (it.verb) {
    case 'start':
      return pursue(freshStart(override(service, 'up', by, it.reason, null, 'always', at)), at);
    case 'stop':
      return pursue(override(service, 'down', by, it.reason, it.until, it.lasts, at), at);
    case 'restart':
      return restart(freshStart(override(service, 'up', by, it.reason, null, 'always', at)), pace, at);
    case 'reload':
      return reload(service, at);
    case 'hold':
      return andThen(callOff(service, 'it is put on hold', at), (alone) =>
        hold({ ...alone, hold: { by, since: at.wall, until: it.until, reason: it.reason } }, at),
      );
    case 'unhold':
      return unhold(service, at);
    case 'reset': {
      const clean: Service = {
        ...service,
        restarts: forgetFailures(service.restarts),
      };
      return pursue(clean, at);
    }
    case 'signal': {
      const process = mainOf(service);
      if (process === null) return stay(service);
      const asked: AskedSignal = { signal: it.signal, by, at: at.instant };
      return go(
        { ...service, asked },
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
  const asConfigured = latestSpec(service).desired === desired;
  return { ...service, override: asConfigured ? null : { desired, by, since: at.wall, until, lasts, reason } };
}

function restart(service: Service, pace: Pace, at: Moment): Move {
  const { state } = service;
  if (pace === 'in turn' && isUp(service)) return enrol(service, 'requested');
  switch (state.name) {
    case 'running':
      return replace(service, state, hasOwnRestart(service) ? 'restart-command' : 'requested', at);
    case 'handover':
      return stay(service);
    case 'starting':
      return state.process === null
        ? stopWhenLaunched(service, state, 'requested', at)
        : beginStop(service, state.process, state.helper, 'requested', at);
    case 'done':
      return launch(service, 'requested', at);
    case 'stopped':
    case 'skipped':
    case 'waiting':
    case 'stopping':
    case 'backoff':
    case 'failed':
    case 'unknown':
      return up(service, at);
  }
}

/** A command of its own does both; not for a new definition, which it knows nothing of. */
const hasOwnRestart = ({ spec: { kind }, next }: Service): boolean =>
  kind.type === 'watched' && kind.restart !== null && next === null;

function reload(service: Service, at: Moment): Move {
  const { state, spec } = service;
  const { reload: how } = spec.kind;
  if (state.name !== 'running') return stay(service);
  if (how === null) return replace(service, state, 'requested', at);
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
    case 'notify':
      return askToReload(service, state.process, how.signal, at);
    case 'command':
      return go(service, state, [
        {
          type: 'spawn',
          spec,
          role: 'reload',
          hook: 0,
          generation: service.generation,
          command: how.command,
          env: environmentFor(service, 'reload'),
        },
      ]);
  }
}

/** Nothing is acted on any more: delays and quiet tries stop, what is under way goes on by itself. */
function hold(service: Service, at: Moment): Move {
  const { state } = service;
  switch (state.name) {
    case 'skipped':
    case 'backoff':
    case 'failed':
      return launch(service, 'requested', at);
    case 'waiting':
      return state.for === 'hold' ? stay(service) : launch(service, 'requested', at);
    case 'running':
    case 'handover':
    case 'done':
      return passOver(service, 'it is on hold');
    case 'unknown':
    case 'stopped':
    case 'starting':
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
  // What was made ready under the hold was not gone on with.
  if (state.name === 'starting' && state.phase === 'preparing' && desiredOf(free) === 'up')
    return before(orderRest(free), [], prepare(free, state, at));
  // A deadline that passed under the hold is due now: the keeper wakes for it at once. A start that is not wanted any more ends here.
  const pending = state.name === 'starting' || state.name === 'stopping' ? reclaimHook(free, state) : [];
  const orders = [...orderRest(free), ...pending];
  const goesOn = (state.name === 'starting' && desiredOf(free) === 'up') || state.name === 'stopping';
  if (goesOn) return go(free, state, orders);
  return before(orders, [], pursue(free, at));
}
