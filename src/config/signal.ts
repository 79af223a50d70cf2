// Signals and exit codes as they are named in the configuration.

import { type SignalName, signalNames } from '../core/process.js';
import type { ExitSelector } from '../core/spec.js';
import { leafShape, type Shape } from './shape.js';
import { didYouMean } from './suggest.js';

// glibc has 31 of them, from 34 to 64.
const REAL_TIME = /^SIGRT(?:MIN(?:\+(?:[1-9]|[12]\d|30))?|MAX(?:-(?:[1-9]|[12]\d|30))?)$/;

const isListed = (text: string): boolean => signalNames.some((name) => name === text);

/** Is this the name of a signal, spelt as it is in signal(7)? */
const isSignalName = (text: string): text is SignalName => isListed(text) || REAL_TIME.test(text);

/** Does this look like a signal that was meant, rightly spelt or not? `TERM` does; `kill` is a program. */
export const looksLikeSignal = (text: string): boolean => /^sig[a-z0-9+]+$/i.test(text) || isListed(`SIG${text}`);

export const signal: Shape<SignalName> = leafShape(
  'a signal like SIGTERM',
  { anyOf: [{ enum: signalNames }, { type: 'string', pattern: REAL_TIME.source }] },
  (text) => (isSignalName(text) ? { type: 'ok', value: text } : { type: 'bad', problem: unknownSignal(text) }),
);

/** An exit code or a signal, for the lists of `restart`. */
export const exitSelector: Shape<ExitSelector> = leafShape<ExitSelector>(
  'an exit code from 0 to 255 or a signal like SIGTERM',
  { anyOf: [{ type: 'integer', minimum: 0, maximum: 255 }, signal.schema] },
  (text) => {
    if (isSignalName(text)) return { type: 'ok', value: { type: 'signal', signal: text } };
    const isCode = /^\d+$/.test(text) && Number(text) <= 255;
    if (isCode) return { type: 'ok', value: { type: 'code', code: Number(text) } };
    const isNumber = /^-?\d+$/.test(text);
    return { type: 'bad', problem: isNumber ? 'is no exit code; they go from 0 to 255' : unknownSignal(text) };
  },
);

function unknownSignal(text: string): string {
  const upper = text.toUpperCase();
  const hint = didYouMean(upper.startsWith('SIG') ? upper : `SIG${upper}`, signalNames);
  return hint === '' ? 'is no signal; write one like SIGTERM' : `is no signal${hint}`;
}
