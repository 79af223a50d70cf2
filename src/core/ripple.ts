// The end of every step: whoever was told to start or to go down does so when its turn has come, and what that changes for
// its neighbours is looked at in its turn. Costs what moved and its neighbours, however many services there are.

import { type Draft, hasPlace, type Touched } from './draft.js';
import { couplingOf, targetsOf } from './graph.js';
import { seek } from './launch.js';
import { before, type Move } from './move.js';
import { nextInRoll } from './pool.js';
import { roll } from './roll.js';
import type { ServiceName } from './spec.js';
import type { Service, Stopping } from './state.js';
import { descend } from './stop.js';
import { awaitsTurn, isUp, startsAfter, stopsAfter } from './turn.js';
import { carry } from './wave.js';
import { begin } from './way-up.js';

/** Lets everybody move whose turn has come; returns those that could start, had they a place. */
export function takeTurns(draft: Draft): readonly ServiceName[] {
  const queue = new Set<ServiceName>();
  for (;;) {
    lookAround(draft, queue);
    const next = nextInQueue(draft, queue);
    if (next === undefined) break;
    queue.delete(next.spec.name);
    carry(draft, next, launched(draft, next));
  }
  tellOfWaiting(draft, queue);
  return [...queue];
}

/** Looks at everything that moved, and at its neighbours, until nothing moves any more. `queue` gains those that lack a place alone. */
function lookAround(draft: Draft, queue: Set<ServiceName>): void {
  const { touched } = draft;
  const passedOn = new Set<ServiceName>();
  // It grows meanwhile. The first that moved is the first that is looked at: services start in their order.
  for (const one of touched) {
    look(draft, one.name, queue);
    for (const name of neighboursOf(draft, one.name)) {
      look(draft, name, queue);
      if (one.reach === 'far' && passesOn(draft, one.name, name) && !passedOn.has(name)) {
        passedOn.add(name);
        touched.push({ name, reach: 'far' } satisfies Touched);
      }
    }
  }
  touched.length = 0;
}

/** One that still waits may not be worth waiting for any more, or again; one that is up may have been about to go with the first: those behind it are asked too. */
function passesOn(draft: Draft, first: ServiceName, name: ServiceName): boolean {
  const service = draft.get(name);
  if (service === undefined) return false;
  if (awaitsTurn(service)) return true;
  const { needs, restarts } = draft.dependentsOf(first);
  return isUp(service) && (needs.includes(name) || restarts.includes(name));
}

function look(draft: Draft, name: ServiceName, queue: Set<ServiceName>): void {
  const service = draft.get(name);
  if (service === undefined) return;
  const { state } = service;
  if (state.name === 'stopping' && state.phase === 'turn') lookDown(draft, service, state);
  if (service.enrolled !== null) roll(draft, service);
  const isFree = awaitsTurn(service) && startsAfter(draft, service).length === 0;
  // Whoever lacks a place, and lacked it before, keeps where it stands.
  if (isFree && needsPlace(service) && !hasPlace(draft)) queue.add(name);
  else queue.delete(name);
  if (isFree && !queue.has(name)) carry(draft, service, launched(draft, service));
}

function lookDown(draft: Draft, service: Service, state: Stopping): void {
  if (state.process === null || stopsAfter(draft, service).length > 0) return;
  carry(draft, service, descend(service, state.process, wayDown(draft, service, state), draft.at));
}

/** A restart command brings it up again at once: where it has to wait for others, it is stopped, and started in its turn. */
function wayDown(draft: Draft, service: Service, { why }: Stopping): Stopping['why'] {
  const { kind } = service.spec;
  const hasStart = kind.type === 'watched' && kind.start !== null;
  return why === 'restart-command' && hasStart && startsAfter(draft, service).length > 0 ? 'requested' : why;
}

/** The one that has waited longest: those of earlier steps before those of this one. */
function nextInQueue(draft: Draft, queue: ReadonlySet<ServiceName>): Service | undefined {
  if (!hasPlace(draft)) return undefined;
  for (const names of [draft.world.queued, queue]) {
    for (const name of names) {
      const service = draft.get(name);
      if (awaitsTurn(service) && startsAfter(draft, service).length === 0) return service;
    }
  }
  return undefined;
}

/** What has died comes back at once, however many others start. */
function needsPlace(service: Service): boolean {
  return awaitsTurn(service) && service.state.why !== 'restart' && service.state.why !== 'retry';
}

function launched(draft: Draft, service: Service): Move {
  const why = awaitsTurn(service) ? service.state.why : 'restart';
  const { wave } = service;
  return begin({ ...service, wave: wave?.step === 'down' ? { ...wave, step: 'up' } : wave }, why, draft.at);
}

function* neighboursOf(draft: Draft, name: ServiceName): Generator<ServiceName> {
  const { needs, orders, restarts } = draft.dependentsOf(name);
  yield* needs;
  yield* orders;
  yield* restarts;
  const service = draft.get(name);
  if (service === undefined) return;
  yield* targetsOf(couplingOf(service));
  yield* couplingOf(service).restartWith;
  const next = nextInRoll(draft, service);
  if (next !== undefined) yield next.spec.name;
}

/** Said once, when it begins to wait; a watched daemon may come up by another's hand meanwhile. */
function tellOfWaiting(draft: Draft, queue: ReadonlySet<ServiceName>): void {
  for (const [name, service] of draft.services) {
    if (service === null || !awaitsTurn(service) || awaitsTurn(draft.world.services.get(name))) continue;
    const blockers = startsAfter(draft, service);
    const told =
      blockers.length === 0 && queue.has(service.spec.name) ? [] : [{ type: 'waits', for: blockers } as const];
    const orders = service.spec.kind.type === 'watched' ? [seek(service)] : [];
    carry(draft, service, before(orders, told, { service, effects: [], happened: [] }));
  }
}
