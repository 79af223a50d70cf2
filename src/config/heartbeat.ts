// `heartbeat`: what a service is asked, one question or a list of them, each of exactly one kind. Layers may say a part; which
// keys mean something is judged when they are put together.

import type { HeartbeatSpec } from '../core/heartbeat.js';
import type { Question, QuestionKind } from '../core/question.js';
import { hasTlsOptions, heartbeatKeys, KINDS, kindsIn, kindsWith, mannerKeys } from './heartbeat-keys.js';
import { questions } from './question.js';
import { type Fields, keyOf, record, unknownKey } from './record.js';
import { below, complain, type Reading, type Shape, unfit } from './shape.js';
import { type Dict, type Entry, entryOf, isNull, listOf, type Tree, valueAt } from './tree.js';

const WRITE = `a map with one of ${KINDS.join(', ')}`;

/** The time and the user of a command are those of its heartbeat, wherever they stand. What is said twice stays where it is. */
function hoisted(tree: Tree): Tree {
  const command = valueAt(tree, 'exec');
  if (tree.type !== 'dict' || command?.type !== 'dict') return tree;
  const isMoved = ({ key }: Entry): boolean =>
    (key === 'timeout' || key === 'user') && entryOf(tree, key) === undefined;
  const inside: Dict = { ...command, entries: command.entries.filter((entry) => !isMoved(entry)) };
  const entries = tree.entries.map((entry) => (entry.key === 'exec' ? { ...entry, value: inside } : entry));
  return { ...tree, entries: [...entries, ...command.entries.filter(isMoved)] };
}

const manner = record('when and how it is asked', mannerKeys);

/** A kind that is named above replaces one below, with what is for that kind alone. `tls` may be an option, so it stays. */
const alternatives = KINDS.filter((kind) => kind !== 'tls').map((kind) => [
  kind,
  ...Object.keys(questions[kind].keys).filter((key) => key !== kind && kindsWith(key).length === 1),
]);

const anyKind = record(WRITE, heartbeatKeys, { short: hoisted, alternatives });

const onlyKeys = (dict: Dict, isWanted: (key: string) => boolean): Dict => ({
  ...dict,
  entries: dict.entries.filter(({ key }) => isWanted(key)),
});

const isManner = (key: string): boolean => keyOf(mannerKeys, key) !== undefined;

/** One heartbeat: its name is null where none was written. */
const heartbeat: Shape<HeartbeatSpec> = {
  ...anyKind,
  complete: (tree, service) => {
    const kind = tree.type === 'dict' ? kindsIn(tree)[0] : undefined;
    if (tree.type !== 'dict' || kind === undefined) return tree;
    const { keys, shape } = questions[kind];
    const own = shape.complete(
      onlyKeys(tree, (key) => keyOf(keys, key) !== undefined),
      service,
    );
    const rest = manner.complete(onlyKeys(tree, isManner), service);
    const strange = tree.entries.filter((entry) => !isManner(entry.key) && keyOf(keys, entry.key) === undefined);
    const kept = strange.filter(
      ({ key, value }) => value.layer.type !== 'defaults' || keyOf(heartbeatKeys, key) === undefined,
    );
    return { ...tree, entries: [own, rest].flatMap((part) => (part.type === 'dict' ? part.entries : [])).concat(kept) };
  },
  read: (tree, reading) => {
    if (tree.type !== 'dict') return unfit(reading, tree, WRITE);
    const kinds = kindsIn(tree);
    const [kind] = kinds;
    if (kinds.length > 1)
      return complain(
        reading,
        tree.at,
        `found ${kinds.join(' and ')} together; write one of them, or a list of heartbeats`,
      );
    if (kind === undefined) return withoutKind(tree, reading);
    const { keys, shape } = questions[kind];
    const misfits = tree.entries.filter(
      ({ key, value }) => !isManner(key) && keyOf(keys, key) === undefined && !isNull(value),
    );
    for (const { key, at } of misfits) complain(reading, at, misfit(key, kind));
    if (isWrongTogether(tree, kind, reading)) return undefined;
    const question = shape.read(
      onlyKeys(tree, (key) => keyOf(keys, key) !== undefined),
      reading,
    );
    const asked = manner.read(onlyKeys(tree, isManner), reading);
    return question === undefined || asked === undefined || misfits.length > 0 ? undefined : specOf(question, asked);
  },
};

/** What is there is checked. A mistyped kind is told as the unknown key that it is. */
function withoutKind(tree: Dict, reading: Reading): undefined {
  anyKind.read(tree, { ...reading, mode: 'partial' });
  const isMistyped = tree.entries.some(({ key }) => keyOf(heartbeatKeys, key) === undefined);
  if (reading.mode === 'whole' && !isMistyped) complain(reading, tree.at, `asks nothing; write ${WRITE}`);
}

function misfit(key: string, kind: QuestionKind): string {
  const kinds = kindsWith(key);
  if (kinds.length === 0) return unknownKey(heartbeatKeys, key);
  return `\`${key}\` is for ${kinds.join(', ')}, and means nothing for ${kind}; take it out`;
}

function isWrongTogether(tree: Dict, kind: QuestionKind, reading: Reading): boolean {
  const to = valueAt(valueAt(tree, 'tls'), 'to');
  if (hasTlsOptions(kind) && to !== undefined) {
    complain(
      below(reading, 'tls'),
      to.at,
      `found a host beside \`${kind}\`, which says itself where it asks; take it out, or write a list of two heartbeats`,
    );
    return true;
  }
  const command = valueAt(tree, 'exec');
  const twice =
    command?.type === 'dict' ? command.entries.filter(({ key }) => key === 'timeout' || key === 'user') : [];
  for (const { key, at } of twice)
    complain(below(reading, 'exec'), at, `\`${key}\` is said of the heartbeat too; take one of them out`);
  return twice.length > 0;
}

function specOf(question: Question, { name, ...asked }: Fields<typeof mannerKeys>): HeartbeatSpec {
  const { timeout, user } = asked;
  return {
    name: name ?? question.kind,
    question: question.kind === 'exec' ? { ...question, command: { ...question.command, timeout, user } } : question,
    ...asked,
  };
}

const ITEMS = `${WRITE}, or a list of them, each with a name`;

/** The maps of a service's heartbeats, in the order of their specs. */
export function heartbeatsIn(tree: Tree | undefined): readonly Tree[] {
  if (tree === undefined) return [];
  return tree.type === 'list' ? tree.items : [tree];
}

/** `heartbeat`: one, or a list of them. */
export const heartbeats: Shape<readonly HeartbeatSpec[]> = {
  write: ITEMS,
  schema: { anyOf: [heartbeat.schema, { type: 'array', items: heartbeat.schema }] },
  keys: heartbeatKeys,
  expand: (tree) => eachOf(tree, heartbeat.expand),
  complete: (tree, kind) => eachOf(tree, (one) => heartbeat.complete(one, kind)),
  read: (tree, reading) => {
    if (tree.type !== 'list') {
      if (tree.type !== 'dict') return unfit(reading, tree, ITEMS);
      const one = heartbeat.read(tree, reading);
      return one === undefined ? undefined : [one];
    }
    const read = tree.items.map((item, index) => heartbeat.read(item, below(reading, String(index + 1))));
    const all = read.filter((one) => one !== undefined);
    return all.length === read.length && areNamesUnique(all, tree.items, reading) ? all : undefined;
  },
};

const eachOf = (tree: Tree, visit: (one: Tree) => Tree): Tree =>
  tree.type === 'list' ? listOf(tree, tree.items.map(visit)) : visit(tree);

function areNamesUnique(all: readonly HeartbeatSpec[], trees: readonly Tree[], reading: Reading): boolean {
  const twice = all.findIndex(({ name }, index) => all.findIndex((other) => other.name === name) < index);
  const [spec, tree] = [all[twice], trees[twice]];
  if (spec === undefined || tree === undefined) return true;
  const at = valueAt(tree, 'name')?.at ?? tree.at;
  complain(
    below(reading, String(twice + 1)),
    at,
    `two heartbeats are called ${spec.name}; write a \`name\` of its own`,
  );
  return false;
}
