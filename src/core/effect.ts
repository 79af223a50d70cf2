// Vocabulary: orders to the outside. Imperative. They never answer: what comes of them returns as an event.

import type { KeeperWord } from './handover-word.js';
import type { HeartbeatSpec } from './heartbeat.js';
import type { ProcessRef, SignalName } from './process.js';
import type { Command, Leftovers, ServiceName, ServiceSpec } from './spec.js';
import type { Millis, WallTime } from './time.js';

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
  /** Have the old generation write its state, and the new one read it. Answered by `heard`: exported, noState or exportFailed. `to` null: it is kept in a file for the next start. */
  | {
      readonly type: 'export';
      readonly spec: ServiceSpec;
      readonly from: ProcessRef;
      readonly to: ProcessRef | null;
    }
  /** Nothing more of a hand-over under way: what was made for its state is removed. */
  | { readonly type: 'endExport'; readonly service: ServiceName }
  /** Say this on the hand-over channel of that process, where it has one. */
  | { readonly type: 'tell'; readonly service: ServiceName; readonly process: ProcessRef; readonly word: KeeperWord }
  /** Keep the descriptors that came with this message. */
  | {
      readonly type: 'keep';
      readonly spec: ServiceSpec;
      /** Whose they are. */
      readonly process: ProcessRef;
      /** What a `successor` stores beside the main process counts only once it has taken over. */
      readonly as: 'main' | 'successor';
      readonly batch: number;
      readonly name: string;
      readonly poll: 'yes' | 'no';
    }
  /** Keep no longer what has this name. */
  | { readonly type: 'dropKept'; readonly service: ServiceName; readonly name: string }
  /** What this process stored beside the main one counts from now on (`join`), or is closed (`discard`). */
  | {
      readonly type: 'settleKept';
      readonly service: ServiceName;
      readonly process: ProcessRef;
      readonly as: 'join' | 'discard';
    }
  /** Keep nothing for it any longer. */
  | { readonly type: 'emptyStore'; readonly service: ServiceName }
  /** It is down, and to stay so: its sockets are closed, their paths removed; those of a pool when its last member says so. */
  | { readonly type: 'closeSockets'; readonly spec: ServiceSpec }
  /** Tell when somebody connects to one of its lazy sockets. Answered by `connected`. */
  | { readonly type: 'awaitConnection'; readonly spec: ServiceSpec }
  | { readonly type: 'stopAwaitingConnection'; readonly service: ServiceName }
  /** Its main process has ended, and may have left a successor whose pid its pid file names. Looked for so long where somebody is left who could be it. Answered by `succeeded`. */
  | {
      readonly type: 'seekSuccessor';
      readonly spec: ServiceSpec;
      readonly dead: ProcessRef;
      readonly patience: Millis;
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
