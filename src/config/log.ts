// `log`: where a service writes, and how its file is rotated.

import type { LogSpec } from '../core/spec.js';
import { sizeOrNone } from './amounts.js';
import { defaulted, record } from './record.js';
import { complain, integer, oneOf, refine, type Shape, yesNo } from './shape.js';
import { dictOf } from './tree.js';

const to = oneOf('file', 'inherit', 'none', 'syslog');

const size = refine(sizeOrNone, (bytes, tree, reading) =>
  bytes === null || bytes >= 4096
    ? bytes
    : complain(reading, tree.at, `found ${bytes} bytes; write 4K or more, or none`),
);

const rotate = record(
  'a map like {size: 10M, keep: 10, compress: true}, or none',
  {
    size: defaulted(size, '10M', 'A file of this size is rotated; `none`: never.'),
    keep: defaulted(integer(0, 10_000), '10', 'How many rotated files are kept.'),
    compress: defaulted(yesNo, 'true', 'Rotated files are compressed.'),
  },
  {
    short: (tree) => (tree.type === 'leaf' && tree.text === 'none' ? dictOf(tree, { size: tree }) : tree),
    shortSchema: { const: 'none' },
  },
);

export const log: Shape<LogSpec> = record(
  'file, inherit, none or syslog, or a map like {to: file, rotate: {size: 10M}}',
  {
    to: defaulted(to, 'file', 'A file of its own, the output of the keeper, nowhere, or syslog.'),
    rotate: defaulted(rotate, '{}', 'When its file is rotated.'),
  },
  { short: (tree) => (tree.type === 'leaf' ? dictOf(tree, { to: tree }) : tree), shortSchema: to.schema },
);
