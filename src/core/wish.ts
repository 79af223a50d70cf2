// What operators, configurations and the keeper itself want of a service: who carries which wish out. Facts about processes
// are in `service.ts`.

import { ask } from './ask.js';
import { change, remove } from './definition.js';
import type { ServiceEvent } from './event.js';
import { launch } from './launch.js';
import { type Move, stay } from './move.js';
import { pursue } from './pursue.js';
import type { Service } from './state.js';
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

/** What waited for the host may start now; what is up when the host goes down is left to the host. */
function hostTurned(service: Service, at: Moment): Move {
  const { state } = service;
  if (at.host === 'up' && state.name === 'waiting' && (state.for === 'boot' || state.for === 'shutdown'))
    return launch(service, 'first', at);
  if (at.host === 'ending' && (state.name === 'backoff' || state.name === 'failed'))
    return launch(service, 'restart', at);
  return stay(service);
}
