// A map from names to settings, whose names are of a shape of their own. Where a name says enough by itself, as in `needs`, it
// is mostly written as one name or a list of them; in full it is a map. Knows no keys.

import type { Place } from './problem.js';
import { below, complain, type JsonSchema, type Reading, type Shape, unfit } from './shape.js';
import { type Dict, dictOf, type Entry, isNull, leafOf, type Tree } from './tree.js';

export interface Keyed<T> {
  readonly key: string;
  readonly at: Place;
  readonly value: T;
}

interface KeyedOptions {
  readonly write: string;
  /** `map`: a name alone says nothing, so there is no short form. */
  readonly form?: 'names' | 'map';
  /** One spelling for each key, so that layers meet. What is wrong stays as it is. */
  readonly normal?: (key: string) => string;
}

/** Gives back all of them, or nothing when one is wrong. */
export function keyed<T>(
  key: Shape<string>,
  item: Shape<T>,
  { write, form = 'names', normal = (text) => text }: KeyedOptions,
): Shape<readonly Keyed<T>[]> {
  const entryOfName = (name: Tree): Entry => {
    const text = name.type === 'leaf' ? name.text : '';
    return { key: normal(text), at: name.at, value: item.expand(dictOf(name, {})) };
  };
  const map: JsonSchema = {
    type: 'object',
    propertyNames: key.schema,
    additionalProperties: { anyOf: [item.schema, { type: 'null' }] },
  };
  return {
    write,
    schema: form === 'map' ? map : { anyOf: [key.schema, { type: 'array', items: key.schema }, map] },
    keys: item.keys,
    expand: (tree) => {
      if (tree.type === 'dict') {
        const entries = tree.entries.map((entry) => ({
          ...entry,
          key: normal(entry.key),
          value: isNull(entry.value) ? entry.value : item.expand(entry.value),
        }));
        return { ...tree, entries };
      }
      if (form === 'map') return tree;
      const names = tree.type === 'list' ? tree.items : [tree];
      // With something else among them it stays a list, which is refused with the place of what is wrong.
      return names.every(isName) ? { ...dictOf(tree, {}), entries: names.map(entryOfName) } : tree;
    },
    complete: (tree, kind) =>
      tree.type === 'dict'
        ? { ...tree, entries: tree.entries.map((entry) => ({ ...entry, value: item.complete(entry.value, kind) })) }
        : tree,
    read: (tree, reading) => {
      if (tree.type === 'dict') return readEntries(tree, key, item, reading);
      const wrong = tree.type === 'list' && form === 'names' ? tree.items.find((name) => !isName(name)) : tree;
      return unfit(reading, wrong ?? tree, write);
    },
  };
}

const isName = (tree: Tree): boolean => tree.type === 'leaf' && !isNull(tree);

function readEntries<T>(
  dict: Dict,
  key: Shape<string>,
  item: Shape<T>,
  reading: Reading,
): readonly Keyed<T>[] | undefined {
  const seen = new Set<string>();
  let isGood = true;
  const read = dict.entries.flatMap((entry) => {
    const { at } = entry;
    if (isNull(entry.value)) return [];
    const name = key.read(leafOf({ at, layer: entry.value.layer }, entry.key), reading);
    const value = item.read(entry.value, below(reading, entry.key));
    if (seen.has(entry.key)) complain(reading, at, `${entry.key} stands here twice; take one out`);
    if (name === undefined || value === undefined || seen.has(entry.key)) isGood = false;
    seen.add(entry.key);
    return name === undefined || value === undefined ? [] : [{ key: name, at, value }];
  });
  return isGood ? read : undefined;
}
