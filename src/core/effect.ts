// Vocabulary: orders to the outside. Imperative. They never answer: what comes of them returns as an event.

import type { HeartbeatSpec } from './heartbeat.js';
import type { ProcessRef, SignalName } from './process.js';
import type { Command, Leftovers, ServiceName, ServiceSpec } from './spec.js';
import type { WallTime } from './time.js';

/** What a spawned process is for. `main` is the supervised service itself; the others are commands around it. */
export type Role =
  | 'main'
  | 'start'
  | 'stop'
  | 'restart'
  | 'reload'
  | 'condition'
  | 'beforeStart'
  | 'afterStart'
  | 'beforeStop'
  | 'afterStop';

export type Effect =
  /** Start a process for the service. Answered by `spawned` or `spawnFailed`, later `exited`. */
  | {
      readonly type: 'spawn';
      readonly spec: ServiceSpec;
      readonly role: Role;
      /** Which of several commands of that role. */
      readonly hook: number;
      readonly generation: number;
      readonly command: Command;
      /** Variables for this command alone. */
      readonly env: Readonly<Record<string, string>>;
    }
  /** Make the directories of the service, and remove what its `clean` names where no living process of it has that. Answered by `prepared`. */
  | { readonly type: 'prepare'; readonly spec: ServiceSpec; readonly generation: number }
  /** Was this order to spawn carried out? A keeper that died before it could write down the outcome may have left the process behind.
   * Answered by `spawned`, or by `spawnFailed` with the errno LOST: nothing of it lives. */
  | {
      readonly type: 'reclaim';
      readonly spec: ServiceSpec;
      readonly role: Role;
      readonly hook: number;
      readonly generation: number;
    }
  /** Tell when this process, which we did not start in this life of the keeper, ends. Answered by `exited`, at once if it is gone already. */
  | { readonly type: 'follow'; readonly service: ServiceName; readonly process: ProcessRef }
  /** Forget a followed process without touching it. */
  | { readonly type: 'unfollow'; readonly service: ServiceName; readonly process: ProcessRef }
  /** Send a signal, to the process or its whole group, and SIGCONT after it where `thenContinue` says so. */
  | {
      readonly type: 'signal';
      readonly service: ServiceName;
      readonly process: ProcessRef;
      readonly signal: SignalName;
      readonly to: 'main' | 'group';
      readonly thenContinue: 'yes' | 'no';
    }
  /** End what is left of the group or cgroup of a dead (or dying) main process with this signal. Answered by `emptied` once nothing is left; asking again with SIGKILL is fine. */
  | {
      readonly type: 'endRest';
      readonly service: ServiceName;
      readonly process: ProcessRef;
      readonly signal: SignalName;
      readonly policy: Leftovers;
    }
  /** End a helper (a start, stop or reload command) and what it started, except processes that match the pattern of a watched service. */
  | {
      readonly type: 'endHelper';
      readonly service: ServiceName;
      readonly process: ProcessRef;
      readonly spec: ServiceSpec;
    }
  /** Look for the processes of a watched service now. `seek: on`: and go on looking until told `off`. Answered by `looked`. */
  | { readonly type: 'look'; readonly spec: ServiceSpec; readonly seek: 'once' | 'on' }
  | { readonly type: 'stopSeeking'; readonly service: ServiceName }
  /** Begin the probe that decides when this start counts. Answered by `becameReady`, or never. */
  | { readonly type: 'awaitReady'; readonly spec: ServiceSpec; readonly process: ProcessRef }
  | { readonly type: 'stopAwaitingReady'; readonly service: ServiceName }
  /** Ask the service whether it does its work. Answered by `answered`, by the time-out of the heartbeat at the latest. */
  | {
      readonly type: 'ask';
      readonly spec: ServiceSpec;
      readonly heartbeat: HeartbeatSpec;
      readonly process: ProcessRef;
      readonly question: number;
    }
  /** Nobody waits for its answers any longer: what is under way is given up, and not answered. */
  | { readonly type: 'stopAsking'; readonly service: ServiceName }
  /** Run the command that stands for a failed heartbeat. Answered by `reacted`. */
  | {
      readonly type: 'react';
      readonly spec: ServiceSpec;
      readonly heartbeat: string;
      readonly command: Command;
      readonly env: Readonly<Record<string, string>>;
    }
  /** When is it time by this cron expression, after that time? Answered by `planned`. */
  | {
      readonly type: 'plan';
      readonly service: ServiceName;
      readonly what: Planned;
      readonly expression: string;
      readonly after: WallTime;
    };

/** What comes by the calendar: the planned restart, or a heartbeat. */
export type Planned = { readonly type: 'restart' } | { readonly type: 'heartbeat'; readonly name: string };
