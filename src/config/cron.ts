// Cron expressions: what is wrong with one, and when one comes next by the clock on the wall. The only home of croner. Knows
// neither keys nor services; the kernel is given `nextTime` by whoever composes.

import { Cron } from 'croner';
import { type WallTime, wallTime } from '../core/time.js';
import type { Parsed } from './quantity.js';

// As Vixie cron has it where clocks are changed: a time of day that is left out comes at the end of the gap, one that comes
// twice is met once; what comes every so many minutes goes on as it was.
const parse = (expression: string): Cron =>
  new Cron(expression, { paused: true, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' });

const FIELDS = [
  ['second', 'from 0 to 59'],
  ['minute', 'from 0 to 59'],
  ['hour', 'from 0 to 23'],
  ['day of the month', 'from 1 to 31'],
  ['month', 'from 1 to 12, or names like JAN'],
  ['day of the week', 'from 0 to 7, or names like MON'],
] as const;

/** Looks like an expression, right or wrong, and not like a duration. */
export const isCron = (text: string): boolean => /\s/.test(text.trim()) || text.startsWith('@');

/** The first time after that one, to the second, in the time zone of this process; null: it never comes, or is no expression. */
export function nextTime(expression: string, after: WallTime): WallTime | null {
  try {
    const next = parse(expression).nextRun(new Date(after));
    return next === null ? null : wallTime(next.getTime());
  } catch {
    return null;
  }
}

/** An expression of five fields, of six with seconds before them, or a word like @hourly. */
export function parseCron(text: string): Parsed<string> {
  try {
    // Any moment will do: what comes at all comes again within a few years.
    if (parse(text).nextRun(new Date(0)) !== null) return { type: 'ok', value: text.trim() };
    return { type: 'bad', problem: 'never comes: no month has such a day' };
  } catch {
    return whatIsWrong(text);
  }
}

function whatIsWrong(text: string): Parsed<never> {
  if (text.startsWith('@'))
    return { type: 'bad', problem: 'is unknown; write @hourly, @daily, @weekly, @monthly, @yearly or five fields' };
  const parts = [...text.matchAll(/\S+/g)];
  if (parts.length !== 5 && parts.length !== 6) {
    const fields = 'minute, hour, day of the month, month and day of the week';
    return { type: 'bad', problem: `has ${parts.length} fields; write five (${fields}), or six with the second first` };
  }
  const named = FIELDS.slice(FIELDS.length - parts.length);
  const at = parts.findIndex((part, index) => !isRight(named.map((_, other) => (other === index ? part[0] : '*'))));
  const [name, range] = named[at] ?? ['field', 'as cron(5) says'];
  const part = parts[at];
  return {
    type: 'bad',
    problem: `has ${JSON.stringify(part?.[0] ?? text)} as its ${name}; it goes ${range}, as in 5, 1-5, 1,3 or */2`,
    ...(part === undefined ? {} : { offset: part.index }),
  };
}

function isRight(fields: readonly string[]): boolean {
  try {
    parse(fields.join(' '));
    return true;
  } catch {
    return false;
  }
}
