// What the history answers, and the question that its thread is given; the entries come with a job of the thread's own.

import type { Answer, Question } from '../core/history.js';

/** What came of entries that were given to the history. */
export type Appended =
  /** On disk, as far as a keeper that is killed can take it back. */
  | { readonly type: 'kept' }
  /** The disk is full, or will not have them for another reason: to be given again later. */
  | { readonly type: 'later'; readonly problem: string }
  /** This host has no SQLite: giving them again would not help. */
  | { readonly type: 'never'; readonly problem: string };

export interface AskJob {
  readonly type: 'ask';
  readonly key: string;
  readonly lasts: 'once';
  /** Stands in the answer. */
  readonly id: number;
  readonly question: Question;
}

export interface Answered {
  readonly type: 'answered';
  readonly id: number;
  readonly answer: Answer;
}

/** The key is its own, so that no question replaces another that waits. */
export const askJob = (id: number, question: Question): AskJob => ({
  type: 'ask',
  key: `ask ${id}`,
  lasts: 'once',
  id,
  question,
});
