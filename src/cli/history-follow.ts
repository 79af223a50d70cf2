// What comes into the history after an entry, as it comes. Every question says what was seen last, and the keeper holds it until it
// knows more: so nothing is missed and nothing comes twice, also when another keeper answers the next one.

import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, call } from '../control/client.js';
import { beforeAll, type HistoryEntry, type HistoryFilter, historyPath, isHistory } from '../control/client-history.js';
import { reasonText } from './keeper-link.js';

export interface Following {
  readonly socket: string;
  readonly filter: HistoryFilter;
  /** The id of the last entry that was seen; null: there was none yet. */
  readonly last: string | null;
  /** What keeps it from going on, once for each time. */
  readonly tell: (sentence: string) => Promise<void>;
  readonly signal: AbortSignal;
}

/** As many as the keeper makes in a moment; a storm comes in several pages. */
const PAGE = 200;
/** How long the keeper holds a question that it has no answer to; a connection that is dead is noticed after it. */
const HOLD_MS = 20_000;
const PATIENCE_MS = HOLD_MS + 10_000;
const AGAIN_MS = 500;

/** Ends with the signal alone. */
export async function* followHistory({ socket, filter, last, tell, signal }: Following): AsyncGenerator<HistoryEntry> {
  let seen = last ?? beforeAll;
  let trouble: string | null = null;
  while (!signal.aborted) {
    const path = historyPath(filter, { most: PAGE, after: seen, wait: HOLD_MS });
    const answer = await call({ socket, method: 'GET', path, patience: PATIENCE_MS, signal });
    if (answer.type === 'ok' && isHistory(answer.body)) {
      trouble = null;
      const { entries, last: newest } = answer.body;
      yield* entries;
      // After a full page there may be more before the newest of all.
      seen = (entries.length < PAGE ? newest : entries.at(-1)?.id) ?? seen;
      continue;
    }
    if (signal.aborted) return;
    const sentence = troubleIn(answer);
    if (sentence !== trouble) await tell(sentence);
    trouble = sentence;
    await pause(AGAIN_MS, undefined, { signal }).catch(() => {});
  }
}

function troubleIn(answer: Answer): string {
  switch (answer.type) {
    case 'ok':
      return 'the keeper speaks another version of the protocol than this program; waiting for one that does not';
    case 'error':
      return `${answer.message}; waiting`;
    case 'no-keeper':
      // What the system says changes while a keeper comes back, and nobody needs to read each of it.
      return /ENOENT|ECONNREFUSED|ECONNRESET|socket hang up/.test(answer.reason)
        ? 'the keeper went away; waiting for it to come back'
        : `the keeper does not answer (${reasonText(answer.reason)}); waiting`;
  }
}
