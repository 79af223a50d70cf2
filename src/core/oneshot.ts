// A oneshot: it does its work and ends, and that it has done it is good enough for those that need it. Any other end of it is
// a failed start like that of any service.

import { afterEnd, runHook } from './hooks.js';
import { go, type Move } from './move.js';
import type { ExitStatus, ProcessRef } from './process.js';
import { isSelected } from './restart.js';
import type { Service, Starting } from './state.js';
import { elapsed, type Instant, later, type Moment, millis } from './time.js';

export const isOneshot = ({ spec: { kind } }: Service): boolean => kind.type === 'supervised' && kind.oneshot === 'yes';

/** It is at its work, for as long as that takes unless `ready` says otherwise. */
export function work(service: Service, state: Starting, process: ProcessRef, at: Moment): Move {
  const deadline = workDeadline(service, at.instant);
  return go(service, { ...state, phase: 'working', hook: 0, process, helper: null, setback: null, deadline });
}

export function workDeadline({ spec: { ready } }: Service, from: Instant): Instant | null {
  return ready.timeout === null ? null : later(from, ready.timeout);
}

/** Code 0, or what `successExit` names: a signal that would be a clean end of a server has only broken it off. */
export function isWorkDone({ spec: { restart } }: Service, status: ExitStatus): boolean {
  return (
    (status.type === 'exited' && status.code === 0) ||
    restart.successExit.some((selector) => isSelected(selector, status))
  );
}

/** Its work, and what comes after a start, is done: its generation has ended, and with it comes what is run after each end. */
export function beDone(service: Service, at: Moment): Move {
  return runHook(service, afterEnd('done', at.instant), at) ?? settleDone(service, at);
}

/** Good enough for those that need it. What failed before is made good. */
export function settleDone(service: Service, at: Moment): Move {
  const { restarts } = service;
  const took = restarts.lastStart === null ? millis(0) : elapsed(restarts.lastStart, at.instant);
  return go(
    { ...service, restarts: { ...restarts, streak: 0, pace: 'normal' } },
    { name: 'done', since: at.instant },
    [],
    [{ type: 'done', took }],
  );
}
