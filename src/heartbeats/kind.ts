// What every kind of question is: a function from what is asked to what was found. It runs inside an asker, with the rights of
// the user who asks. Owns no socket and no timer: each kind closes what it opened when it is done, however that ends.

import type { Result } from '../core/question.js';
import type { Secret } from '../core/secret.js';

export interface Finding {
  readonly result: Result;
  /** In a few words: `200`, `refused`, `certificate expired 3 d ago`. The asker cleans and shortens it. */
  readonly detail: string;
}

export const good = (detail: string): Finding => ({ result: 'good', detail });
export const failed = (detail: string): Finding => ({ result: 'failed', detail });
export const unasked = (detail: string): Finding => ({ result: 'unasked', detail });

/** What a kind is given beside its question. */
export interface Asking {
  /** Aborts at the deadline, or when nobody waits for the answer any more: then whatever is open is to be closed at once. */
  readonly signal: AbortSignal;
  /** Says which part of the question begins: `resolve`, `connect`, `tls`, `answer`. Ends the part before; `detail` tells what came of that. A deadline that passes in `resolve`, or in `look` at a file, says nothing about the service. */
  readonly begin: (step: string, detail?: string) => void;
  /** Where the answer comes from now, by the bytes that have come: says of a deadline that passes whether it was met with silence. */
  readonly hears?: (bytes: () => number) => void;
  /** Whose question it is, `SERVICE/HEARTBEAT`: what is kept until the next question is kept by this. Not there: asked once, by hand; nothing is kept. */
  readonly by?: string;
  /** What the keeper has read for us. @throws Error: it could not be read; then nothing can be asked */
  readonly secret: (secret: Secret) => string;
}

/**
 * Asks once. May throw: what an error of the system means is judged in judge.ts, the same for all kinds (refused, reset and the
 * like: failed; no descriptors, no route, no such name: could not ask).
 */
export type Ask<Q> = (question: Q, asking: Asking) => Promise<Finding>;
