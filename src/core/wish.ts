// What operators, configurations and the keeper itself want of a service: who carries which wish out. Facts about processes
// are in `service.ts`.

import { ask } from './ask.js';
import { change, remove } from './definition.js';
import type { Draft } from './draft.js';
import type { ServiceEvent } from './event.js';
import { couplingOf } from './graph.js';
import { callOff } from './handover.js';
import { launch } from './launch.js';
import { type Move, stay } from './move.js';
import type { Pace } from './pool.js';
import { pursue } from './pursue.js';
import { desiredOf, type Service } from './state.js';
import type { Moment } from './time.js';
import { awaitsTurn } from './turn.js';
import { carry } from './wave.js';

export type Wish = Extract<
  ServiceEvent,
  { readonly type: 'asked' | 'changed' | 'removed' | 'keeperEnded' | 'hostTurned' }
>;

export function wish(service: Service, event: Wish, pace: Pace, at: Moment): Move {
  switch (event.type) {
    case 'asked':
      return ask(service, event.ask, event.by, pace, at);
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

/** What an operator wants up has to have what it needs and wants: those that failed or wait for a delay are tried now, as if asked for themselves. */
export function callNeeded(draft: Draft, { ask: { verb }, service: name }: Extract<Wish, { type: 'asked' }>): void {
  if (verb !== 'start' && verb !== 'restart') return;
  const seen = new Set<string>([name]);
  const names = [name];
  for (let next = names.pop(); next !== undefined; next = names.pop()) {
    const service = draft.get(next);
    if (service === undefined || desiredOf(service) === 'down' || service.hold !== null) continue;
    const { needs, wants } = couplingOf(service);
    for (const target of [...needs.map((need) => need.service), ...wants]) {
      if (seen.has(target)) continue;
      seen.add(target);
      names.push(target);
      const needed = draft.get(target);
      if (needed !== undefined && waitsForHelp(needed)) carry(draft, needed, launch(needed, 'requested', draft.at));
    }
  }
}

/** Wanted up, and down for now. */
function waitsForHelp(service: Service): boolean {
  if (desiredOf(service) === 'down' || service.hold !== null) return false;
  const { state } = service;
  switch (state.name) {
    case 'backoff':
    case 'failed':
    case 'skipped':
    case 'stopped':
      return true;
    case 'unknown':
    case 'waiting':
    case 'starting':
    case 'running':
    case 'handover':
    case 'done':
    case 'stopping':
      return false;
  }
}

/** What waited for the host may start now; what is up when the host goes down is left to the host. */
function hostTurned(service: Service, at: Moment): Move {
  const { state } = service;
  if (at.host === 'up' && state.name === 'waiting' && (state.for === 'boot' || state.for === 'shutdown'))
    return launch(service, 'first', at);
  if (at.host === 'ending' && (state.name === 'backoff' || state.name === 'failed'))
    return launch(service, 'restart', at);
  if (at.host === 'ending' && awaitsTurn(service)) return launch(service, service.state.why, at);
  return at.host === 'ending' ? callOff(service, 'the host goes down', at) : stay(service);
}
