// The generations of a service in its outward view: the one that gets ready, those that drain, and what the one that serves owes
// its keeper. status.ts has the whole.

import { phaseText } from './handover.js';
import type { Handover, Outgoing, Service } from './state.js';
import type { Instant } from './time.js';

/** That instant as a time of day. */
type Wall = (at: Instant) => string;

/** A generation that serves no more, or never did. */
export interface DrainingStatus {
  readonly pid: number;
  readonly generation: number;
  readonly since: string;
  /** `drained`: it finishes what it has begun. `refused`: it was to take over and does not. `own`: it named its successor itself. */
  readonly why: 'drained' | 'refused' | 'own';
  /** When it is ended; null: never by us. */
  readonly until: string | null;
}

export interface HandoverStatus {
  /** Of the new generation; null: it does not live yet. */
  readonly pid: number | null;
  readonly generation: number;
  readonly phase: Handover['phase'];
  readonly text: string;
}

export interface WatchdogStatus {
  /** Milliseconds. */
  readonly period: number;
  /** By when it has to say so again. */
  readonly due: string;
}

export interface ReloadingStatus {
  readonly since: string;
  /** When nobody waits for it any more; null: never. */
  readonly until: string | null;
}

export const drainingStatus = (
  { process, generation, since, why, deadline }: Outgoing,
  wall: Wall,
): DrainingStatus => ({
  ...{ pid: process.pid, generation, why, since: wall(since) },
  until: deadline === null ? null : wall(deadline),
});

export function handoverStatus({ state }: Service): HandoverStatus | null {
  if (state.name !== 'handover') return null;
  const { successor, generation, phase } = state;
  return { pid: successor?.pid ?? null, generation, phase, text: phaseText(state) };
}

export const watchdogStatus = ({ watchdog }: Service, wall: Wall): WatchdogStatus | null =>
  watchdog === null ? null : { period: watchdog.period, due: wall(watchdog.due) };

export const reloadingStatus = ({ reloading }: Service, wall: Wall): ReloadingStatus | null =>
  reloading === null
    ? null
    : {
        since: wall(reloading.since),
        until: reloading.deadline === null ? null : wall(reloading.deadline),
      };
