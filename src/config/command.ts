// A command: one string that is split like a shell would, a list of arguments, or a map where options are needed.

import type { Command } from '../core/spec.js';
import { account, durationOrNone } from './amounts.js';
import { defaulted, optional, record, required } from './record.js';
import { complain, type JsonSchema, refine, type Shape, unfit } from './shape.js';
import { dictOf, isNull, leafOf, listOf, placeInside, shown, type Tree } from './tree.js';
import { splitWords } from './words.js';

const WRITE = 'a command: words, or a list of arguments';

const ARGV_SCHEMA: JsonSchema = {
  anyOf: [
    { type: 'string', minLength: 1 },
    { type: 'array', minItems: 1, items: { type: ['string', 'number', 'boolean'] } },
  ],
};

/** A program and its arguments. */
const argv: Shape<readonly string[]> = {
  write: WRITE,
  schema: ARGV_SCHEMA,
  keys: null,
  expand: (tree) => {
    const split = tree.type === 'leaf' && typeof tree.value === 'string' ? splitWords(tree.text) : null;
    return split?.type === 'ok'
      ? listOf(
          tree,
          split.value.map((part) => leafOf(tree, part)),
        )
      : tree;
  },
  complete: (tree) => tree,
  read: (tree, reading) => {
    if (tree.type === 'leaf' && typeof tree.value === 'string') {
      const split = splitWords(tree.text);
      if (split.type === 'ok') return split.value;
      return complain(reading, placeInside(tree, split.offset ?? 0), `the command ${split.problem}`);
    }
    if (tree.type !== 'list') return unfit(reading, tree, WRITE);
    const [program] = tree.items;
    if (program === undefined)
      return complain(reading, tree.at, 'found an empty list; write a program and its arguments');
    const words = tree.items.map((item) => {
      if (item.type === 'leaf' && !isNull(item) && !item.text.includes('\0')) return item.text;
      return complain(
        reading,
        item.at,
        `found ${item.type === 'leaf' && !isNull(item) ? 'a zero byte' : shown(item)} as an argument; write text`,
      );
    });
    if (words[0] === '') return complain(reading, program.at, 'the name of the program is empty; write one');
    const whole = words.filter((part) => part !== undefined);
    return whole.length === words.length ? whole : undefined;
  },
};

/** A list or a string becomes `{exec: …}`. */
export const commandShort = (tree: Tree): Tree =>
  tree.type === 'list' || (tree.type === 'leaf' && typeof tree.value === 'string')
    ? dictOf(tree, { exec: tree })
    : tree;

/** A command with its options; `timeout` is how long it may take where nothing is said. */
export const commandWithin = (timeout: string): Shape<Command> =>
  refine(
    record(
      WRITE,
      {
        exec: required(argv, 'The program and its arguments.'),
        timeout: defaulted(durationOrNone, timeout, 'How long it may run; then it and what it started are ended.'),
        user: optional(account, "Who runs it, instead of the service's `user`."),
      },
      { short: commandShort, shortSchema: ARGV_SCHEMA },
    ),
    ({ exec, timeout: within, user }) => ({ argv: exec, timeout: within, user }),
  );

/** The command of `run`: it has no end, and its user is the service's. */
export const foreground: Shape<Command> = refine(
  record(
    WRITE,
    { exec: required(argv, 'The program and its arguments.') },
    { short: commandShort, shortSchema: ARGV_SCHEMA },
  ),
  ({ exec }) => ({ argv: exec, timeout: null, user: null }),
);
