// The heartbeats of a service: what is asked by which name, what is known of it, and whether it can be asked now. Decides nothing.

import type { Beat } from './beat.js';
import type { HeartbeatSpec } from './heartbeat.js';
import type { ProcessRef } from './process.js';
import { desiredOf, isHeld, type Service } from './state.js';

/** The main process, while it serves. */
export const servingProcess = ({ state }: Service): ProcessRef | null =>
  state.name === 'running' ? state.process : null;

/** The old one of a hand-over serves as well, and is left in peace meanwhile. */
export const serverOf = (service: Service): ProcessRef | null =>
  service.state.name === 'handover' ? service.state.process : servingProcess(service);

/** The same, also while it writes its state and is to be stopped after that: where that fails it goes on. */
export const processAsked = (service: Service): ProcessRef | null =>
  service.state.name === 'stopping' && service.state.phase === 'exporting' ? service.state.process : serverOf(service);

/** One that nobody wants up, or that is on hold, is left in peace. */
export const isAskable = (service: Service): boolean =>
  servingProcess(service) !== null && !isHeld(service) && desiredOf(service) === 'up';

export const specOf = ({ spec }: Service, name: string): HeartbeatSpec | undefined =>
  spec.heartbeats.find((one) => one.name === name);

/** undefined: its definition has just come, or went. */
export const beatOf = ({ health }: Service, name: string): Beat | undefined =>
  health.find((beat) => beat.name === name);

export function withBeat(service: Service, name: string, change: (beat: Beat) => Beat): Service {
  return { ...service, health: service.health.map((beat) => (beat.name === name ? change(beat) : beat)) };
}
