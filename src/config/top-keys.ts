// The table of the top level of a configuration file, and of `keeper`.

import { isClassName } from '../core/classes.js';
import { duration } from './amounts.js';
import { classExpression, type WrittenExpression } from './class-expression.js';
import { numbered } from './instances.js';
import { named } from './named.js';
import { notices } from './notices.js';
import { gatherProblems } from './problem.js';
import { defaulted, type Fields, later, optional, record } from './record.js';
import { service } from './service-keys.js';
import { describedAs, integer, type Keys, leafShape, listOf, path, placed, type Shape, yesNo } from './shape.js';
import { OURS, type Tree } from './tree.js';

const className = leafShape(
  'the name of a class',
  { type: ['string', 'number'], pattern: '^[A-Za-z0-9_]+$' },
  (text) =>
    isClassName(text)
      ? { type: 'ok', value: text }
      : { type: 'bad', problem: 'is no name of a class; they are of letters, digits and _' },
);

const hostGlob = leafShape(
  'a host name or a glob like web-*',
  { type: 'string', pattern: '^[A-Za-z0-9_.*?\\[\\]!-]+$' },
  (text) =>
    /^[A-Za-z0-9_.*?[\]!-]+$/.test(text)
      ? { type: 'ok', value: text }
      : { type: 'bad', problem: 'is no host name; write one, or a glob like web-*' },
);

const marker = record('{file: PATH}', { file: optional(path(), 'The class is set while this file exists.') });

/** How a soft class is declared. */
export type ClassRule =
  | { readonly type: 'hosts'; readonly globs: readonly string[] }
  | { readonly type: 'expression'; readonly written: WrittenExpression }
  | { readonly type: 'file'; readonly path: string };

const globs = listOf(hostGlob, 'list');

const classRule: Shape<ClassRule> = {
  write: 'a list of host-name globs like ["web-*"], an expression like "web|proxy", or {file: PATH}',
  schema: { anyOf: [globs.schema, classExpression.schema, marker.schema] },
  keys: null,
  expand: (tree) => tree,
  complete: (tree) => tree,
  read: (tree, reading) => {
    if (tree.type === 'list') {
      const read = globs.read(tree, reading);
      return read === undefined ? undefined : { type: 'hosts', globs: read };
    }
    if (tree.type === 'leaf') {
      if (/[*?[]/.test(tree.text)) {
        const message = `found ${JSON.stringify(tree.text)}; host-name globs stand in a list: [${JSON.stringify(tree.text)}]`;
        reading.problems.report(tree.at, reading.key, message);
        return undefined;
      }
      const written = classExpression.read(tree, reading);
      return written === undefined ? undefined : { type: 'expression', written };
    }
    const read = marker.read(tree, reading);
    if (read === undefined) return undefined;
    if (read.file !== null) return { type: 'file', path: read.file };
    reading.problems.report(tree.at, reading.key, 'found a map without `file`; write {file: PATH}');
    return undefined;
  },
};

const keeperLimits = record('a map like {parallel: 10, askers: 16}', {
  parallel: defaulted(
    integer(1, 10_000),
    '10',
    'How many services start at the same time, at boot and after; what is started again after its own end waits for no place.',
  ),
  askers: defaulted(integer(1, 1000), '16', 'How many processes that ask heartbeats run at most.'),
});

const keeperKeys = {
  classes: defaulted(
    listOf(className, 'single'),
    '[]',
    'More soft classes that are set here; UPKEEP_CLASSES sets more still.',
  ),
  limits: defaulted(keeperLimits, '{}', 'What the keeper does at the same time.'),
  bootGrace: defaulted(duration, '2m', 'How long nothing is started at most while the init system is still booting.'),
  guard: defaulted(
    yesNo,
    'false',
    'The keeper runs below a small shell that starts it again whenever it ends unasked; in a container that shell is PID 1.',
  ),
  statusPort: later('A read-only HTTP port on 127.0.0.1.'),
} as const satisfies Keys;

const keeper = record('a map like {bootGrace: 2m}', keeperKeys);

/** The keeper itself: what it does at once, and how long it waits for a boot. */
export type KeeperSettings = Fields<typeof keeperKeys>;

/** What counts where nothing is said. */
export function ourKeeper(): KeeperSettings {
  const nothing = { type: 'dict', ...OURS, entries: [], alternatives: [] } as const;
  const read = keeper.read(nothing, { problems: gatherProblems(), key: 'keeper', mode: 'whole' });
  if (read === undefined) throw new Error('the defaults of `keeper` cannot be read');
  return read;
}

const include = listOf(
  placed(
    leafShape('a path or a glob like conf.d/*.yaml', { type: 'string', minLength: 1 }, (text) =>
      text.trim() === '' || text.includes('\0')
        ? { type: 'bad', problem: 'names no file; write a path or a glob like conf.d/*.yaml' }
        : { type: 'ok', value: text },
    ),
  ),
  'single',
);

/** A part of a service: what is there is checked, what is missing may come from elsewhere. Its tree, right or wrong. */
const partial: Shape<Tree> = {
  ...service,
  read: (tree, reading) => {
    // A port 808%i is none before it has its number, and another layer may say that there are some.
    service.read(numbered(tree, 1), { ...reading, mode: 'partial' });
    return tree.type === 'dict' ? tree : undefined;
  },
};

export const topKeys = {
  include: optional(
    include,
    'Further files: globs relative to this one, read in sorted order; a plain name must exist.',
  ),
  classes: optional(
    named('a map of classes', placed(classRule), { names: /^[A-Za-z0-9_]+$/, called: 'of letters, digits and _' }),
    'Soft classes: name → host-name globs, an expression, or {file: PATH}.',
  ),
  defaults: optional(
    describedAs(partial, 'a map of settings of a service'),
    'What every service begins with; what means nothing for its kind is skipped.',
  ),
  templates: optional(
    named('a map of templates', partial),
    'Partial services by name, for `extends`. Maps merge by key, scalars and lists replace, null takes back.',
  ),
  notices: optional(notices, 'Who is told of what, and how.'),
  keeper: optional(keeper, 'Settings of the keeper itself.'),
  services: optional(named('a map of services', partial), 'The services: name → settings.'),
} as const satisfies Keys;

/** A configuration file. */
export const configuration = record(
  'a map of include, classes, defaults, templates, notices, keeper and services',
  topKeys,
);
