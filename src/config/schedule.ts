// When a heartbeat is asked, how many failures count, and what happens then.

import type { Fails, Reaction, Schedule } from '../core/heartbeat.js';
import { millis } from '../core/time.js';
import { duration } from './amounts.js';
import { commandWithin } from './command.js';
import { isCron, parseCron } from './cron.js';
import { parseDuration } from './quantity.js';
import { record, required } from './record.js';
import { complain, leafShape, oneOf, refine, type Shape } from './shape.js';

// More often than twice in a second nobody learns anything, and a thousand services would be asked all the time.
const SHORTEST = millis(500);

export const every: Shape<Schedule> = leafShape<Schedule>(
  'a duration like 30s, or a cron expression like "*/5 * * * *"',
  { type: 'string', minLength: 2 },
  (text) => {
    if (isCron(text)) {
      const cron = parseCron(text);
      return cron.type === 'bad' ? cron : { type: 'ok', value: { type: 'cron', expression: cron.value } };
    }
    const length = parseDuration(text);
    if (length.type === 'bad') return length;
    if (length.value < SHORTEST) return { type: 'bad', problem: 'is too often; write 500ms or more' };
    return { type: 'ok', value: { type: 'interval', every: length.value } };
  },
);

export const timeout = refine(duration, (length, tree, reading) =>
  length > 0 ? length : complain(reading, tree.at, 'found 0s, in which nothing can answer; write a time like 5s'),
);

const MOST = 100;
const FAILS = 'a number like 3, or "3 in a row", or "3 of 5"';

export const fails: Shape<Fails> = leafShape<Fails>(
  FAILS,
  { type: ['integer', 'string'], minimum: 1, maximum: MOST, pattern: '^\\d+( in a row| of \\d+)?$' },
  (text) => {
    const match = /^(\d+)(?: +in +a +row| +of +(\d+))?$/.exec(text);
    if (match === null) return { type: 'bad', problem: `is no number of failures; write ${FAILS}` };
    const count = Number(match[1]);
    const of = Number(match[2] ?? match[1]);
    if (count < 1 || of > MOST) return { type: 'bad', problem: `does not fit; write numbers from 1 to ${MOST}` };
    if (count > of) return { type: 'bad', problem: `can never be; write "${of} of ${count}"` };
    return { type: 'ok', value: { count, of } };
  },
);

const word = oneOf('restart', 'notice', 'stop');

// As long as a `start`: a program that puts something right may start things itself.
const exec = record('restart, notice, stop, or {exec: COMMAND}', {
  exec: required(commandWithin('90s'), 'The command that is run, as the user of the service unless it says another.'),
});

/** `then`: one of three words, or a command. */
export const reaction: Shape<Reaction> = {
  ...exec,
  schema: { anyOf: [word.schema, exec.schema] },
  read: (tree, reading) => {
    if (tree.type === 'leaf') {
      const type = word.read(tree, reading);
      return type === undefined ? undefined : { type };
    }
    const read = exec.read(tree, reading);
    return read === undefined ? undefined : { type: 'exec', command: read.exec };
  },
};
