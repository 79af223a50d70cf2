// What is left of a dead generation: the descendants of its main process, which are ended before the next start where the
// policy says so. Knows no restart rule.

import type { Effect } from './effect.js';
import { killPatience, launch } from './launch.js';
import { before, go, type Move } from './move.js';
import type { Pid, ProcessRef, SignalName } from './process.js';
import type { Service, Waiting } from './state.js';
import { later, type Moment } from './time.js';

/** It is noted of the service, and ended, except where it may stay. */
export function leaveNoRest(
  service: Service,
  dead: ProcessRef,
): { readonly service: Service; readonly effects: readonly Effect[] } {
  if (service.spec.leftovers === 'leave') return { service, effects: [] };
  const noted: Service = { ...service, rest: dead };
  return { service: noted, effects: orderRest(noted) };
}

/** The order that ends what is noted of a dead generation, by its policy. Under a hold there is none: `unhold` gives it. */
export function orderRest(service: Service): readonly Effect[] {
  const { hold, spec } = service;
  return hold === null ? endingOfRest(service, spec.leftovers === 'kill' ? 'SIGKILL' : 'SIGTERM') : [];
}

/** While its successor is sought nobody is ended: who the dead one left may be that one. It is over, and there is none. */
export function endSpared({ state }: Service, move: Move): Move {
  const next = move.service.state;
  const wasSought = state.name === 'waiting' && state.for === 'settle';
  const isSought = next.name === 'unknown' || (next.name === 'waiting' && next.for === 'settle');
  return wasSought && !isSought && move.service.rest !== null ? before(orderRest(move.service), [], move) : move;
}

/** The same with this signal; empty: nothing is noted. */
export const endingOfRest = ({ spec, rest }: Service, signal: SignalName): readonly Effect[] =>
  rest === null ? [] : [{ type: 'endRest', service: spec.name, process: rest, signal, policy: spec.leftovers }];

/** The leftovers had their time: SIGTERM was not enough, or SIGKILL was not, and then only a person can help. */
export function pressRest(service: Service, waiting: Waiting, at: Moment): Move {
  const { rest, spec } = service;
  if (rest === null) return launch(service, 'restart', at);
  const orders = endingOfRest(service, 'SIGKILL');
  // Told by its deadline, not by the time that has passed: a loop that was held would seem to have killed already.
  const wasKilled =
    spec.leftovers === 'kill' || (waiting.deadline !== null && waiting.deadline > later(waiting.since, killPatience));
  return wasKilled
    ? go(service, { ...waiting, deadline: null }, orders, [{ type: 'stuck', reason: outlivesKill(null, rest.pid) }])
    : go(service, { ...waiting, deadline: later(at.instant, killPatience) }, orders);
}

/** Why it is stuck; `main`: its main process lives, else only what is left of its group. */
export const outlivesKill = (main: Pid | null, rest: Pid | null): string =>
  `SIGKILL did not end ${main === null ? 'what is left of the group of ' : ''}process ${main ?? rest ?? '?'}; it may hang in the kernel (state D)`;
