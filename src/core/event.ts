// Vocabulary: facts that arrive. Past tense. A fact about a process names its whole ProcessRef.

import type { Sender } from './death.js';
import type { Planned, Role } from './effect.js';
import type { ServiceWord } from './handover-word.js';
import type { Notification } from './notification.js';
import type { Look } from './pattern.js';
import type { ExitEvidence, ProcessRef } from './process.js';
import type { Answer } from './question.js';
import type { ServiceName, ServiceSpec } from './spec.js';
import type { Service } from './state.js';
import type { HostPhase, WallTime } from './time.js';

/** A fact about one service. */
export type ServiceEvent =
  /** What was ordered by a `spawn` effect runs. */
  | {
      readonly type: 'spawned';
      readonly service: ServiceName;
      readonly role: Role;
      readonly generation: number;
      readonly process: ProcessRef;
    }
  /** It could not be started, or (errno LOST) what had been ordered is not there any more: fork or exec failed, the user does not exist, its directory is missing. */
  | {
      readonly type: 'spawnFailed';
      readonly service: ServiceName;
      readonly role: Role;
      readonly generation: number;
      readonly errno: string;
      readonly detail: string;
    }
  /** A process that we spawned, adopted or follow is gone. `away`: it ended while no keeper was there. */
  | {
      readonly type: 'exited';
      readonly service: ServiceName;
      readonly process: ProcessRef;
      readonly evidence: ExitEvidence;
      readonly away: 'yes' | 'no';
    }
  /** The answer to a `look`, and again whenever it changes while seeking. Never older than the last order: one of before is not answered any more. */
  | { readonly type: 'looked'; readonly service: ServiceName; readonly look: Look }
  /** The probe of `awaitReady` succeeded for this process. */
  | { readonly type: 'becameReady'; readonly service: ServiceName; readonly process: ProcessRef }
  /** Nothing is left of the group or cgroup of this dead main process. */
  | { readonly type: 'emptied'; readonly service: ServiceName; readonly process: ProcessRef }
  /** The answer to `prepare`: null, or why its start cannot go on. */
  | {
      readonly type: 'prepared';
      readonly service: ServiceName;
      readonly generation: number;
      readonly problem: string | null;
    }
  /** The answer to `ask`. */
  | {
      readonly type: 'answered';
      readonly service: ServiceName;
      readonly process: ProcessRef;
      readonly heartbeat: string;
      readonly question: number;
      readonly answer: Answer;
    }
  /** The answer to `react`: null, or what went wrong with the command. */
  | {
      readonly type: 'reacted';
      readonly service: ServiceName;
      readonly heartbeat: string;
      readonly problem: string | null;
    }
  /** The answer to `plan`: the next time after that; null: there is none. */
  | {
      readonly type: 'planned';
      readonly service: ServiceName;
      readonly what: Planned;
      readonly expression: string;
      readonly next: WallTime | null;
    }
  /** A message of sd_notify that somebody sent to the address of this service. */
  | {
      readonly type: 'notified';
      readonly service: ServiceName;
      readonly sender: Speaker;
      readonly says: Notification;
      /** The descriptors that came with it, until a `keep` names them; null: none. They are closed when nobody has claimed them in the same turn. */
      readonly batch: number | null;
    }
  /** A word of a generation on its hand-over channel. */
  | {
      readonly type: 'heard';
      readonly service: ServiceName;
      readonly process: ProcessRef;
      readonly word: ServiceWord;
    }
  /** The answer to `awaitConnection`: somebody wants it. */
  | { readonly type: 'connected'; readonly service: ServiceName }
  /** The answer to `seekSuccessor`: the process that its pid file names and that was born of it; null: there is none. */
  | {
      readonly type: 'succeeded';
      readonly service: ServiceName;
      readonly dead: ProcessRef;
      readonly process: ProcessRef | null;
    }
  /** The deadline of its state, hold or override may have passed: the keeper woke for it. */
  | { readonly type: 'deadlinePassed'; readonly service: ServiceName }
  | { readonly type: 'asked'; readonly service: ServiceName; readonly ask: Ask; readonly by: Sender | null }
  /** The configuration has another definition of it now. */
  | { readonly type: 'changed'; readonly service: ServiceName; readonly spec: ServiceSpec }
  /** The configuration has no such service any more. */
  | { readonly type: 'removed'; readonly service: ServiceName }
  /** The keeper is here (again), and this service is to be looked after from now on. */
  | { readonly type: 'resumed'; readonly service: ServiceName }
  /** The keeper ends and takes its supervised services with it. */
  | { readonly type: 'keeperEnded'; readonly service: ServiceName }
  /** Whether starting is allowed on this host at this time. */
  | { readonly type: 'hostTurned'; readonly service: ServiceName; readonly to: HostPhase };

/** Who sent a message, by the word of the kernel. */
export interface Speaker {
  readonly process: ProcessRef;
  readonly uid: number;
  /** Does it belong to the service: to its control group, its session, or its descendants? */
  readonly isMember: 'yes' | 'no';
  /** The main process of the generation that it belongs to, where that can be told. */
  readonly kinOf: ProcessRef | null;
}

/** A new service came into the set. */
export type AddedEvent = { readonly type: 'added'; readonly service: ServiceName; readonly as: Service };

/** The errno of the `spawnFailed` that answers a `reclaim`: nothing of that order lives. */
export const LOST = 'LOST';

/** Facts that arrived together: what follows from them is drawn once, when all are taken in. At boot, shutdown and apply, and where an operator asks several services. */
export type TogetherEvent = { readonly type: 'together'; readonly events: readonly SingleEvent[] };

export type SingleEvent = ServiceEvent | AddedEvent;

export type Event = SingleEvent | TogetherEvent;

/** What an operator may ask of one service. */
export type Ask =
  | { readonly verb: 'start'; readonly reason: string | null }
  | {
      readonly verb: 'stop';
      readonly reason: string | null;
      readonly until: WallTime | null;
      readonly lasts: 'always' | 'boot';
    }
  | { readonly verb: 'restart'; readonly reason: string | null }
  | { readonly verb: 'reload' }
  | { readonly verb: 'hold'; readonly reason: string | null; readonly until: WallTime | null }
  | { readonly verb: 'unhold' }
  | { readonly verb: 'reset' }
  | { readonly verb: 'signal'; readonly signal: `SIG${string}` };

export type Verb = Ask['verb'];
