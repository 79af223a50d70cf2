// Layers of settings, one over the other: maps merge by key, scalars and lists replace, null takes back. Works on
// expanded trees, so that every short form is the map it stands for. Knows no keys.

import { type Dict, type Entry, isNull, type Tree } from './tree.js';

/** The lower layer with the higher one over it. */
export function merge(lower: Dict, higher: Dict): Dict {
  const dropped = new Set(higher.alternatives.flatMap((group) => othersOf(group, higher)));
  const kept = lower.entries.filter((entry) => !dropped.has(entry.key));
  const merged = new Map<string, Entry>(kept.map((entry) => [entry.key, entry]));
  for (const entry of higher.entries) {
    const under = merged.get(entry.key);
    // Delete first: a key that is said again takes its new place.
    merged.delete(entry.key);
    if (isNull(entry.value)) continue;
    merged.set(entry.key, {
      ...entry,
      value: under === undefined ? withoutNulls(entry.value) : over(under.value, entry.value),
    });
  }
  return { ...higher, entries: [...merged.values()] };
}

/** Nothing said yet, at the place of this map. */
export const nothingSaid = (like: Dict): Dict => ({ ...like, entries: [], alternatives: [] });

function over(lower: Tree, higher: Tree): Tree {
  return lower.type === 'dict' && higher.type === 'dict' ? merge(lower, higher) : withoutNulls(higher);
}

/** With a key of this group said above, the keys of all other groups below give way. */
function othersOf(group: readonly string[], higher: Dict): readonly string[] {
  const isSaid = higher.entries.some((entry) => group.includes(entry.key) && !isNull(entry.value));
  return isSaid ? higher.alternatives.filter((other) => other !== group).flat() : [];
}

function withoutNulls(tree: Tree): Tree {
  if (tree.type !== 'dict') return tree;
  const entries = tree.entries.filter((entry) => !isNull(entry.value));
  return { ...tree, entries: entries.map((entry) => ({ ...entry, value: withoutNulls(entry.value) })) };
}
