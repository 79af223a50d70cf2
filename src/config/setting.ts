// One effective setting of a service, with who gave it: what `explain` shows.

import { flowText, type Layer, originText, type Tree } from './tree.js';

export interface Setting {
  /** Like `restart.backoff.max`. */
  readonly key: string;
  /** As it would be written in the file. */
  readonly value: string;
  readonly layer: Layer['type'];
  /** The template that gave it; null where none did. */
  readonly template: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** For people: `upkeep.yaml:12`, `template web (upkeep.yaml:7)`, `default`. */
  readonly origin: string;
}

/** Every scalar and list of the tree, from top to bottom. */
export function settingsOf(tree: Tree, key = ''): readonly Setting[] {
  if (tree.type === 'dict' && (tree.entries.length > 0 || key === '')) {
    return tree.entries.flatMap((entry) => settingsOf(entry.value, key === '' ? entry.key : `${key}.${entry.key}`));
  }
  // A list of maps, like that of heartbeats, by the number of each: in one line nobody would find anything.
  if (tree.type === 'list' && tree.items.length > 0 && tree.items.every((item) => item.type === 'dict'))
    return tree.items.flatMap((item, index) => settingsOf(item, `${key}.${index + 1}`));
  const isOurs = tree.layer.type === 'upkeep';
  return [
    {
      key,
      value: flowText(tree),
      layer: tree.layer.type,
      template: tree.layer.type === 'template' ? tree.layer.name : null,
      file: isOurs ? null : tree.at.file,
      line: isOurs ? null : tree.at.line,
      column: isOurs ? null : tree.at.column,
      origin: originText(tree),
    },
  ];
}
