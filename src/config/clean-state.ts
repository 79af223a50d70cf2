// `directories` and `clean`: what is made and what is removed before each start. Here only the paths are judged; links and
// foreign owners are the kernel's matter, at the start.

import type { Directory } from '../core/spec.js';
import { bits } from './amounts.js';
import { keyed } from './keyed.js';
import { normalPath, plainPath } from './plain-path.js';
import type { Place } from './problem.js';
import { defaulted, record } from './record.js';
import { below, complain, leafShape, listOf, type Reading, refine, type Shape } from './shape.js';
import { type Tree, valueAt } from './tree.js';

const schema = { type: 'string', pattern: '^/' };
const directoryPath = leafShape('a path that begins with /', schema, plainPath);

const filePath = leafShape('the path of a socket, a FIFO or a file', schema, (text) =>
  /[*?]/.test(text) ? { type: 'bad', problem: 'is a glob; write each path in full' } : plainPath(text),
);

/** Parents before what is in them. */
export const directories: Shape<readonly Directory[]> = refine(
  keyed(
    directoryPath,
    record('a map like {mode: "0750"}', { mode: defaulted(bits, '0755', 'Its permission bits, in octal.') }),
    { write: 'a path, a list of them, or a map like {/run/web: {mode: "0750"}}', normal: normalPath },
  ),
  (all) => all.map(({ key, value: { mode } }) => ({ path: key, mode })).toSorted((a, b) => (a.path < b.path ? -1 : 1)),
);

export const clean: Shape<readonly string[]> = refine(listOf(filePath, 'single'), (paths) => [...new Set(paths)]);

/** What is made as a directory, or has one in it, cannot be removed as a file. */
export function checkCleanState(
  made: readonly Directory[],
  removed: readonly string[],
  tree: Tree,
  reading: Reading,
): 'right' | 'wrong' {
  for (const path of removed) {
    const inside = made.find((one) => `${one.path}/`.startsWith(`${path}/`));
    if (inside === undefined) continue;
    const what = inside.path === path ? 'which' : 'which is above what';
    complain(
      below(reading, 'clean'),
      placeOf(path, valueAt(tree, 'clean') ?? tree),
      `found ${JSON.stringify(path)}, ${what} \`directories\` makes; only sockets, FIFOs and regular files are removed, so name those in it`,
    );
    return 'wrong';
  }
  return 'right';
}

function placeOf(path: string, paths: Tree): Place {
  const items = paths.type === 'list' ? paths.items : [];
  return (items.find((item) => item.type === 'leaf' && normalPath(item.text) === path) ?? paths).at;
}
