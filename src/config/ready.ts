// When a start counts: exactly one probe, and how long it may take.

import type { NotifyAccess } from '../core/socket.js';
import type { Ready, ReadyProbe } from '../core/spec.js';
import { duration, durationOrNone } from './amounts.js';
import { commandWithin } from './command.js';
import { endpoint } from './endpoint.js';
import { ALL } from './heartbeat-keys.js';
import { defaulted, type Fields, optional, record } from './record.js';
import { SERVICE_NAME } from './service-name.js';
import { complain, integer, type Keys, leafShape, path, regex, type Shape, word } from './shape.js';
import { didYouMean } from './suggest.js';
import { dictOf, leafOf, OURS, type Tree, valueAt } from './tree.js';

const WRITE = 'alive, notify, heartbeat, or one of alive, fd, port, socket, http, exec, log, as in {port: 8080}';

const NOTIFIERS = ['main', 'exec', 'all'] as const;

const url: Shape<string> = leafShape(
  'a URL like http://localhost:8080/',
  { type: 'string', pattern: '^https?://' },
  (text) => {
    const isUrl = /^https?:\/\//.test(text) && URL.canParse(text);
    return isUrl
      ? { type: 'ok', value: text }
      : { type: 'bad', problem: 'is no URL; write one like http://localhost:8080/' };
  },
);

// `true`: nothing is said here of who.
const notifier: Shape<Exclude<NotifyAccess, 'none'> | 'any'> = leafShape<Exclude<NotifyAccess, 'none'> | 'any'>(
  'true, main, exec or all',
  { enum: [true, ...NOTIFIERS] },
  (text, leaf) => {
    if (leaf.value === true) return { type: 'ok', value: 'any' };
    const found = NOTIFIERS.find((known) => known === text);
    if (found !== undefined) return { type: 'ok', value: found };
    const hint = didYouMean(text, NOTIFIERS);
    return {
      type: 'bad',
      problem: hint === '' ? 'is unknown here; write true, main, exec or all' : `is unknown here${hint}`,
    };
  },
);

const keys = {
  alive: optional(duration, 'It has lived this long.'),
  fd: optional(integer(3, 1023), 'It has written a newline to this descriptor (supervised).'),
  port: optional(endpoint, 'Something accepts connections on this TCP port.'),
  socket: optional(path(), 'Something accepts connections on this Unix socket.'),
  http: optional(url, 'A GET of this URL is answered with a status from 200 to 399.'),
  // As long as a heartbeat's question: it is asked again until the timeout of `ready`.
  exec: optional(commandWithin('5s'), 'This command exits 0; it is run again until then.'),
  log: optional(regex, 'A line of its log matches this regular expression.'),
  heartbeat: optional(
    word('the name of a heartbeat, or all', SERVICE_NAME),
    'This heartbeat of it has been good, or `all` of them have.',
  ),
  notify: optional(
    notifier,
    'It has said READY=1 by sd_notify: `true` where `notify` of the service says who may; `main`, `exec` or `all` say it here (supervised).',
  ),
  timeout: defaulted(durationOrNone, '30s', 'A start that does not count by then has failed.'),
} as const satisfies Keys;

/** The ways to be ready, of which one is written. */
export const PROBES = ['alive', 'fd', 'port', 'socket', 'http', 'exec', 'log', 'heartbeat', 'notify'] as const;

const fields = record(WRITE, keys, {
  short: (tree) => {
    if (tree.type !== 'leaf') return tree;
    if (tree.text === 'alive') return dictOf(tree, { alive: leafOf(tree, '1s') });
    if (tree.text === 'heartbeat') return dictOf(tree, { heartbeat: leafOf(tree, ALL) });
    return tree.text === 'notify' ? dictOf(tree, { notify: { ...leafOf(tree, 'true'), value: true } }) : tree;
  },
  shortSchema: { enum: ['alive', 'notify', 'heartbeat'] },
  alternatives: PROBES.map((probe) => [probe]),
});

/** `ready`, with `alive: 1s` where no probe is named. */
export const ready: Shape<Ready> = {
  ...fields,
  complete: (tree, kind) => {
    const completed = fields.complete(tree, kind);
    if (completed.type !== 'dict' || PROBES.some((probe) => valueAt(completed, probe) !== undefined)) return completed;
    const alive = leafOf(OURS, '1s');
    return { ...completed, entries: [{ key: 'alive', at: OURS.at, value: alive }, ...completed.entries] };
  },
  read: (tree, reading) => {
    const read = fields.read(tree, reading);
    if (read === undefined) return undefined;
    const probes = PROBES.filter((probe) => valueAt(tree, probe) !== undefined);
    if (probes.length > 1) {
      return complain(reading, tree.at, `found ${probes.join(' and ')} together; write one of them`);
    }
    const probe = probeOf(read);
    if (probe !== null) return { probe, timeout: read.timeout };
    return reading.mode === 'whole' ? complain(reading, tree.at, `names no probe; write ${WRITE}`) : undefined;
  },
};

function probeOf(read: Fields<typeof keys>): ReadyProbe | null {
  if (read.alive !== null) return { type: 'alive', for: read.alive };
  if (read.fd !== null) return { type: 'fd', fd: read.fd };
  if (read.port !== null) return { type: 'port', ...read.port };
  if (read.socket !== null) return { type: 'socket', path: read.socket };
  if (read.http !== null) return { type: 'http', url: read.http };
  if (read.exec !== null) return { type: 'exec', command: read.exec };
  if (read.log !== null) return { type: 'log', regex: read.log };
  if (read.notify !== null) return { type: 'notify' };
  if (read.heartbeat === null) return null;
  return { type: 'heartbeat', name: read.heartbeat === ALL ? null : read.heartbeat };
}

/** The probe of `ready`, if any, that only a process of ours can answer: with a descriptor, or by sd_notify. */
export const probeOfOurs = (tree: Tree): 'fd' | 'notify' | null =>
  (['fd', 'notify'] as const).find((probe) => valueAt(tree, probe) !== undefined) ?? null;

/** Whose READY=1 counts, as `ready` says it; null: it says nothing of that. */
export function notifierIn(tree: Tree): Exclude<NotifyAccess, 'none'> | null {
  const said = valueAt(tree, 'notify');
  return said?.type === 'leaf' ? (NOTIFIERS.find((known) => known === said.text) ?? null) : null;
}
