// A reload that the service itself speaks of: systemd's notify-reload (it answers a signal with RELOADING=1, and says READY=1 when
// it is done), and one that it began by itself. A reload by a mere signal or a command is in ask.ts and running.ts.

import { before, go, type Move, stay } from './move.js';
import type { ProcessRef, SignalName } from './process.js';
import type { Running, Service } from './state.js';
import { type Instant, later, type Moment, seconds } from './time.js';

/** How long it may take where `ready` sets no time. */
const patience = seconds(90);

const deadlineOf = ({ spec }: Service, at: Moment): Instant => later(at.instant, spec.ready.timeout ?? patience);

/** Asks it to; the answer has to be younger than this. */
export function askToReload(service: Service, process: ProcessRef, signal: SignalName, at: Moment): Move {
  const { name } = service.spec;
  const reloading = { phase: 'signaled', since: at.instant, deadline: deadlineOf(service, at) } as const;
  return go({ ...service, reloading }, service.state, [
    { type: 'signal', service: name, process, signal, to: 'main', thenContinue: 'no' },
  ]);
}

/** RELOADING=1. What was said before we asked is no answer: `said` is MONOTONIC_USEC in ms, and null counts for nothing. */
export function acknowledge(service: Service, said: number | null, at: Moment): Move {
  const { state, reloading } = service;
  if (state.name !== 'running') return stay(service);
  // Half a millisecond: our clock is read in floating milliseconds, that of the service in whole microseconds.
  if (reloading?.phase === 'signaled' && (said === null || said < reloading.since - 0.5)) return stay(service);
  const since = reloading?.since ?? at.instant;
  return stay({ ...service, reloading: { phase: 'reloading', since, deadline: deadlineOf(service, at) } });
}

/** READY=1 of a service that runs: done with that, if it was at it. */
export function reloadsByItself(service: Service): Move {
  if (service.reloading?.phase !== 'reloading') return stay(service);
  return before([], [{ type: 'reloaded' }], stay({ ...service, reloading: null }));
}

/** It has not answered in time: that is told, and it goes on as it is. */
export function reloadTimedOut(service: Service, _state: Running, at: Moment): Move {
  const { reloading } = service;
  if (reloading === null || reloading.deadline === null || reloading.deadline > at.instant) return stay(service);
  const what = reloading.phase === 'signaled' ? 'answer with RELOADING=1' : 'say READY=1';
  return before(
    [],
    [{ type: 'reloadFailed', reason: `it did not ${what} in time; it goes on as it is` }],
    stay({ ...service, reloading: null }),
  );
}
