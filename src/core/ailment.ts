// What the heartbeats of a service say against it, for the record of its end. Pure; asks nobody.

import { healthyTime } from './beat.js';
import type { Service } from './state.js';
import type { Millis } from './time.js';

/** The heartbeat for which it is being stopped, and what that said last: `http (500 instead of 200-399)`. */
export function ailment({ health }: Service): string | null {
  const beat = health.find(({ verdict, acted }) => verdict === 'failing' && acted === 'yes');
  const last = beat?.answers.findLast(({ result }) => result === 'failed');
  return beat === undefined ? null : `${beat.name}${last === undefined ? '' : ` (${last.detail})`}`;
}

/** How long it did its work; null: as long as it ran, as far as anybody has asked. */
export function healthyFor({ health }: Service): Millis | null {
  return health.reduce<Millis | null>((shortest, beat) => {
    const time = healthyTime(beat);
    return time !== null && (shortest === null || time < shortest) ? time : shortest;
  }, null);
}
