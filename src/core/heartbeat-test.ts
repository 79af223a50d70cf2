// What `upkeep test` answers, versioned: the CLI, the control socket and whoever asks it read this.

import type { QuestionKind, Result } from './question.js';
import type { StateName } from './state.js';

export interface TestDocument {
  readonly version: 1;
  readonly service: string;
  readonly state: StateName;
  /** Why nobody asks it at this moment but whoever tests; null: it is asked on its schedule. */
  readonly notAsked: 'not running' | 'on hold' | null;
  readonly answers: readonly TestAnswer[];
}

export interface TestAnswer {
  readonly heartbeat: string;
  readonly kind: QuestionKind;
  /** In words. */
  readonly asks: string;
  readonly result: Result;
  /** Milliseconds. */
  readonly ms: number;
  readonly detail: string;
  /** In their order; the last may have begun and not ended. */
  readonly steps: readonly TestStep[];
}

export interface TestStep {
  readonly name: string;
  readonly ms: number;
  readonly detail: string | null;
}
