// What the heartbeats of a service say against it, for the record of its end. Pure; asks nobody.

import { healthyTime } from './beat.js';
import type { Ailment } from './death.js';
import { specOf } from './heartbeats-of.js';
import { isOutput } from './question-text.js';
import type { Service } from './state.js';
import type { Millis } from './time.js';

/** A record holds no more answers than these: who looks for the others has the history. */
const mostAnswers = 5;

export function ailmentOf(service: Service): Ailment | null {
  const found = decisive(service).find(({ beat: { verdict, acted } }) => verdict === 'failing' && acted === 'yes');
  if (found === undefined) return null;
  const { beat, heartbeat } = found;
  const answers = beat.answers.slice(-Math.min(heartbeat.fails.of, mostAnswers));
  return { heartbeat: beat.name, kind: heartbeat.question.kind, answers };
}

/** Those whose failures end it. What is only told of says nothing about whether it is worth starting again. */
function decisive(service: Service) {
  return service.health.flatMap((beat) => {
    const heartbeat = specOf(service, beat.name);
    const isDecisive = heartbeat?.then.type === 'restart' || heartbeat?.then.type === 'stop';
    return isDecisive ? [{ beat, heartbeat }] : [];
  });
}

/** Its name, and what it said last: `http (500 instead of 200-399)`. What a program printed is not for everybody who reads of an end. */
export function ailment(service: Service): string | null {
  const found = ailmentOf(service);
  if (found === null) return null;
  const last = isOutput(found) ? undefined : found.answers.findLast(({ result }) => result === 'failed');
  return `${found.heartbeat}${last === undefined ? '' : ` (${last.detail})`}`;
}

/** How long it did its work; null: as long as it ran, as far as anybody has asked. */
export function healthyFor(service: Service): Millis | null {
  return decisive(service).reduce<Millis | null>((shortest, { beat }) => {
    const time = healthyTime(beat);
    return time !== null && (shortest === null || time < shortest) ? time : shortest;
  }, null);
}
