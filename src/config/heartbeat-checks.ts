// Heartbeats against the rest of their service: what cannot be. What is right and yet not what it seems is in heartbeat-warnings.ts.

import type { HeartbeatSpec } from '../core/heartbeat.js';
import type { ServiceSpec } from '../core/spec.js';
import { heartbeatsIn } from './heartbeat.js';
import type { Place } from './problem.js';
import { below, complain, type Reading } from './shape.js';
import { didYouMean } from './suggest.js';
import { type Tree, valueAt } from './tree.js';

/** `tree`: the effective settings of the service. What is wrong was reported. */
export function checkHeartbeats(spec: ServiceSpec, tree: Tree, reading: Reading): 'right' | 'wrong' {
  const own = below(reading, 'heartbeat');
  const at = valueAt(tree, 'heartbeat')?.at ?? tree.at;
  if (spec.kind.type === 'supervised' && spec.kind.oneshot === 'yes' && spec.heartbeats.length > 0) {
    complain(own, at, 'a oneshot does its work and ends, so nobody is there to be asked; take it out');
    return 'wrong';
  }
  const unhealed = isStartable(spec) ? undefined : spec.heartbeats.findIndex(isRestarting);
  if (unhealed !== undefined && unhealed >= 0) {
    const message =
      'a restart needs something that starts it again, and there is no `start`; write it, or take `then` out: then it is told';
    complain(own, placeOfThen(tree, unhealed), message);
    return 'wrong';
  }
  return checkReady(spec, tree, below(reading, 'ready'));
}

export const isRestarting = ({ then }: HeartbeatSpec): boolean => then.type === 'restart';

const isStartable = ({ kind }: ServiceSpec): boolean => kind.type === 'supervised' || kind.start !== null;

/** Where `then` stands, or where the heartbeat does that says nothing of it. */
export function placeOfThen(tree: Tree, index: number): Place {
  const heartbeat = heartbeatsIn(valueAt(tree, 'heartbeat'))[index] ?? tree;
  const then = valueAt(heartbeat, 'then');
  return then === undefined || then.layer.type === 'upkeep' ? heartbeat.at : then.at;
}

function checkReady({ ready: { probe }, heartbeats }: ServiceSpec, tree: Tree, reading: Reading): 'right' | 'wrong' {
  if (probe.type !== 'heartbeat') return 'right';
  const names = heartbeats.map(({ name }) => name);
  if (probe.name === null ? names.length > 0 : names.includes(probe.name)) return 'right';
  const at = valueAt(valueAt(tree, 'ready'), 'heartbeat')?.at ?? tree.at;
  if (names.length === 0) {
    complain(reading, at, 'waits for a heartbeat, and the service has none; write `heartbeat:` too, or another probe');
    return 'wrong';
  }
  const hint = didYouMean(probe.name ?? '', names);
  complain(
    below(reading, 'heartbeat'),
    at,
    `unknown heartbeat ${JSON.stringify(probe.name)}${hint === '' ? `; the service has ${names.join(', ')}` : hint}`,
  );
  return 'wrong';
}
