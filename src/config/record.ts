// A map with known keys. One table of keys, each with its shape, its sentence and its default, is the source of strict
// reading, of defaults, of the JSON Schema and of every help text.

import { gatherProblems } from './problem.js';
import {
  below,
  complain,
  type DefaultText,
  type JsonSchema,
  type Key,
  type Keys,
  type Kind,
  type Reading,
  type Shape,
  unfit,
} from './shape.js';
import { nearest } from './suggest.js';
import { type Dict, type Entry, entryOf, inLayer, isNull, type Tree } from './tree.js';
import { readTree } from './yaml.js';

/** What is read from a map: optional keys that are not there are null. */
export type Fields<K extends Keys> = {
  readonly [N in keyof K as K[N]['presence'] extends 'later' ? never : N]: K[N]['shape'] extends Shape<infer T>
    ? K[N]['presence'] extends 'optional'
      ? T | null
      : T
    : never;
};

type Present<T, P extends Key<T>['presence']> = Key<T> & { readonly presence: P };

export const optional = <T>(shape: Shape<T>, doc: string, only: Kind | null = null): Present<T, 'optional'> => ({
  presence: 'optional',
  shape,
  doc,
  default: null,
  only,
});

export const required = <T>(shape: Shape<T>, doc: string): Present<T, 'required'> => ({
  presence: 'required',
  shape,
  doc,
  default: null,
  only: null,
});

export const defaulted = <T>(
  shape: Shape<T>,
  text: DefaultText,
  doc: string,
  only: Kind | null = null,
): Present<T, 'defaulted'> => ({ presence: 'defaulted', shape, doc, default: text, only });

/** A key whose wing is not built yet: refused with a message that says so, never ignored. */
export const later = (doc: string): Present<never, 'later'> => ({
  presence: 'later',
  shape: nothingYet,
  doc,
  default: null,
  only: null,
});

/** What is said of a key or value that a later version has. */
export const notYet = (what: string): string => `this version does not have ${what} yet; take it out until one does`;

const nothingYet: Shape<never> = {
  write: 'nothing yet',
  schema: { not: {} },
  keys: null,
  expand: (tree) => tree,
  complete: (tree) => tree,
  read: (tree, reading) => complain(reading, tree.at, notYet(`\`${reading.key.split('.').at(-1)}\``)),
};

interface RecordOptions {
  /** Makes a short form the full map; gives back what is none. */
  readonly short?: (tree: Tree) => Tree;
  /** How the short form is written, for the JSON Schema. */
  readonly shortSchema?: JsonSchema;
  /** Groups of keys that exclude one another: see Dict. */
  readonly alternatives?: readonly (readonly string[])[];
}

/** A map with these keys, and no others. */
export function record<const K extends Keys>(write: string, keys: K, options: RecordOptions = {}): Shape<Fields<K>> {
  const { short = (tree) => tree, alternatives = [] } = options;
  const schema = schemaOf(keys);
  const table = Object.entries(keys);
  return {
    write,
    schema: options.shortSchema === undefined ? schema : { anyOf: [options.shortSchema, schema] },
    keys,
    expand: (tree) => {
      const full = isNull(tree) ? tree : short(tree);
      if (full.type !== 'dict') return full;
      const entries = full.entries.map((entry) => ({
        ...entry,
        value: isNull(entry.value) ? entry.value : (keyOf(keys, entry.key)?.shape.expand(entry.value) ?? entry.value),
      }));
      return { ...full, entries, alternatives };
    },
    complete: (tree, kind) => (tree.type === 'dict' ? complete(keys, table, tree, kind) : tree),
    read: (tree, reading) => {
      if (tree.type !== 'dict') return unfit(reading, tree, write);
      const fields = readFields(keys, tree, reading);
      return fields.problems === 'none' ? (fields.values as unknown as Fields<K>) : undefined;
    },
  };
}

/** Reads key by key; what is right is given back even where something else is wrong. */
export function readFields<K extends Keys>(
  keys: K,
  dict: Dict,
  reading: Reading,
): { readonly values: Partial<Fields<K>>; readonly problems: 'none' | 'some' } {
  const values: Record<string, unknown> = {};
  let problems: 'none' | 'some' = 'none';
  for (const entry of dict.entries) {
    if (keyOf(keys, entry.key) === undefined) {
      problems = 'some';
      complain(reading, entry.at, unknownKey(keys, entry.key));
    }
  }
  for (const [name, key] of Object.entries(keys)) {
    const entry = entryOf(dict, name);
    if (key.presence === 'later') {
      if (entry === undefined) continue;
      problems = 'some';
      complain(reading, entry.at, notYet(`\`${name}\``));
      continue;
    }
    if (entry !== undefined && !isNull(entry.value)) {
      // A short form stands where its map would: the key that it is short for was not written.
      const way = entry.value.at === dict.at ? reading : below(reading, name);
      const value = readOnce(key, entry.value, way);
      if (value === undefined) problems = 'some';
      values[name] = value;
    } else if (key.presence === 'required') {
      problems = 'some';
      if (reading.mode === 'whole') complain(reading, dict.at, `\`${name}\` is missing; write ${key.shape.write}`);
    } else {
      values[name] = key.presence === 'optional' || reading.mode === 'partial' ? null : defaultValue(key, reading);
    }
  }
  return { values: values as Partial<Fields<K>>, problems };
}

/** The key of a table; names of Object.prototype are none. */
export const keyOf = (keys: Keys, name: string): Keys[string] | undefined =>
  Object.hasOwn(keys, name) ? keys[name] : undefined;

function complete(keys: Keys, table: readonly [string, Keys[string]][], dict: Dict, kind: Kind | null): Dict {
  const entries: Entry[] = [];
  for (const [name, key] of table) {
    const entry = entryOf(dict, name);
    if (entry !== undefined && !isNull(entry.value)) {
      entries.push({ key: name, at: entry.at, value: key.shape.complete(entry.value, kind) });
    } else if (key.only === null || key.only === kind) {
      const value = defaultTree(key, kind);
      if (value !== null) entries.push({ key: name, at: value.at, value });
    }
  }
  const strange = dict.entries.filter((entry) => keyOf(keys, entry.key) === undefined);
  return { ...dict, entries: [...entries, ...strange] };
}

// A thousand services share the trees of our defaults and the values read from them: both are never changed.
const defaultTrees = new WeakMap<Keys[string], Partial<Record<Kind | 'any', Tree>>>();
const defaultValues = new WeakMap<Tree, { value: unknown; of: 'nobody' | 'all' }>();

/** A default as a tree, expanded and complete; null where there is none. */
export function defaultTree(key: Keys[string], kind: Kind | null): Tree | null {
  if (key.default === null) return null;
  const known = defaultTrees.get(key) ?? {};
  const before = known[kind ?? 'any'];
  if (before !== undefined) return before;
  const text = typeof key.default === 'string' ? key.default : key.default[kind ?? 'supervised'];
  const tree = parseDefault(key, text, kind);
  defaultTrees.set(key, { ...known, [kind ?? 'any']: tree });
  defaultValues.set(tree, { value: undefined, of: 'nobody' });
  return tree;
}

function parseDefault(key: Keys[string], text: string, kind: Kind | null): Tree {
  const problems = gatherProblems();
  const tree = readTree('Upkeep', text, problems);
  if (tree === undefined) throw new Error(`the default ${text} cannot be read: ${problems.found()[0]?.message}`);
  return key.shape.complete(key.shape.expand(inLayer(tree, { type: 'upkeep' })), kind);
}

function defaultValue(key: Keys[string], reading: Reading): unknown {
  const tree = defaultTree(key, null);
  return tree === null ? null : readOnce(key, tree, reading);
}

function readOnce(key: Keys[string], tree: Tree, reading: Reading): unknown {
  const known = defaultValues.get(tree);
  if (known === undefined) return key.shape.read(tree, reading);
  if (known.of === 'nobody') {
    known.value = key.shape.read(tree, reading);
    known.of = 'all';
  }
  return known.value;
}

/** The key of a table below which there is one of this name. */
export const homeOf = (keys: Keys, name: string): string | null =>
  Object.keys(keys).find((key) => keyOf(keyOf(keys, key)?.shape.keys ?? {}, name) !== undefined) ?? null;

/** What is said of a key that no table has. */
export function unknownKey(keys: Keys, name: string): string {
  if (name === '<<') return 'the merge key << is not read; use `templates` and `extends`';
  const known = Object.keys(keys);
  const home = homeOf(keys, name);
  const near = nearest(name, known);
  const hints = [
    ...(home === null ? [] : [`it belongs below \`${home}:\``]),
    ...(near === null ? [] : [`did you mean ${near}`]),
  ];
  if (hints.length > 0) return `unknown key ${JSON.stringify(name)}; ${hints.join(', or ')}`;
  return known.length > 12
    ? `unknown key ${JSON.stringify(name)}; \`upkeep help keys\` lists those that are known`
    : `unknown key ${JSON.stringify(name)}; known here: ${known.join(', ')}`;
}

function schemaOf(keys: Keys): JsonSchema {
  const present = Object.entries(keys).filter(([, key]) => key.presence !== 'later');
  const properties = present.map(([name, key]) => [name, propertySchema(key)] as const);
  const needed = present.filter(([, key]) => key.presence === 'required').map(([name]) => name);
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(properties),
    ...(needed.length === 0 ? {} : { required: needed }),
  };
}

// null takes back what defaults or templates said, at any depth.
function propertySchema(key: Keys[string]): JsonSchema {
  const byDefault = typeof key.default === 'object' && key.default !== null ? null : key.default;
  const says = byDefault === null ? '' : ` Default: ${byDefault}.`;
  return { description: `${key.doc}${says}`, anyOf: [key.shape.schema, { type: 'null' }] };
}
