// Ready when a heartbeat is good: the same question by the same asker, asked again until then. Knows nothing of askers.

import type { HeartbeatSpec } from '../core/heartbeat.js';
import type { ProcessRef } from '../core/process.js';
import type { Result } from '../core/question.js';
import type { ServiceSpec } from '../core/spec.js';
import type { Attempt } from './attempt.js';

/** Asks once, within the time-out of the heartbeat. Never rejects. */
export type AskHeartbeat = (spec: ServiceSpec, heartbeat: HeartbeatSpec, process: ProcessRef) => Promise<Result>;

/** `name` null: all of them have to be good at the same time. */
export function heartbeatProbe(
  name: string | null,
  spec: ServiceSpec,
  process: ProcessRef,
  ask: AskHeartbeat,
): Attempt {
  const heartbeats = spec.heartbeats.filter((one) => name === null || one.name === name);
  return async () => {
    const results = await Promise.all(heartbeats.map((heartbeat) => ask(spec, heartbeat, process)));
    return results.every((result) => result === 'good') ? 'ready' : 'not yet';
  };
}
