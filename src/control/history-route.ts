// GET /v1/history: asks the history, and where that is wanted again and again until there is an answer. Knows no HTTP beyond
// the query; where the entries are kept is behind the function that it is given.

import type { Answer, Question } from '../core/history.js';
import { type HistoryDocument, historyDocument } from '../core/history-view.js';
import { ControlError } from './control-error.js';
import { parseHistoryQuery } from './history-query.js';

export interface HistoryRouteParts {
  /** Never rejects. */
  readonly history: (question: Question) => Promise<Answer>;
}

export class HistoryRoute {
  readonly #parts: HistoryRouteParts;
  readonly #waiting = new Set<() => void>();
  /** Counts what was recorded: something may be between a question and the moment when its answer is found to be empty. */
  #recorded = 0;
  #life: 'open' | 'leaving' = 'open';

  constructor(parts: HistoryRouteParts) {
    this.#parts = parts;
  }

  /** `gone`: aborted when nobody waits for the answer any more. Throws a ControlError. */
  async answer(query: URLSearchParams, details: 'yes' | 'no', gone: AbortSignal): Promise<HistoryDocument> {
    const { question, wait } = parseHistoryQuery(query, Date.now());
    const until = performance.now() + wait;
    for (;;) {
      const recorded = this.#recorded;
      const answer = await this.#parts.history(question);
      if (answer.type === 'unavailable') throw new ControlError(503, 'history-unavailable', answer.problem);
      const isLate = performance.now() >= until || this.#life === 'leaving';
      if (answer.entries.length > 0 || isLate) return historyDocument(answer, details);
      if (recorded === this.#recorded) await this.#next(until - performance.now(), gone);
      // Nobody reads what would be found.
      if (gone.aborted) return historyDocument(answer, details);
    }
  }

  /** The history has more than before. */
  recorded(): void {
    this.#recorded += 1;
    this.#wake();
  }

  /** Whoever waits is answered with what there is, and from now on nobody waits. */
  release(): void {
    this.#life = 'leaving';
    this.#wake();
  }

  /** It may be waited again: the keeper stays after all. */
  resume(): void {
    this.#life = 'open';
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #next(within: number, gone: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        gone.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, within);
      gone.addEventListener('abort', done);
      this.#waiting.add(done);
    });
  }
}
