// Questions to the history that wait for their turn: one at a time goes to the record thread, so that what happened waits for
// one of them at most, however many ask, and what nobody waits for any more is not asked. It must not know the thread.

import type { Answer, Question } from '../core/history.js';

export interface QuestionsParts {
  /** The thread answers by `answered`, or breaks over it: `lost`. */
  readonly ask: (id: number, question: Question) => void;
  /** Milliseconds; a disk that hangs is answered for. */
  readonly patience: number;
}

interface Waiting {
  readonly question: Question;
  readonly done: (answer: Answer) => void;
}

const late: Answer = { type: 'unavailable', problem: 'the disk of the history does not answer' };
const broken: Answer = { type: 'unavailable', problem: 'the record thread broke over this question' };

export class Questions {
  readonly #parts: QuestionsParts;
  /** By their numbers, the oldest first. */
  readonly #waiting = new Map<number, Waiting>();
  /** The one that the thread has, whether somebody still waits for it or not. */
  #asked: number | null = null;
  #last = 0;

  constructor(parts: QuestionsParts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  ask(question: Question): Promise<Answer> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#finish(id, late), this.#parts.patience);
      const done = (answer: Answer): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      this.#waiting.set(id, { question, done });
      this.#next();
    });
  }

  answered(id: number, answer: Answer): void {
    this.#finish(id, answer);
    if (this.#asked === id) this.#asked = null;
    this.#next();
  }

  /** Whichever the thread had will not be answered. */
  lost(): void {
    if (this.#asked !== null) this.answered(this.#asked, broken);
  }

  close(answer: Answer): void {
    for (const id of [...this.#waiting.keys()]) this.#finish(id, answer);
  }

  #finish(id: number, answer: Answer): void {
    this.#waiting.get(id)?.done(answer);
    this.#waiting.delete(id);
  }

  #next(): void {
    const [first] = this.#waiting;
    if (this.#asked !== null || first === undefined) return;
    const [id, { question }] = first;
    this.#asked = id;
    this.#parts.ask(id, question);
  }
}
