// What a watched daemon looks like: a path, a name, an expression or a pid file, narrowed by user and count.

import type { Pattern } from '../core/pattern.js';
import { account } from './amounts.js';
import { defaulted, later, optional, record } from './record.js';
import { complain, integer, leafShape, path, refine, regex, type Shape, yesNo } from './shape.js';
import { dictOf } from './tree.js';

const MOST = 100_000;

const count = refine(
  record(
    'a count like {min: 1, max: 4}',
    {
      min: defaulted(integer(1, MOST), '1', 'Fewer processes than this are a service that is down.'),
      max: defaulted(integer(1, MOST), '1', 'More topmost processes than this are an error state.'),
    },
    {
      short: (tree) => (tree.type === 'leaf' ? dictOf(tree, { min: tree, max: tree }) : tree),
      shortSchema: { type: 'integer', minimum: 1 },
    },
  ),
  (read, tree, reading) =>
    read.min <= read.max
      ? read
      : complain(reading, tree.at, `found min ${read.min} above max ${read.max}; write max: ${read.min} or more`),
);

const name: Shape<string> = leafShape(
  'the name of a program, like sshd',
  { type: ['string', 'number'], pattern: '^[^/\\s]+$' },
  (text) => {
    if (text.includes('/')) return { type: 'bad', problem: 'has a slash; write a path as {exe: PATH}' };
    return /^\S+$/.test(text)
      ? { type: 'ok', value: text }
      : { type: 'bad', problem: 'has white space, which no name has; for a command line write {match: REGEX}' };
  },
);

/** Exactly one way to find it, besides which a pid file may stand. */
export const watch: Shape<Pattern> = refine(
  record(
    'a path, a name, or one of {exe: PATH}, {name: NAME}, {match: REGEX}, {pidFile: PATH}',
    {
      exe: optional(path('a path or glob that begins with /'), 'The executable or script; a path or a glob.'),
      name: optional(name, 'The name of the program: the last part of its path.'),
      match: optional(regex, 'A regular expression for the whole command line.'),
      pidFile: optional(path(), 'The file that names its main process.'),
      user: optional(account, 'Only processes of this user count.'),
      count: defaulted(count, '{}', 'How many topmost processes there are.'),
      containers: defaulted(yesNo, 'false', 'Processes in containers (other PID namespaces) count too.'),
      systemd: later('A unit of systemd.'),
      shepherd: later('A service of GNU Shepherd.'),
    },
    {
      short: (tree) => {
        if (tree.type !== 'leaf' || tree.value === null) return tree;
        return dictOf(tree, tree.text.includes('/') ? { exe: tree } : { name: tree });
      },
      shortSchema: { type: 'string', minLength: 1 },
      alternatives: [['exe'], ['name'], ['match'], ['systemd'], ['shepherd']],
    },
  ),
  ({ exe, name: called, match, pidFile, ...narrowed }, tree, reading) => {
    const ways = [
      exe === null ? null : ({ type: 'exe', path: exe } as const),
      called === null ? null : ({ type: 'name', name: called } as const),
      match === null ? null : ({ type: 'match', regex: match } as const),
    ].filter((way) => way !== null);
    if (ways.length > 1) {
      const named = ways.map((way) => way.type).join(' and ');
      return complain(
        reading,
        tree.at,
        `found ${named} together; write one of them, and narrow it with pidFile or user`,
      );
    }
    const by = ways[0] ?? (pidFile === null ? null : ({ type: 'pidFile' } as const));
    if (by !== null) return { by, pidFile, ...narrowed };
    return reading.mode === 'whole'
      ? complain(reading, tree.at, 'names nothing to look for; write exe, name, match or pidFile')
      : undefined;
  },
);
