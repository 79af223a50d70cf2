// The last attempt to replace a service that runs, where it came to nothing: from what the history has of it. Knows entries,
// asks nobody.

import { type Entry, isOfService } from './entry.js';
import { anything, type Question } from './history.js';
import type { Service } from './state.js';
import { elapsedOnWall, inWords, type Now, wallTime } from './time.js';

/** Attempts on this very process; null: there can be none. */
export function attemptsOn({ spec, state }: Service, now: Now): Question | null {
  if (state.name !== 'running' || spec.kind.type !== 'supervised' || spec.notifyAccess === 'none') return null;
  const since = wallTime(now.wall - (now.instant - state.since));
  return { ...anything, services: [spec.name], what: ['handoverRefused', 'committed'], since, most: 1 };
}

/** The latest of `entries`; null: it did not come to nothing, or there is none. */
export function refusedSentence(entries: readonly Entry[], now: Now): string | null {
  const latest = entries.filter(isOfService).at(-1);
  const what = latest?.news.change.what;
  if (latest === undefined || what?.type !== 'handoverRefused') return null;
  return `the last attempt to replace it, ${inWords(elapsedOnWall(latest.time, now.wall))} ago, came to nothing: ${what.reason}`;
}
