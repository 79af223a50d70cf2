// Asks one question once: with one deadline over all of it, its steps recorded, and whatever it throws judged. There is an answer
// by the deadline, also from a kind that never settles. Knows no kind.

import { errorText } from '../core/error-text.js';
import type { Secret } from '../core/notice-spec.js';
import { oneLine } from '../core/one-line.js';
import type { Answer, AskStep } from '../core/question.js';
import { inWords, type Millis, tenths } from '../core/time.js';
import { judge, Verdict } from './judge.js';
import { type Asking, type Finding, unasked } from './kind.js';
import { patience } from './patience.js';
import { recordSteps } from './steps.js';
import { LONGEST_DETAIL } from './wire.js';

export interface Terms {
  readonly timeout: Millis;
  /** Milliseconds on a monotonic clock. */
  readonly now: () => number;
  readonly secret: (secret: Secret) => string;
  /** Takes the secrets out of a text. */
  readonly hide: (text: string) => string;
}

export interface Asked {
  readonly answer: Answer;
  readonly steps: readonly AskStep[];
}

export interface UnderWay {
  /** Never rejects; null: it was cancelled. */
  readonly outcome: Promise<Asked | null>;
  readonly cancel: () => void;
}

export function askOnce(ask: (asking: Asking) => Promise<Finding>, terms: Terms): UnderWay {
  const { timeout, now, secret, hide } = terms;
  const begun = now();
  const steps = recordSteps(now);
  const end = new AbortController();
  let cancel = (): void => undefined;
  const finding = new Promise<Finding | null>((resolve) => {
    let life: 'open' | 'settled' = 'open';
    const giveUp = (stood: number): void => {
      const late = stood > 0 ? unasked(`the asker stood still for ${inWords(stood)}`) : steps.late(timeout);
      end.abort(new Error('its time is over'));
      // What a kind has found out by now may say more, as which of several addresses has answered; not if none was asked yet.
      if (late.result === 'unasked') resolve(late);
      else setImmediate(resolve, late);
    };
    // What has come by now is read first: timers are heard before sockets.
    const stopWaiting = patience(timeout, {
      now,
      onEnd: (stood) => void setImmediate(() => life === 'open' && giveUp(stood)),
    });
    const settle = (found: Finding | null): void => {
      life = 'settled';
      stopWaiting();
      resolve(found);
    };
    cancel = () => {
      settle(null);
      end.abort(new Error('nobody waits for the answer'));
    };
    ask({ signal: end.signal, begin: steps.begin, hears: steps.hears, secret }).then(settle, (error: unknown) => {
      // Then it was told to give up, and has: the deadline says why.
      if (!end.signal.aborted || error instanceof Verdict) settle(meaningOfThrown(error));
    });
  });
  const clean = (text: string): string => oneLine(hide(text), LONGEST_DETAIL);
  const told = (found: Finding | null): Asked | null =>
    found === null
      ? null
      : {
          answer: { result: found.result, ms: tenths(now() - begun), detail: clean(found.detail) },
          steps: steps.all().map((step) => ({ ...step, detail: step.detail === null ? null : clean(step.detail) })),
        };
  return { outcome: finding.then(told), cancel };
}

/** The system's errors have codes; what has none is a mistake of ours, and says nothing about the service. */
const meaningOfThrown = (error: unknown): Finding =>
  error instanceof Verdict || (error instanceof Error && 'code' in error)
    ? judge(error)
    : unasked(`upkeep made a mistake: ${errorText(error)}`);
