// How a service is replaced by a new generation, and what it tells its keeper: `handover`, `fdStore`, `watchdog` and `notify`.

import { type HandoverSpec, type NotifyAccess, replaceHandover } from '../core/socket.js';
import { type Millis, millis } from '../core/time.js';
import { duration, durationOrNone } from './amounts.js';
import { durationText } from './quantity.js';
import { defaulted, optional, record } from './record.js';
import { complain, integer, oneOf, orNone, path, refine, type Shape } from './shape.js';
import { dictOf } from './tree.js';

// systemd has no limit. Its own largest user, the journal, keeps 4224.
const MOST_STORED = 8192;

/** How many descriptors a service may keep with its keeper. */
export const fdStore: Shape<number> = integer(0, MOST_STORED);

const SHORTEST_WATCH = millis(100);

/** The longest silence of a service; null: it need not say anything. */
export const watchdog: Shape<Millis | null> = orNone(
  refine(duration, (length, tree, reading) =>
    length >= SHORTEST_WATCH
      ? length
      : complain(
          reading,
          tree.at,
          `found a watchdog of ${durationText(length)}, which a busy host would miss; write ${durationText(SHORTEST_WATCH)} or more, or none`,
        ),
  ),
);

export const notify: Shape<NotifyAccess> = oneOf('none', 'main', 'exec', 'all');

const mode = oneOf('overlap', 'replace');

const transfer = refine(duration, (length, tree, reading) =>
  length > 0 ? length : complain(reading, tree.at, 'found 0s, in which no state goes over; write a length like 10s'),
);

export const handover: Shape<HandoverSpec> = record(
  'overlap or replace, or a map like {mode: overlap, drain: 60s}',
  {
    mode: defaulted(
      mode,
      replaceHandover.mode,
      '`replace`: stop, then start; sockets and stored descriptors are kept. `overlap`: the new generation gets ready beside the old one, and may refuse.',
    ),
    transfer: defaulted(transfer, '10s', 'How long the old generation may stand still while its state goes over.'),
    drain: defaulted(
      durationOrNone,
      '60s',
      'How long the old generation may take to finish what it has begun; then it is ended.',
    ),
    maxDraining: defaulted(integer(1, 100), '1', 'How many old generations may drain at once.'),
    pidFile: optional(path(), 'Where a program that starts its own successor writes the pid of that one.'),
  },
  { short: (tree) => (tree.type === 'leaf' ? dictOf(tree, { mode: tree }) : tree), shortSchema: mode.schema },
);
