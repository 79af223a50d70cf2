// What every channel offers: one letter in, one delivery out. One file a kind. It must not know queues, retries and rules.

import type { Letter } from '../core/notice.js';

export type Delivery =
  /** `answer`: what the other side said, like `250 2.0.0 Ok: queued as 4F2`. */
  | { readonly type: 'delivered'; readonly answer: string }
  /** Not now: away, too slow, out of resources. */
  | { readonly type: 'later'; readonly reason: string }
  /** Never like this: it said no for good, or the channel cannot work as it is configured. */
  | { readonly type: 'refused'; readonly reason: string };

export const later = (reason: string): Delivery => ({ type: 'later', reason });
export const refused = (reason: string): Delivery => ({ type: 'refused', reason });

export interface Sending {
  /** Aborted at the deadline of the letter: whatever was begun is broken off. */
  readonly signal: AbortSignal;
  /** Each thing that is done and said, for `upkeep notice --test`; never a secret. */
  readonly talk: (line: string) => void;
}

/** Delivers a letter. Never throws: what fails is a delivery that did not succeed. */
export type Send = (letter: Letter, sending: Sending) => Promise<Delivery>;
