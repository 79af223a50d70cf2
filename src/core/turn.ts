// Whose turn it is: which others have to move before this service starts, or is stopped. Decides by where they are now, so
// that nothing has to be remembered, and nothing can be forgotten. Moves nobody.

import { couplingOf, targetsOf } from './graph.js';
import type { ServiceName } from './spec.js';
import { desiredOf, type Service, type Waiting } from './state.js';
import type { View } from './world.js';

/** Good enough for those that need it. Sockets that listen are: who connects is served, by a start that needs nobody else to ask for it. */
export function isUp({ state }: Service): boolean {
  if (state.name === 'waiting') return state.for === 'connection';
  return state.name === 'running' || state.name === 'done' || state.name === 'handover';
}

/** There, or about to be: an end of what it needs takes it down. */
export function isThere({ state }: Service): boolean {
  return state.name === 'running' || state.name === 'starting' || state.name === 'handover';
}

/** It would start, and its turn has not come. */
export function awaitsTurn(service: Service | undefined): service is Service & { readonly state: Waiting } {
  return service?.state.name === 'waiting' && service.state.for === 'turn';
}

/** The services that this one waits for before it starts; empty: nothing but a place may be missing. */
export function startsAfter(view: View, service: Service): readonly ServiceName[] {
  const { needs, wants, after } = couplingOf(service);
  const blockers = new Set<ServiceName>();
  for (const need of needs) {
    const target = view.get(need.service);
    if (target !== undefined && !isUp(target)) blockers.add(need.service);
  }
  for (const name of [...wants, ...after]) if (isComing(view, name, new Set())) blockers.add(name);
  for (const name of partnersAhead(view, service.spec.name)) if (isComing(view, name, new Set())) blockers.add(name);
  // In a wave only, where it would be moved a second time. Costs a walk, which nobody takes who waits anyway.
  if (blockers.size === 0 && service.wave?.step === 'down')
    for (const name of undertow(view, service)) blockers.add(name);
  return [...blockers];
}

/** Those on their way down whose end will move it, directly or with what it needs. */
function undertow(view: View, service: Service): ReadonlySet<ServiceName> {
  const seen = new Set([service.spec.name]);
  const going = new Set<ServiceName>();
  const queue = [service];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { needs, restartWith } = couplingOf(next);
    const impatient = needs.filter(({ grace }) => grace === 0).map((need) => need.service);
    for (const name of [...impatient, ...restartWith]) {
      const other = seen.has(name) ? undefined : view.get(name);
      seen.add(name);
      if (other === undefined) continue;
      if (isGoingDown(other)) going.add(name);
      else if (isUp(other)) queue.push(other);
    }
  }
  return going;
}

/** The services that have to be down before this one gets its signal; empty: now. One that hangs, or is on hold, is not waited for. */
export function stopsAfter(view: View, { spec }: Service): readonly ServiceName[] {
  const { needs, orders } = view.dependentsOf(spec.name);
  return [...needs, ...orders].filter((name) => {
    const dependent = view.get(name);
    return dependent !== undefined && isGoingDown(dependent);
  });
}

/** On its way down, and not held up there. */
export function isGoingDown({ state, hold }: Service): boolean {
  return state.name === 'stopping' && state.phase !== 'stuck' && hold === null;
}

/** Is it down and on its way up by itself, without another's failure in its way? Then it is worth waiting for. */
export function isComing(view: View, name: string, seen: Set<string>): boolean {
  const service = view.get(name);
  if (service === undefined || service.hold !== null || desiredOf(service) === 'down') return false;
  const { state } = service;
  switch (state.name) {
    case 'starting':
      return true;
    case 'stopping':
      return state.phase !== 'stuck';
    case 'unknown':
      return state.why.type === 'looking';
    case 'waiting':
      if (state.for === 'turn') return isPromising(view, service, seen);
      return state.for !== 'shutdown' && state.for !== 'hold' && state.for !== 'connection';
    case 'stopped':
    case 'skipped':
    case 'running':
    case 'handover':
    case 'done':
    case 'backoff':
    case 'failed':
      return false;
  }
}

/** Everything that it needs is there or on its way. */
function isPromising(view: View, service: Service, seen: Set<string>): boolean {
  const { name } = service.spec;
  // Asked before in this very question: it was promising, or the answer is no already.
  if (seen.has(name)) return true;
  seen.add(name);
  return couplingOf(service).needs.every(({ service: needed }) => {
    const target = view.get(needed);
    return target === undefined || isUp(target) || isComing(view, needed, seen);
  });
}

/** Partners that this one's end drew in by their `restartWith`, and that therefore start first, unless they themselves wait for it. */
function* partnersAhead(view: View, name: ServiceName): Generator<ServiceName> {
  for (const partner of view.dependentsOf(name).restarts) {
    if (isDrawnBy(view, partner, name) && !waitsFor(view, partner, name, new Set())) yield partner;
  }
}

function isDrawnBy(view: View, partner: ServiceName, name: ServiceName): boolean {
  const wave = view.get(partner)?.wave ?? null;
  return wave !== null && wave.step !== 'settled' && wave.ahead.includes(name);
}

/** Does `first`, by its order or in its wave, come after `second`, directly or over others? */
function waitsFor(view: View, first: ServiceName, second: ServiceName, seen: Set<string>): boolean {
  if (first === second) return true;
  if (seen.has(first)) return false;
  seen.add(first);
  const service = view.get(first);
  if (service === undefined) return false;
  for (const target of targetsOf(couplingOf(service))) if (waitsFor(view, target, second, seen)) return true;
  return view
    .dependentsOf(first)
    .restarts.some((partner) => isDrawnBy(view, partner, first) && waitsFor(view, partner, second, seen));
}
