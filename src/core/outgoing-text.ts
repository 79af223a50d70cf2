// Generations that serve no more, for people: as a clause for tables and cards, and as sentences. Pure.

import { listOf } from './message.js';
import type { Outgoing, Service } from './state.js';
import { elapsed, inWords, type Now } from './time.js';

/** `pid 812 finishes what it has begun`; null: none does. */
export function outgoingClause({ draining }: Pick<Service, 'draining'>): string | null {
  const pids = draining.filter(({ why }) => why === 'drained').map(({ process }) => String(process.pid));
  if (pids.length === 0) return null;
  return pids.length === 1
    ? `pid ${pids[0]} finishes what it has begun`
    : `pids ${listOf(pids)} finish what they have begun`;
}

export const outgoingSentences = ({ draining }: Service, now: Now): readonly string[] =>
  draining.map((one) => outgoingSentence(one, now));

function outgoingSentence({ process, generation, since, why, phase, deadline }: Outgoing, now: Now): string {
  const who = `process ${process.pid} (generation ${generation})`;
  const ago = inWords(elapsed(since, now.instant));
  if (phase === 'rest') return `${who} has ended, and what is left of it is being ended`;
  if (phase === 'ending' || phase === 'killing')
    return why === 'refused'
      ? `${who} was to take over, does not, and is being ended`
      : `the time of ${who} to finish is over, and it is being ended`;
  if (why === 'own') return `${who} has named its successor ${ago} ago, and ends when it likes`;
  const end =
    deadline === null ? 'it may take as long as it likes' : `it is ended in ${inWords(deadline - now.instant)}`;
  return `${who} serves no more, and has been finishing what it had begun for ${ago}; ${end}`;
}
