// Which other service moved this one at its last end, from what the history has of waves. Knows entries, asks nobody.

import type { What } from './change.js';
import { type Entry, isOfService, type ServiceEntry } from './entry.js';
import { anything, type Question } from './history.js';
import type { Service } from './state.js';
import { inWords, type Now, wallTime } from './time.js';

/** Longer than a service takes to go down. */
const patience = 600_000;
/** An entry is numbered a moment after what it tells of. */
const lag = 1000;
/** Waves of that time; more of them would be one trouble. */
const mostWaves = 50;
/** What is told of one service in one step. */
const mostNews = 12;

/** The waves that may have done it; null: it was not moved by another. */
export function wavesBefore({ lastDeath }: Service): Question | null {
  if (lastDeath?.cause !== 'coupling') return null;
  const { time } = lastDeath;
  return {
    ...anything,
    what: ['waved'],
    since: wallTime(time - patience),
    until: wallTime(time + lag),
    most: mostWaves,
  };
}

/** The one that did it, the latest of `entries`. */
export function waveAmong({ spec }: Service, entries: readonly Entry[]): ServiceEntry | null {
  const waves = entries.filter(isOfService);
  const isIt = ({ what }: ServiceEntry['news']['change']): boolean =>
    what.type === 'waved' && what.moves.includes(spec.name);
  return waves.findLast(({ news }) => isIt(news.change)) ?? null;
}

/** What happened to the service that began it. */
export const beginningOf = ({ news, time }: ServiceEntry): Question => ({
  ...anything,
  services: [news.change.service],
  until: wallTime(time + 1),
  most: mostNews,
});

/** `db moved it 3 s ago: db is not running, restarting: killed by SIGKILL`. */
export function movedSentence(wave: ServiceEntry, entries: readonly Entry[], now: Now): string {
  const cause = entries.filter(isOfService).findLast(({ news }) => isCause(news.change.what));
  const line = cause?.news.about.line ?? null;
  const ago = inWords(now.wall - wave.time);
  return `${wave.news.change.service}, with which it is coupled, moved it ${ago} ago${line === null ? '' : `: ${line}`}`;
}

function isCause({ type }: What): boolean {
  return type === 'died' || type === 'startFailed' || type === 'asked' || type === 'specChanged' || type === 'reloaded';
}
