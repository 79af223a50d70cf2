// Vocabulary: a heartbeat as the operator wrote it (product.md 2.7), with its defaults. What was answered and what follows from
// it is in beat.ts and answer.ts.

import type { Command } from './command.js';
import type { Question } from './question.js';
import type { Millis } from './time.js';

export interface HeartbeatSpec {
  /** Unique within the service; the kind of the question where there is only one. */
  readonly name: string;
  readonly question: Question;
  readonly every: Schedule;
  readonly timeout: Millis;
  /** From the start of the process; failures do not count so long, unless it was good before. */
  readonly grace: Millis;
  readonly fails: Fails;
  readonly then: Reaction;
  /** Who asks. null: the service's own user, unless that is root; else nobody. */
  readonly user: string | null;
  readonly group: string | null;
}

export type Schedule =
  | { readonly type: 'interval'; readonly every: Millis }
  /** Local time, by the wall clock. */
  | { readonly type: 'cron'; readonly expression: string };

/** So many of the last `of` answers; equal: in a row. Questions that could not be asked are no answers. */
export interface Fails {
  readonly count: number;
  readonly of: number;
}

export type Reaction =
  | { readonly type: 'restart' }
  | { readonly type: 'notice' }
  /** Down until somebody starts it. */
  | { readonly type: 'stop' }
  | { readonly type: 'exec'; readonly command: Command };

/** `3 times in a row`, `3 of 5 times`. */
export const failsInWords = ({ count, of }: Fails): string =>
  count === 1 ? 'once' : count === of ? `${count} times in a row` : `${count} of ${of} times`;
