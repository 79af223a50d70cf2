// A secret, which stands in a file or a variable of the keeper and never in the configuration itself.

import type { Secret } from '../core/notice-spec.js';
import { optional, record } from './record.js';
import { complain, path, refine, type Shape, word } from './shape.js';

const secretMap: Shape<Secret> = refine(
  record('a secret as {file: PATH} or {env: NAME}', {
    file: optional(path(), 'The file that holds it, readable by the keeper alone.'),
    env: optional(word('the name of a variable', /^[A-Za-z_]\w*$/), 'The variable of the keeper that holds it.'),
  }),
  ({ file, env }, tree, reading) => {
    if (file !== null && env === null) return { type: 'file', path: file } as const;
    if (env !== null && file === null) return { type: 'env', name: env } as const;
    return complain(reading, tree.at, 'write exactly one of file and env');
  },
);

/** What stands there in the clear is not repeated: the complaint about it goes to logs and terminals. */
export const secret: Shape<Secret> = {
  ...secretMap,
  read: (tree, reading) =>
    tree.type === 'leaf'
      ? complain(reading, tree.at, 'a secret is not written into the configuration; write {file: PATH} or {env: NAME}')
      : secretMap.read(tree, reading),
};
