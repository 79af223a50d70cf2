// A map whose keys are names of the operator's choice, and whose values are all of one shape.

import { LONGEST_NAME, SERVICE_NAME } from './service-name.js';
import { below, complain, type Shape, unfit } from './shape.js';
import type { Dict, Entry, Tree } from './tree.js';

export interface Naming {
  readonly names: RegExp;
  /** The end of "names are …". */
  readonly called: string;
}

const SERVICE_NAMING: Naming = {
  names: SERVICE_NAME,
  called: 'of letters, digits, _ . and -, and begin with a letter or digit',
};

/** The entry of a name, with what was read of its value. */
export interface Named<T> {
  readonly entry: Entry;
  readonly value: T;
}

/** Gives back what could be read; a bad entry does not hide the others. */
export function named<T>(write: string, item: Shape<T>, naming: Naming = SERVICE_NAMING): Shape<readonly Named<T>[]> {
  return {
    write,
    schema: {
      type: 'object',
      propertyNames: { pattern: naming.names.source, maxLength: LONGEST_NAME },
      additionalProperties: item.schema,
    },
    keys: item.keys,
    expand: (tree) => eachValue(tree, item.expand),
    complete: (tree, kind) => eachValue(tree, (value) => item.complete(value, kind)),
    read: (tree, reading) => {
      if (tree.type !== 'dict') return unfit(reading, tree, write);
      return tree.entries.flatMap((entry) => {
        const shown = JSON.stringify(entry.key);
        if (entry.key.length > LONGEST_NAME) {
          complain(reading, entry.at, `found a name of ${entry.key.length} characters; ${LONGEST_NAME} are the most`);
        } else if (!naming.names.test(entry.key)) {
          complain(reading, entry.at, `found the name ${shown}; names are ${naming.called}`);
        }
        const value = item.read(entry.value, below(reading, entry.key));
        return value === undefined ? [] : [{ entry, value }];
      });
    },
  };
}

const eachValue = (tree: Tree, visit: (value: Tree) => Tree): Tree =>
  tree.type === 'dict'
    ? ({ ...tree, entries: tree.entries.map((entry) => ({ ...entry, value: visit(entry.value) })) } satisfies Dict)
    : tree;
