// What the heartbeats of a service say against it, for the record of its end. Pure; asks nobody.

import { healthyTime } from './beat.js';
import type { Ailment } from './death.js';
import { isOutput } from './question-text.js';
import type { Service } from './state.js';
import type { Millis } from './time.js';

/** A record holds no more answers than these: who looks for the others has the history. */
const mostAnswers = 5;

export function ailmentOf({ health, spec }: Service): Ailment | null {
  const beat = health.find(({ verdict, acted }) => verdict === 'failing' && acted === 'yes');
  const heartbeat = spec.heartbeats.find(({ name }) => name === beat?.name);
  if (beat === undefined || heartbeat === undefined) return null;
  const answers = beat.answers.slice(-Math.min(heartbeat.fails.of, mostAnswers));
  return { heartbeat: beat.name, kind: heartbeat.question.kind, answers };
}

/** Its name, and what it said last: `http (500 instead of 200-399)`. What a program printed is not for everybody who reads of an end. */
export function ailment(service: Service): string | null {
  const found = ailmentOf(service);
  if (found === null) return null;
  const last = isOutput(found) ? undefined : found.answers.findLast(({ result }) => result === 'failed');
  return `${found.heartbeat}${last === undefined ? '' : ` (${last.detail})`}`;
}

/** How long it did its work; null: as long as it ran, as far as anybody has asked. */
export function healthyFor({ health }: Service): Millis | null {
  return health.reduce<Millis | null>((shortest, beat) => {
    const time = healthyTime(beat);
    return time !== null && (shortest === null || time < shortest) ? time : shortest;
  }, null);
}
