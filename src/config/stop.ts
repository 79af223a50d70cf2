// How a service is stopped and reloaded: signals, or a command.

import type { Command, Ladder, Reload, Rung } from '../core/spec.js';
import { durationOrNone } from './amounts.js';
import { commandShort, commandWithin } from './command.js';
import { defaulted, optional, record, required } from './record.js';
import { listOf, oneOf, refine, type Shape, yesNo } from './shape.js';
import { looksLikeSignal, signal } from './signal.js';
import { dictOf, type Tree, valueAt } from './tree.js';

// systemd's TimeoutStopSec: what a distribution's own stop scripts are made to fit into.
const command: Shape<Command> = commandWithin('90s');

const EXCLUSIVE = [
  ['exec', 'timeout', 'user'],
  ['signal', 'wait', 'to', 'notify'],
];

const signalShort = (tree: Tree): Tree => (isSignalLeaf(tree) ? dictOf(tree, { signal: tree }) : tree);

const isSignalLeaf = (tree: Tree): boolean =>
  tree.type === 'leaf' && typeof tree.value === 'string' && looksLikeSignal(tree.text);

const rung: Shape<Rung> = record(
  'signals like {signal: SIGTERM, wait: 10s}',
  {
    signal: defaulted(signal, 'SIGTERM', 'The signal that is sent, with SIGCONT after it.'),
    wait: defaulted(durationOrNone, '10s', 'How long its end is waited for.'),
    to: defaulted(oneOf('main', 'group'), 'main', 'Who gets it: the main process, or its whole group.'),
  },
  { short: signalShort, shortSchema: signal.schema, alternatives: EXCLUSIVE },
);

const rungs = listOf(rung, 'list');

type Form = 'command' | 'rung' | 'rungs';

function formOf(tree: Tree): Form {
  if (tree.type === 'dict') return valueAt(tree, 'exec') === undefined ? 'rung' : 'command';
  if (tree.type === 'leaf') return isSignalLeaf(tree) || typeof tree.value !== 'string' ? 'rung' : 'command';
  const first = tree.items[0];
  return first !== undefined && (first.type !== 'leaf' || isSignalLeaf(first)) ? 'rungs' : 'command';
}

/** Is it a command, which only a watched service has? */
export const isCommand = (tree: Tree): boolean => formOf(tree) === 'command';

const formShapes = { command, rung, rungs } as const;

/** `stop`: signals for both kinds, a command for a watched service. */
export const stop: Shape<Ladder | { readonly type: 'command'; readonly command: Command }> = {
  write: 'signals like {signal: SIGTERM, wait: 10s}, a list of them, or (watched) a command',
  schema: { anyOf: [rung.schema, rungs.schema, command.schema] },
  keys: { ...rung.keys, ...command.keys },
  expand: (tree) => {
    const form = formOf(tree);
    if (form !== 'command') return formShapes[form].expand(tree);
    const expanded = command.expand(commandShort(tree));
    return expanded.type === 'dict' ? { ...expanded, alternatives: EXCLUSIVE } : expanded;
  },
  complete: (tree, kind) => formShapes[formOf(tree)].complete(tree, kind),
  read: (tree, reading) => {
    const form = formOf(tree);
    if (form === 'command') {
      const value = command.read(tree, reading);
      return value === undefined ? undefined : { type: 'command', command: value };
    }
    if (form === 'rung') {
      const value = rung.read(tree, reading);
      return value === undefined ? undefined : { type: 'ladder', rungs: [value] };
    }
    const values = rungs.read(tree, reading);
    return values === undefined ? undefined : { type: 'ladder', rungs: values };
  },
};

const reloadSignal: Shape<Reload> = refine(
  record(
    'a signal like SIGHUP, or a command',
    {
      signal: required(signal, 'The signal that makes it read its settings again.'),
      notify: optional(yesNo, 'It says by sd_notify when it is done: RELOADING=1, then READY=1 (supervised).'),
    },
    { short: signalShort, shortSchema: signal.schema, alternatives: EXCLUSIVE },
  ),
  (fields) => ({ type: fields.notify === 'yes' ? 'notify' : 'signal', signal: fields.signal }),
);

/** `reload`: a signal or a command. */
export const reload: Shape<Reload> = {
  write: 'a signal like SIGHUP, {signal: SIGHUP, notify: true}, or a command',
  schema: { anyOf: [reloadSignal.schema, command.schema] },
  keys: { ...reloadSignal.keys, ...command.keys },
  expand: (tree) => {
    if (!isReloadCommand(tree)) return reloadSignal.expand(tree);
    const expanded = command.expand(commandShort(tree));
    return expanded.type === 'dict' ? { ...expanded, alternatives: EXCLUSIVE } : expanded;
  },
  complete: (tree, kind) => (isReloadCommand(tree) ? command : reloadSignal).complete(tree, kind),
  read: (tree, reading) => {
    if (!isReloadCommand(tree)) return reloadSignal.read(tree, reading);
    const value = command.read(tree, reading);
    return value === undefined ? undefined : { type: 'command', command: value };
  },
};

/** Does `reload` wait for word by sd_notify, which only a process of ours can send? */
export function isNotifyReload(tree: Tree): boolean {
  const said = valueAt(tree, 'notify');
  return said?.type === 'leaf' && said.value === true;
}

const isReloadCommand = (tree: Tree): boolean => tree.type === 'list' || formOf(tree) === 'command';
