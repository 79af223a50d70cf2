// The one road up: from a wish and a permission to a running process. Knows nothing of why; `restart.ts` and `wish.ts` decide that.

import type { What } from './change.js';
import type { Effect } from './effect.js';
import { go, type Move, stay } from './move.js';
import type { ProcessRef } from './process.js';
import type { Ready } from './spec.js';
import { type LaunchReason, latestSpec, type Service, type Starting, type Waiting } from './state.js';
import { type Instant, later, type Millis, type Moment, seconds } from './time.js';

/** How long the leftovers of a dead generation may take before we say that they are stuck. After SIGKILL only a hung disk or a tracer holds a process. */
export const killPatience: Millis = seconds(10);

/** Asks for a new generation: what has to come first is waited for. Only for a service without a living process. */
export function launch(service: Service, why: LaunchReason, at: Moment): Move {
  const fresh = takeNextSpec(service);
  if (fresh.hold !== null) return wait(fresh, 'hold', why, null, at);
  if (at.host === 'ending') return wait(fresh, 'shutdown', why, null, at);
  if (at.host === 'booting') return wait(fresh, 'boot', why, null, at);
  if (fresh.rest !== null) return wait(fresh, 'leftovers', why, later(at.instant, killPatience), at);
  const { kind } = fresh.spec;
  if (kind.type === 'watched' && kind.start === null)
    return go(fresh, { name: 'stopped', since: at.instant, why: 'no-start' }, [seek(fresh)]);
  // The neighbours decide in the same step (turn.ts): where there is nobody to wait for, nobody ever sees this state.
  return go(fresh, { name: 'waiting', since: at.instant, for: 'turn', why, deadline: null });
}

function wait(service: Service, reason: Waiting['for'], why: LaunchReason, deadline: Instant | null, at: Moment): Move {
  return go(
    service,
    { name: 'waiting', since: at.instant, for: reason, why, deadline },
    service.spec.kind.type === 'watched' ? [seek(service)] : [],
  );
}

/** A new definition counts from the next start on: the old process was stopped by its own rules. A restart that it was to wait for is this one. */
function takeNextSpec(service: Service): Service {
  return { ...service, spec: latestSpec(service), next: null, enrolled: null };
}

/** Look for a watched daemon until further notice: it may come up by another's hand. */
export function seek(service: Service): Effect {
  return { type: 'look', spec: service.spec, seek: 'on' };
}

/** The main process lives: now it has to become ready. `probe` alive is only a deadline, all others are asked. */
export function readying(
  service: Service,
  process: ProcessRef,
  helper: ProcessRef | null,
  { since, why }: Pick<Starting, 'since' | 'why'>,
  at: Moment,
): Move {
  const { ready } = service.spec;
  const state = {
    name: 'starting',
    since,
    why,
    phase: 'readying',
    hook: 0,
    process,
    helper,
    setback: null,
    deadline: readyDeadline(ready, at),
  } as const;
  return go(service, state, awaitReady(service, process));
}

/** Does somebody of ours look whether it is ready? Not where it is a matter of time, or the service says it itself. */
export const isProbed = ({ probe }: Ready): boolean => probe.type !== 'alive' && probe.type !== 'notify';

/** The order that begins the probe, where there is one to begin. */
export function awaitReady(service: Service, process: ProcessRef): readonly Effect[] {
  return isProbed(service.spec.ready) ? [{ type: 'awaitReady', spec: service.spec, process }] : [];
}

export function readyDeadline(ready: Ready, at: Moment): Instant | null {
  if (ready.probe.type === 'alive') return later(at.instant, ready.probe.for);
  return ready.timeout === null ? null : later(at.instant, ready.timeout);
}

/** How long a daemon may take to appear after its start command has ended, where `ready` sets no time. */
const findPatience: Millis = seconds(30);

/** Without a time-out readiness may take for ever; a process that is not there at all may not. */
export function findDeadline(ready: Ready, at: Moment): Instant {
  return later(at.instant, ready.timeout ?? findPatience);
}

/** It serves. A start command that still runs keeps its own deadline. */
export function becomeRunning(
  service: Service,
  process: ProcessRef,
  helper: ProcessRef | null,
  startedAt: Instant,
  at: Moment,
): Move {
  const happened: What[] = [{ type: 'ready', process, took: Math.max(0, at.instant - startedAt) as Millis }];
  return go(service, runningState(service, process, helper, at), settledEffects(service), happened);
}

/** The state of a service whose main process serves. */
export function runningState(
  service: Service,
  process: ProcessRef,
  helper: ProcessRef | null,
  at: Moment,
): Service['state'] {
  const { kind } = service.spec;
  const timeout = helper !== null && kind.type === 'watched' ? (kind.start?.timeout ?? null) : null;
  return {
    name: 'running',
    since: at.instant,
    process,
    helper,
    deadline: timeout === null ? null : later(at.instant, timeout),
  };
}

/** The order that ends it again. */
export const stopAwaiting = ({ spec }: Service): readonly Effect[] =>
  isProbed(spec.ready) ? [{ type: 'stopAwaitingReady', service: spec.name }] : [];

/** Once it runs nobody needs to look or probe any more: idle costs nothing. */
export function settledEffects(service: Service): readonly Effect[] {
  const probing = stopAwaiting(service);
  return service.spec.kind.type === 'watched'
    ? [...probing, { type: 'stopSeeking', service: service.spec.name }]
    : probing;
}

/** Starts what waited, if the reason for waiting was this one. */
export function releaseFrom(service: Service, reason: Waiting['for'], at: Moment): Move {
  return service.state.name === 'waiting' && service.state.for === reason
    ? launch(service, 'restart', at)
    : stay(service);
}
