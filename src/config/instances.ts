// `instances`: one definition for several members, each with its number in place of `%i`. Knows trees and names, no services.

import type { Pool } from '../core/spec.js';
import { below, complain, type Reading } from './shape.js';
import type { Dict, Tree } from './tree.js';
import { flowText, valueAt } from './tree.js';

export const MOST_INSTANCES = 1000;

/** How many members there are; null: nothing was said of it, and `%i` means nothing. What is no such number is told elsewhere. */
export function instancesOf(merged: Dict): number | null {
  const said = valueAt(merged, 'instances');
  if (said === undefined) return null;
  const count = said.type === 'leaf' && typeof said.value === 'number' ? said.value : 1;
  return Math.min(MOST_INSTANCES, Math.max(1, Math.trunc(count)));
}

/** The members, from 1; one alone is called as the service is. */
export function poolsOf(name: string, of: number): readonly Pool[] {
  return Array.from({ length: of }, (_, at) => ({ name, index: at + 1, of }));
}

/** The same settings with the number for each `%i`, and `%` for each `%%`. What has none stays the same object. */
export function numbered<T extends Tree>(tree: T, index: number): T;
export function numbered(tree: Tree, index: number): Tree {
  switch (tree.type) {
    case 'leaf': {
      const text = withNumber(tree.text, index);
      if (text === tree.text) return tree;
      // What was written with quotes or without was a text; a number comes of it where one is asked for.
      return { ...tree, text, value: scalarOf(tree.value, text), inset: null };
    }
    case 'list': {
      const items = tree.items.map((item) => numbered(item, index));
      return items.every((item, at) => item === tree.items[at]) ? tree : { ...tree, items };
    }
    case 'dict': {
      const entries = tree.entries.map((entry) => {
        const key = withNumber(entry.key, index);
        const value = numbered(entry.value, index);
        return key === entry.key && value === entry.value ? entry : { ...entry, key, value };
      });
      return entries.every((entry, at) => entry === tree.entries[at]) ? tree : { ...tree, entries };
    }
  }
}

const withNumber = (text: string, index: number): string =>
  text.includes('%') ? text.replace(/%[%i]/g, (mark) => (mark === '%%' ? '%' : String(index))) : text;

const scalarOf = (before: string | number | boolean | null, text: string): string | number | boolean | null =>
  typeof before === 'string' && /^-?(?:0|[1-9]\d*)$/.test(text) ? Number(text) : text;

/** Members share their sockets, so these carry no number; a file that each member writes needs one. */
export function checkNumbers(effective: Dict, of: number, reading: Reading): 'right' | 'wrong' {
  if (of === 1) return 'right';
  let verdict: 'right' | 'wrong' = 'right';
  const wrong = (keys: readonly string[], at: Tree['at'], message: string): void => {
    verdict = 'wrong';
    complain(keys.reduce(below, reading), at, message);
  };
  const sockets = valueAt(effective, 'sockets');
  for (const { key, at, value } of sockets?.type === 'dict' ? sockets.entries : []) {
    if (isNumbered(value) || withNumber(key, 1) !== withNumber(key, 2))
      wrong(['sockets', key], at, 'found %i, but all members share one socket; take it out');
  }
  const pidFile = valueAt(valueAt(effective, 'handover'), 'pidFile');
  if (pidFile !== undefined && !isNumbered(pidFile))
    wrong(
      ['handover', 'pidFile'],
      pidFile.at,
      `found one file for ${of} members; write %i in its name, for the number of each`,
    );
  return verdict;
}

const isNumbered = (tree: Tree): boolean => flowText(numbered(tree, 1)) !== flowText(numbered(tree, 2));
