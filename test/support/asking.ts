// What a kind of question is given when it is asked in a test, and the steps that it went through.

import type { Asking } from '../../src/heartbeats/kind.js';

export interface TriedAsking extends Asking {
  /** `connect`, or with what came of the step before it: `connect <127.0.0.1>` */
  readonly steps: readonly string[];
  /** How many bytes have come. */
  readonly heard: () => number;
  /** Its deadline passes. */
  readonly end: () => void;
}

export function anAsking(word = 'secret'): TriedAsking {
  const controller = new AbortController();
  const steps: string[] = [];
  let heard = (): number => 0;
  return {
    signal: controller.signal,
    begin: (step, detail) => steps.push(detail === undefined ? step : `${step} <${detail}>`),
    hears: (bytes) => {
      heard = bytes;
    },
    heard: () => heard(),
    secret: () => word,
    steps,
    end: () => controller.abort(new Error('the deadline has passed')),
  };
}
