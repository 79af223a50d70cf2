// The configuration as a tree of maps, lists and scalars in which every node knows where it was written and by which
// layer (defaults, a template, the service). Text is kept as written, so that 022 stays 022. Knows neither YAML nor keys.

import { type Place, placeText } from './problem.js';

/** Who gave a value. `file`: it belongs to no layer (yet). `upkeep`: our own default. */
export type Layer =
  | { readonly type: 'upkeep' }
  | { readonly type: 'defaults' }
  | { readonly type: 'template'; readonly name: string }
  | { readonly type: 'service' }
  | { readonly type: 'file' };

interface Node {
  readonly at: Place;
  readonly layer: Layer;
}

/** Where our own defaults stand. */
export const OURS = { at: { file: 'Upkeep', line: null, column: null }, layer: { type: 'upkeep' } } as const;

/** A scalar. `value`: what YAML 1.2 core makes of it; `text`: the characters as written, quotes removed. */
export interface Leaf extends Node {
  readonly type: 'leaf';
  readonly text: string;
  readonly value: string | number | boolean | null;
  /** Columns between `at` and the first character of `text`; null where the text does not stand in one piece. */
  readonly inset: number | null;
}

export interface List extends Node {
  readonly type: 'list';
  readonly items: readonly Tree[];
}

export interface Entry {
  readonly key: string;
  readonly at: Place;
  readonly value: Tree;
}

export interface Dict extends Node {
  readonly type: 'dict';
  readonly entries: readonly Entry[];
  /** Groups of keys of which a higher layer replaces one by another, instead of adding to it. */
  readonly alternatives: readonly (readonly string[])[];
}

export type Tree = Leaf | List | Dict;

export const leafOf = (like: Node, text: string): Leaf => ({
  type: 'leaf',
  at: like.at,
  layer: like.layer,
  text,
  value: text,
  inset: null,
});

export const listOf = (like: Node, items: readonly Tree[]): List => ({
  type: 'list',
  at: like.at,
  layer: like.layer,
  items,
});

/** A map that stands for a short form, at the place of the short form. */
export const dictOf = (like: Node, values: Readonly<Record<string, Tree>>): Dict => ({
  type: 'dict',
  at: like.at,
  layer: like.layer,
  entries: Object.entries(values).map(([key, value]) => ({ key, at: value.at, value })),
  alternatives: [],
});

export const isNull = (tree: Tree): boolean => tree.type === 'leaf' && tree.value === null;

export const entryOf = (dict: Dict, key: string): Entry | undefined => dict.entries.find((entry) => entry.key === key);

/** The value below this key; undefined where there is none, or none but null, or the tree is no map. */
export function valueAt(tree: Tree | undefined, key: string): Tree | undefined {
  if (tree?.type !== 'dict') return undefined;
  const value = entryOf(tree, key)?.value;
  return value === undefined || isNull(value) ? undefined : value;
}

/** The same tree, said by this layer. */
export function inLayer(tree: Tree, layer: Layer): Tree {
  switch (tree.type) {
    case 'leaf':
      return { ...tree, layer };
    case 'list':
      return { ...tree, layer, items: tree.items.map((item) => inLayer(item, layer)) };
    case 'dict':
      return {
        ...tree,
        layer,
        entries: tree.entries.map((entry) => ({ ...entry, value: inLayer(entry.value, layer) })),
      };
  }
}

/** Where the character at this offset of a scalar's text stands, as nearly as can be told. */
export function placeInside(leaf: Leaf, offset: number): Place {
  if (leaf.inset === null || leaf.at.column === null) return leaf.at;
  return { ...leaf.at, column: leaf.at.column + leaf.inset + offset };
}

const LONGEST_SHOWN = 60;

/** What stands there, for "found …". */
export function shown(tree: Tree): string {
  switch (tree.type) {
    case 'list':
      return 'a list';
    case 'dict':
      return 'a map';
    case 'leaf': {
      if (tree.value === null) return 'nothing';
      const text = tree.text.length > LONGEST_SHOWN ? `${tree.text.slice(0, LONGEST_SHOWN)}…` : tree.text;
      return JSON.stringify(text);
    }
  }
}

/** The tree in one line of YAML, to show effective settings. */
export function flowText(tree: Tree): string {
  switch (tree.type) {
    case 'leaf':
      return scalarText(tree);
    case 'list':
      return `[${tree.items.map(flowText).join(', ')}]`;
    case 'dict':
      return tree.entries.length === 0
        ? '{}'
        : `{ ${tree.entries.map((entry) => `${entry.key}: ${flowText(entry.value)}`).join(', ')} }`;
  }
}

function scalarText(leaf: Leaf): string {
  if (leaf.value === null) return 'null';
  return /^[\w./@:%+~^=-][\w ./@:%+~^=-]*$/.test(leaf.text) &&
    leaf.text.trim() === leaf.text &&
    !/: |:$/.test(leaf.text)
    ? leaf.text
    : JSON.stringify(leaf.text);
}

/** Who gave this value, and where: `upkeep.yaml:12`, `template web (upkeep.yaml:7)`, `default`. */
export function originText(node: Node): string {
  const where = placeText({ ...node.at, column: null });
  switch (node.layer.type) {
    case 'upkeep':
      return 'default';
    case 'defaults':
      return `defaults (${where})`;
    case 'template':
      return `template ${node.layer.name} (${where})`;
    case 'service':
    case 'file':
      return where;
  }
}
