// Vocabulary: what happened, for the log, the history, notices and those who wait. Core value plus the stamp of the step.

import type { Death, Sender } from './death.js';
import type { Role } from './effect.js';
import type { Verb } from './event.js';
import type { Fight } from './fight.js';
import type { Fails, Reaction } from './heartbeat.js';
import type { ProcessRef, SignalName } from './process.js';
import type { QuestionKind } from './question.js';
import type { ServiceName } from './spec.js';
import type { Failure, LaunchReason, StateName, StopReason, WaveId } from './state.js';
import type { Millis, WallTime } from './time.js';

/** A transition that happened. `from` and `to` may be equal where something happened inside a state. */
export interface Change {
  readonly service: ServiceName;
  readonly time: WallTime;
  readonly generation: number;
  readonly from: StateName;
  readonly to: StateName;
  /** The wave that it belongs to; null: none. */
  readonly wave: WaveId | null;
  readonly what: What;
}

export type What =
  | { readonly type: 'adopted'; readonly process: ProcessRef }
  | { readonly type: 'found'; readonly process: ProcessRef }
  | { readonly type: 'launched'; readonly process: ProcessRef }
  | { readonly type: 'starting'; readonly why: LaunchReason }
  | { readonly type: 'ready'; readonly process: ProcessRef; readonly took: Millis }
  | { readonly type: 'died'; readonly death: Death; readonly next: Next }
  | { readonly type: 'startFailed'; readonly death: Death; readonly next: Next }
  | { readonly type: 'failed'; readonly failure: Failure; readonly next: Next }
  /** Somebody stops again and again what we start. `again`: it was said before. */
  | { readonly type: 'fight'; readonly told: 'first' | 'again'; readonly fight: Fight; readonly next: Next }
  | { readonly type: 'fightEnded'; readonly fight: Fight; readonly peace: Millis }
  /** A watched daemon is now another process, without having been down. */
  | { readonly type: 'handedOver'; readonly from: ProcessRef; readonly to: ProcessRef }
  /** It came back without us (within `settle`, or while failed or stopped). */
  | { readonly type: 'cameBack'; readonly process: ProcessRef }
  /** Its end, or the request to it, moves others. `spares`: those that it would move, and why it does not. */
  | { readonly type: 'waved'; readonly moves: readonly ServiceName[]; readonly spares: readonly Spared[] }
  /** It would start, and waits for these. */
  | { readonly type: 'waits'; readonly for: readonly ServiceName[] }
  /** Its condition says no. */
  | { readonly type: 'skipped'; readonly reason: string }
  /** A oneshot has done its work. */
  | { readonly type: 'done'; readonly took: Millis }
  /** A hook failed where that stops nothing: before or after a stop. `reason` begins with its name. */
  | { readonly type: 'hookFailed'; readonly hook: Role; readonly reason: string }
  /** A rolling restart goes no further: this member was to follow. */
  | { readonly type: 'rollEnded'; readonly reason: string }
  /** A heartbeat has failed so often that something is done about it. */
  | {
      readonly type: 'unhealthy';
      readonly heartbeat: string;
      readonly asked: Asked;
      /** The last answer; null: it is not for whoever reads this. */
      readonly detail: string | null;
      readonly fails: Fails;
      readonly then: Reaction['type'];
      /** Stands in every message about this, also about the restart that follows. */
      readonly incident: string;
    }
  /** It is good again, without a restart. */
  | { readonly type: 'healthy'; readonly heartbeat: string; readonly after: Millis; readonly incident: string }
  /** A heartbeat could not be asked; told once, until it could. */
  | {
      readonly type: 'unasked';
      readonly heartbeat: string;
      readonly asked: Asked;
      /** null: it is not for whoever reads this. */
      readonly reason: string | null;
    }
  | { readonly type: 'askable'; readonly heartbeat: string; readonly after: Millis }
  /** The command that stands for a failed heartbeat has run; `problem` null: it succeeded. */
  | { readonly type: 'reacted'; readonly heartbeat: string; readonly problem: string | null }
  /** A new generation is being started beside the old one. */
  | { readonly type: 'handingOver'; readonly why: StopReason; readonly generation: number }
  /** How far that is. */
  | {
      readonly type: 'handoverPhase';
      readonly phase: 'launched' | 'transfer' | 'received' | 'ready';
      readonly process: ProcessRef | null;
      readonly bytes: number | null;
    }
  /** The new generation serves. `took`: from the beginning; `still`: how long the old one stood still for its state. */
  | { readonly type: 'committed'; readonly from: ProcessRef; readonly to: ProcessRef; readonly took: Millis }
  /** It came to nothing: the old generation goes on. */
  | { readonly type: 'handoverRefused'; readonly reason: string; readonly process: ProcessRef | null }
  /** An old generation has ended. `cut`: its time was over. */
  | {
      readonly type: 'drained';
      readonly process: ProcessRef;
      readonly generation: number;
      readonly took: Millis;
      readonly cut: 'yes' | 'no';
    }
  /** It has not said in time that it lives. */
  | { readonly type: 'watchdogMissed'; readonly period: Millis; readonly how: 'silence' | 'trigger' }
  /** It named another process of it as the main one. */
  | { readonly type: 'mainChanged'; readonly from: ProcessRef; readonly to: ProcessRef }
  /** Somebody has connected to a socket for which it had not been started yet. */
  | { readonly type: 'connected' }
  | { readonly type: 'ambiguous'; readonly pids: readonly number[] }
  | { readonly type: 'unseen'; readonly reason: string }
  | { readonly type: 'stopping'; readonly why: StopReason }
  | { readonly type: 'escalated'; readonly signal: SignalName }
  | { readonly type: 'stuck'; readonly reason: string }
  | { readonly type: 'stopped' }
  | { readonly type: 'asked'; readonly verb: Verb; readonly by: Sender | null; readonly reason: string | null }
  | { readonly type: 'refused'; readonly verb: Verb; readonly reason: string }
  | { readonly type: 'overrideEnded' }
  | { readonly type: 'holdEnded' }
  | { readonly type: 'reloaded' }
  | { readonly type: 'reloadFailed'; readonly reason: string }
  | { readonly type: 'signaled'; readonly signal: SignalName }
  | { readonly type: 'specChanged'; readonly effect: 'none' | 'live' | 'restart' | 'start' | 'stop' }
  | { readonly type: 'removed' }
  | { readonly type: 'pidFileRefused'; readonly reason: string };

/** What a heartbeat asks, in words; null: they are a command line, and that is not for whoever reads this. */
export interface Asked {
  readonly kind: QuestionKind;
  readonly text: string | null;
}

/** A service that a wave leaves alone. */
export interface Spared {
  readonly service: ServiceName;
  readonly why: 'hold' | 'down';
}

/** What comes next by itself. */
export type Next =
  | { readonly type: 'start' }
  | { readonly type: 'wait'; readonly for: Millis }
  | { readonly type: 'slow'; readonly in: Millis }
  | { readonly type: 'settle'; readonly for: Millis }
  /** Its afterStop commands come first. */
  | { readonly type: 'hooks' }
  /** It starts when these are ready. */
  | { readonly type: 'others'; readonly names: readonly ServiceName[] }
  | { readonly type: 'nothing'; readonly why: string };
