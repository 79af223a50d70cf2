// What a heartbeat remembers, as a test wants it: a letter for each answer, oldest first.

import { type Beat, beginBeat } from '../../src/core/beat.js';
import type { HeartbeatSpec } from '../../src/core/heartbeat.js';
import type { Answer } from '../../src/core/question.js';
import { instant, type Millis, type Moment, millis, wallTime } from '../../src/core/time.js';

const results: Readonly<Record<string, Answer>> = {
  '.': { result: 'good', ms: millis(3.14), detail: 'connected' },
  X: { result: 'failed', ms: millis(5000), detail: 'no answer within 5 s' },
  '?': { result: 'unasked', ms: millis(12), detail: 'localhost does not resolve' },
};

function answerFor(letter: string): Answer {
  const answer = results[letter];
  if (answer === undefined) throw new Error(`${letter} is no answer`);
  return answer;
}

/** Asked every ten seconds, the last time a second ago. `bar`: like `..X?`. */
export function beatOf(
  spec: HeartbeatSpec,
  bar: string,
  now: { readonly instant: number; readonly wall: number },
  wish: Partial<Beat> = {},
): Beat {
  const at: Moment = {
    instant: instant(now.instant),
    wall: wallTime(now.wall),
    random: 0,
    host: 'up',
    steadySince: instant(0),
  };
  const letters = [...bar];
  const answers = letters.map((letter, index) => ({
    ...answerFor(letter),
    time: wallTime(now.wall - 1000 - (letters.length - 1 - index) * 10_000),
  }));
  const isUnasked = bar.endsWith('?');
  return {
    ...beginBeat(spec, undefined, instant(now.instant - 300_000), 0, at),
    due: instant(now.instant + 9000),
    verdict: bar.endsWith('X') ? 'failing' : bar.includes('.') ? 'ok' : 'unknown',
    acted: bar.endsWith('X') ? 'yes' : 'no',
    ailing: bar.endsWith('X') ? { since: instant(now.instant - 180_000), incident: 'mibhk0003' } : null,
    unaskedSince: isUnasked ? instant(now.instant - minute) : null,
    answers,
    ...wish,
  };
}

const minute: Millis = millis(60_000);
