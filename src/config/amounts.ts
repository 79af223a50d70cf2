// The shapes of amounts and names that many keys share.

import type { Millis } from '../core/time.js';
import { parseCron } from './cron.js';
import { parseBits, parseDuration, parsePercent, parseRate, parseSize } from './quantity.js';
import { amount, describedAs, leafShape, orNone, type Shape, word } from './shape.js';

const anyDuration = amount(
  'a duration like 500ms, 5s or 1h30m',
  '^(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?$',
  parseDuration,
);

/** A length of time that has an end. */
export const duration: Shape<Millis> = {
  ...anyDuration,
  read: (tree, reading) => {
    if (tree.type === 'leaf' && tree.text === 'none') {
      reading.problems.report(tree.at, reading.key, 'found "none", but it needs a length; write one like 5s, or 0s');
      return undefined;
    }
    return anyDuration.read(tree, reading);
  },
};

/** A time that comes again, by the clock on the wall. */
export const cron: Shape<string> = amount(
  'a cron expression like "0 4 * * 0"',
  '^(@[a-z]+|\\S+(\\s+\\S+){4,5})$',
  parseCron,
);

/** null: for ever. */
export const durationOrNone: Shape<Millis | null> = orNone(anyDuration);

export const size: Shape<number> = describedAs(
  amount('a size like 64K, 10M or 2G', '^\\d+[KMGT]?$', parseSize),
  'a size like 64K, 10M or 2G',
  { type: ['string', 'integer'], pattern: '^\\d+[KMGT]?$', minimum: 0 },
);

/** null: no limit. */
export const sizeOrNone: Shape<number | null> = orNone(size);

export const rateOrNone = orNone(amount('a rate like 10 in 5m', '^\\d+ +in +\\S+$', parseRate));

export const percent: Shape<number> = amount('a percentage like 10%', '^\\d+(\\.\\d+)?%$', parsePercent);

/** Octal, as written: 022 is 022 with and without quotes. */
export const bits: Shape<number> = describedAs(
  amount('permission bits in octal like 022', '^[0-7]{3,4}$', parseBits),
  'permission bits in octal like 022',
  { type: ['string', 'integer'], pattern: '^[0-7]{3,4}$' },
);

/** A user or group: a name, or its number. */
export const account: Shape<string> = word(
  'the name of an account, or its number',
  /^(?:[A-Za-z_][A-Za-z0-9_.-]*\$?|\d{1,10})$/,
);

/** A number of at least this, fractions too. */
export const number = (least: number, most: number): Shape<number> =>
  leafShape(`a number from ${least} to ${most}`, { type: 'number', minimum: least, maximum: most }, (_text, leaf) =>
    typeof leaf.value === 'number' && leaf.value >= least && leaf.value <= most
      ? { type: 'ok', value: leaf.value }
      : { type: 'bad', problem: `does not fit; write a number from ${least} to ${most}` },
  );
