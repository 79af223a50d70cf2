// A comparison with an amount, like "< 1G": what is good of something that is measured.

import type { Threshold } from '../core/question.js';
import { type Parsed, parseDuration, parseSize } from './quantity.js';
import { leafShape, type Shape } from './shape.js';

const threshold = (example: string, amount: string, parse: (text: string) => Parsed<number>): Shape<Threshold> => {
  const write = `a comparison with ${amount}, like "${example}"`;
  return leafShape<Threshold>(write, { type: 'string', pattern: '^[<>]=?\\s*\\S+$' }, (text) => {
    const match = /^([<>]=?)\s*(\S+)$/.exec(text);
    if (match === null) return { type: 'bad', problem: `is no comparison; write one like "${example}"` };
    const than = parse(match[2] ?? '');
    if (than.type === 'bad')
      return { type: 'bad', problem: `cannot be compared with, for ${match[2]} ${than.problem}` };
    return { type: 'ok', value: { is: match[1] as Threshold['is'], than: than.value } };
  });
};

function parseNumber(text: string): Parsed<number> {
  return /^\d+$/.test(text) ? { type: 'ok', value: Number(text) } : { type: 'bad', problem: 'is no whole number' };
}

/** Of one processor, so more than 100% may be meant. */
function parseShare(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text);
  return match === null
    ? { type: 'bad', problem: 'is no percentage; write one like 90%' }
    : { type: 'ok', value: Number(match[1]) };
}

export const sizeThreshold = threshold('< 1G', 'a size', parseSize);
export const durationThreshold = threshold('< 10m', 'a duration', parseDuration);
export const numberThreshold = threshold('< 500', 'a number', parseNumber);
export const percentThreshold = threshold('< 90%', 'a percentage', parseShare);
