// What may stand in a place of the configuration: a shape reads a tree, expands short forms, fills in defaults, and
// describes itself to people and as JSON Schema. Here are the simple shapes and those made of others.

import type { Place, Problems } from './problem.js';
import type { Parsed } from './quantity.js';
import { didYouMean } from './suggest.js';
import { isNull, type Leaf, type List, listOf as listTree, placeInside, shown, type Tree } from './tree.js';

export type JsonSchema = { readonly [key: string]: unknown };

export type Kind = 'supervised' | 'watched';

/** A default as it would be written in the file; some depend on the kind of service. */
export type DefaultText = string | { readonly [kind in Kind]: string };

export interface Key<T> {
  readonly presence: 'required' | 'optional' | 'defaulted' | 'later';
  readonly shape: Shape<T>;
  /** A sentence or two for people, without the default. */
  readonly doc: string;
  readonly default: DefaultText | null;
  /** The one kind of service that it means something for. */
  readonly only: Kind | null;
}

export type Keys = Readonly<Record<string, Key<unknown>>>;

/** `partial`: defaults, a template or a service before they are put together, so that nothing can be missing yet. */
export interface Reading {
  readonly problems: Problems;
  /** The way to here, like `services.ssh.restart`. */
  readonly key: string;
  readonly mode: 'partial' | 'whole';
}

export interface Shape<T> {
  /** What a person writes here, as in "a duration like 5s". */
  readonly write: string;
  readonly schema: JsonSchema;
  /** The keys of the map that it is in full; null for what is no map. */
  readonly keys: Keys | null;
  /** Short forms become full ones. What is wrong stays as it is. */
  readonly expand: (tree: Tree) => Tree;
  /** Puts our own defaults where nothing was said. */
  readonly complete: (tree: Tree, kind: Kind | null) => Tree;
  /** Undefined when it cannot be read; then a problem was reported. */
  readonly read: (tree: Tree, reading: Reading) => T | undefined;
}

export const below = (reading: Reading, key: string): Reading => ({
  ...reading,
  key: reading.key === '' ? key : `${reading.key}.${key}`,
});

export function complain(reading: Reading, at: Place, message: string): undefined {
  reading.problems.report(at, reading.key === '' ? null : reading.key, message);
  return undefined;
}

/** "found X; write Y". */
export const unfit = (reading: Reading, tree: Tree, write: string): undefined =>
  complain(reading, tree.at, `found ${shown(tree)}; write ${write}`);

const same = (tree: Tree): Tree => tree;

/** A scalar that is read from its text. A bad parse completes the sentence "found X, which …". */
export function leafShape<T>(
  write: string,
  schema: JsonSchema,
  parse: (text: string, leaf: Leaf) => Parsed<T>,
): Shape<T> {
  return {
    write,
    schema,
    keys: null,
    expand: same,
    complete: same,
    read: (tree, reading) => {
      if (tree.type !== 'leaf' || isNull(tree)) return unfit(reading, tree, write);
      const parsed = parse(tree.text, tree);
      if (parsed.type === 'ok') return parsed.value;
      const at = parsed.offset === undefined ? tree.at : placeInside(tree, parsed.offset);
      return complain(reading, at, `found ${shown(tree)}, which ${parsed.problem}`);
    },
  };
}

const ok = <T>(value: T): Parsed<T> => ({ type: 'ok', value });
const bad = (problem: string): Parsed<never> => ({ type: 'bad', problem });

// C0 and C1 controls, which a terminal or a mail header might obey.
const hasControls = (text: string): boolean => /[\p{Cc}\u2028\u2029]/u.test(text);

/** A text of one line. A number or true is refused: it was probably meant as something else. */
export const line = (write: string): Shape<string> =>
  leafShape(write, { type: 'string', pattern: '^[^\\n]*$' }, (text, leaf) => {
    if (typeof leaf.value !== 'string') return bad(`is a ${typeof leaf.value} in YAML; quote it`);
    if (hasControls(text)) return bad('has a line break or another control character; write one plain line');
    return text.trim() === '' ? bad('is empty; write something, or take the key out') : ok(text);
  });

/** A scalar taken as it is written, whatever YAML would make of it. */
export const asWritten = (write: string): Shape<string> =>
  leafShape(write, { type: ['string', 'number', 'boolean'] }, (text) =>
    text.includes('\0') ? bad('has a zero byte, which no process can be given; take it out') : ok(text),
  );

/** A word that fits a pattern, like a name; numbers are fine. */
export const word = (write: string, pattern: RegExp): Shape<string> =>
  leafShape(write, { type: ['string', 'number'], pattern: pattern.source }, (text) =>
    pattern.test(text) ? ok(text) : bad(`does not fit; write ${write}`),
  );

/** An absolute path. */
export const path = (write = 'a path that begins with /'): Shape<string> =>
  leafShape(write, { type: 'string', pattern: '^/' }, (text) => {
    if (!text.startsWith('/')) return bad('is not a whole path; write one that begins with /');
    return hasControls(text) ? bad('has a control character; write a plain path') : ok(text);
  });

const regexOf = (flags: '' | 'u'): Shape<string> =>
  leafShape('a regular expression', { type: 'string', format: 'regex' }, (text) => {
    try {
      new RegExp(text, flags);
      return text === '' ? bad('is empty and would match everything; write a regular expression') : ok(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/^Invalid regular expression: .*\/\w*: /s, '') : '';
      return bad(`is no regular expression (${reason}); write one of JavaScript's`);
    }
  });

/** A regular expression that compiles; its source. */
export const regex: Shape<string> = regexOf('');

/** The same with the flag u: for texts of others, in which a dot is a whole character. */
export const unicodeRegex: Shape<string> = regexOf('u');

export const integer = (least: number, most: number): Shape<number> => {
  const write =
    most === Number.MAX_SAFE_INTEGER ? `a whole number from ${least}` : `a whole number from ${least} to ${most}`;
  const schema = { type: 'integer', minimum: least, ...(most === Number.MAX_SAFE_INTEGER ? {} : { maximum: most }) };
  return leafShape(write, schema, (text, leaf) => {
    const isWhole = typeof leaf.value === 'number' && /^-?(?:0|[1-9]\d*)$/.test(text);
    return isWhole && leaf.value >= least && leaf.value <= most ? ok(leaf.value) : bad(`does not fit; write ${write}`);
  });
};

const YES = ['yes', 'on', 'y', 'true', '1'];
const NO = ['no', 'off', 'n', 'false', '0'];

/** true or false, in the code `yes` or `no`. */
export const yesNo: Shape<'yes' | 'no'> = leafShape('true or false', { type: 'boolean' }, (text, leaf) => {
  if (leaf.value === true) return ok('yes');
  if (leaf.value === false) return ok('no');
  const meant = YES.includes(text.toLowerCase()) ? 'true' : NO.includes(text.toLowerCase()) ? 'false' : null;
  return bad(meant === null ? 'is neither true nor false' : `is no boolean in YAML 1.2; write ${meant}`);
});

/** One of these words. */
export const oneOf = <const W extends string>(...words: readonly W[]): Shape<W> => {
  const write = words.length === 1 ? `${words[0]}` : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  return leafShape(write, { enum: words }, (text) => {
    const found = words.find((known) => known === text);
    if (found !== undefined) return ok(found);
    const hint = didYouMean(text, words);
    return bad(hint === '' ? `is unknown here; write ${write}` : `is unknown here${hint}`);
  });
};

/** An amount, written as text. */
export const amount = <T>(write: string, pattern: string, parse: (text: string) => Parsed<T>): Shape<T> =>
  leafShape(write, { type: 'string', pattern }, parse);

/** `none` as null, or this shape. */
export const orNone = <T>(shape: Shape<T>): Shape<T | null> => ({
  ...shape,
  write: `${shape.write}, or none`,
  schema: { anyOf: [shape.schema, { const: 'none' }] },
  read: (tree, reading) => {
    if (tree.type === 'leaf' && tree.text === 'none') return null;
    if (tree.type !== 'leaf' || isNull(tree)) {
      if (shape.keys === null) return unfit(reading, tree, `${shape.write}, or none`);
    }
    return shape.read(tree, reading);
  },
});

/** A list. With `single` one item may stand without its brackets. */
export const listOf = <T>(item: Shape<T>, option: 'list' | 'single'): Shape<readonly T[]> => {
  const write = option === 'single' ? `${item.write}, or a list of them` : `a list; each is ${item.write}`;
  const list: JsonSchema = { type: 'array', items: item.schema };
  return {
    write,
    schema: option === 'single' ? { anyOf: [item.schema, list] } : list,
    keys: null,
    expand: (tree) => {
      if (tree.type === 'list') return listTree(tree, tree.items.map(item.expand));
      return option === 'single' && !isNull(tree) ? listTree(tree, [item.expand(tree)]) : tree;
    },
    complete: (tree, kind) =>
      tree.type === 'list'
        ? listTree(
            tree,
            tree.items.map((one) => item.complete(one, kind)),
          )
        : tree,
    read: (tree, reading) => (tree.type === 'list' ? readAll(tree, item, reading) : unfit(reading, tree, write)),
  };
};

function readAll<T>(list: List, item: Shape<T>, reading: Reading): readonly T[] | undefined {
  const values = list.items.map((one, index) => item.read(one, below(reading, String(index + 1))));
  const whole = values.filter((value) => value !== undefined);
  return whole.length === values.length ? whole : undefined;
}

/** The value, with the place where it stands. */
export const placed = <T>(shape: Shape<T>): Shape<Placed<T>> => ({
  ...shape,
  read: (tree, reading) => {
    const value = shape.read(tree, reading);
    return value === undefined ? undefined : { value, tree };
  },
});

export interface Placed<T> {
  readonly value: T;
  readonly tree: Tree;
}

/** What a shape reads, made into something else or refused. */
export const refine = <T, U>(
  shape: Shape<T>,
  make: (value: T, tree: Tree, reading: Reading) => U | undefined,
): Shape<U> => ({
  ...shape,
  read: (tree, reading) => {
    const value = shape.read(tree, reading);
    return value === undefined ? undefined : make(value, tree, reading);
  },
});

/** The same, described as this. */
export const describedAs = <T>(shape: Shape<T>, write: string, schema: JsonSchema = shape.schema): Shape<T> => ({
  ...shape,
  write,
  schema,
});
