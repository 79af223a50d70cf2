// The ports: what the keeper needs from the outside, and what sinks are given. Implementations live in the
// folders of floor 2 and in test/support (the simulation); the contract suites run on both.

import type { Change } from '../core/change.js';
import type { Effect } from '../core/effect.js';
import type { Event } from '../core/event.js';
import type { KeeperWord } from '../core/handover-word.js';
import type { ProcessRef } from '../core/process.js';
import type { ServiceName, ServiceSpec } from '../core/spec.js';
import type { Service, ServiceSet } from '../core/state.js';
import type { Instant, Now } from '../core/time.js';

/** Where facts go. Never throws, never answers, may be called at any time, also while an effect is performed. */
export type Post = (event: Event) => void;

/** Performs the orders of the core on the operating system (or the simulation of one). Never throws: what fails becomes an event. */
export interface Kernel {
  perform(effect: Effect): void;
  /** Closes every descriptor and stops watching; touches no process. */
  close(): void;
}

/** The effects that `readiness/` performs. */
export interface Readiness {
  await(spec: ServiceSpec, process: ProcessRef): void;
  cancel(service: ServiceName): void;
}

export type AskOrder = Extract<Effect, { type: 'ask' }>;

/** The effects that the askers perform. Never throws, never blocks. */
export interface Asking {
  /** Answered by `answered`, at the time-out or little later. */
  ask(order: AskOrder): void;
  /** What is under way for this service is given up, and not answered. */
  stop(service: ServiceName): void;
}

/** The effects that are performed on the hand-over channels of services. Never throws, never blocks. */
export interface Handovers {
  /** Answered by `heard`, at once where nobody can carry it out. */
  export(order: Extract<Effect, { type: 'export' }>): void;
  endExport(service: ServiceName): void;
  /** Said now, or when it connects. */
  say(service: ServiceName, process: ProcessRef, word: KeeperWord): void;
}

/** Both clocks, and one wake-up. */
export interface Clock {
  now(): Now;
  /** Call back once at this instant or soon after it, replacing the wake-up before; null: none. */
  wakeAt(at: Instant | null, callback: () => void): void;
}

/** Keeps what must survive the keeper. */
export interface Journal {
  /** Records these services, and what happened to them, before the effects that need it. Never throws: a journal that cannot be written is reported, keeping goes on. */
  record(services: readonly Service[], removed: readonly ServiceName[], changes: readonly Change[]): void;
}

/** Is told what happened, after it was recorded. Has its own bounded queue: it may neither throw nor block. */
export interface Sink {
  tell(changes: readonly Change[], set: ServiceSet): void;
}

/** A surprise inside the keeper: dropped after this was told. */
export type Report = (problem: string, error: unknown) => void;

/** Where the processes of a service write. */
export interface Outputs {
  /** A descriptor to become 1 and 2 of a process of this service, opened to append; null: /dev/null. Kept open over restarts, so that a start never waits for the disk. Never throws. */
  descriptorFor(spec: ServiceSpec): number | null;
  /** A line of the keeper's own in the service's log would confuse `grep`; marks go to the index only. */
  release(service: ServiceName): void;
}
