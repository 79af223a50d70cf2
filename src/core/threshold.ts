// What was measured against what is wanted: used by every question that ends in numbers. Knows no kind of question.

import type { Answer, Threshold } from './question.js';

export interface Reading {
  readonly value: number;
  /** What it is to a person: `memory 310 MiB`. */
  readonly text: string;
  readonly wanted: Threshold | null;
  /** An amount of it to a person: `1.0 GiB`. */
  readonly inWords: (amount: number) => string;
}

/** Good with everything that was measured, or failed with what is not as wanted. */
export function judgeReadings(readings: readonly Reading[]): Pick<Answer, 'result' | 'detail'> {
  const wrong = readings.flatMap(({ value, text, wanted, inWords }) =>
    wanted === null || isMet(wanted, value) ? [] : [`${text}, wanted ${wanted.is} ${inWords(wanted.than)}`],
  );
  if (wrong.length > 0) return { result: 'failed', detail: wrong.join('; ') };
  return { result: 'good', detail: readings.map(({ text }) => text).join(', ') };
}

export function isMet({ is, than }: Threshold, value: number): boolean {
  switch (is) {
    case '<':
      return value < than;
    case '<=':
      return value <= than;
    case '>':
      return value > than;
    case '>=':
      return value >= than;
  }
}
