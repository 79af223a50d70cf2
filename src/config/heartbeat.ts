// `heartbeat`: what a service is asked, one question or a list of them, each of exactly one kind. Layers may say a part; which
// keys mean something is judged when they are put together.

import type { HeartbeatSpec } from '../core/heartbeat.js';
import type { Question, QuestionKind } from '../core/question.js';
import { hasTlsOptions, heartbeatKeys, KINDS, kindsIn, kindsWith, mannerKeys } from './heartbeat-keys.js';
import { questions } from './question.js';
import { type Fields, homeOf, keyOf, record, unknownKey } from './record.js';
import { below, complain, type Keys, type Reading, type Shape, unfit } from './shape.js';
import { type Dict, type Entry, entryOf, isNull, listOf, type Tree, valueAt } from './tree.js';

const WRITE = `a map with one of ${KINDS.join(', ')}`;

/** The time and the user of a command are those of its heartbeat, wherever they stand. What is said twice stays where it is. */
function hoisted(tree: Tree): Tree {
  const command = valueAt(tree, 'exec');
  if (tree.type !== 'dict' || command?.type !== 'dict') return tree;
  const isMoved = (entry: Entry): boolean => isOfBoth(entry) && entryOf(tree, entry.key) === undefined;
  const inside: Dict = { ...command, entries: command.entries.filter((entry) => !isMoved(entry)) };
  const entries = tree.entries.map((entry) => (entry.key === 'exec' ? { ...entry, value: inside } : entry));
  return { ...tree, entries: [...entries, ...command.entries.filter(isMoved)] };
}

const isOfBoth = ({ key }: Entry): boolean => key === 'timeout' || key === 'user';

const manner = record('when and how it is asked', mannerKeys);

/** A kind that is named above replaces one below, with what is for that kind alone. `tls` may be an option, so it stays. */
const alternatives = KINDS.filter((kind) => kind !== 'tls').map((kind) => [
  kind,
  ...Object.keys(questions[kind].keys).filter((key) => key !== kind && kindsWith(key).length === 1),
]);

const anyKind = record(WRITE, heartbeatKeys, { short: hoisted, alternatives });

const isIn = (keys: Keys, { key }: Entry): boolean => keyOf(keys, key) !== undefined;

/** What of it these keys are for. */
const partOf = (dict: Dict, keys: Keys): Dict => ({
  ...dict,
  entries: dict.entries.filter((entry) => isIn(keys, entry)),
});

/** What a heartbeat of this kind does not know. */
const strangeIn = (dict: Dict, kind: QuestionKind): readonly Entry[] =>
  dict.entries.filter((entry) => !isIn(mannerKeys, entry) && !isIn(questions[kind].keys, entry));

/** One heartbeat. */
const heartbeat: Shape<HeartbeatSpec> = {
  ...anyKind,
  complete: (tree, service) => {
    const kind = tree.type === 'dict' ? kindsIn(tree)[0] : undefined;
    if (tree.type !== 'dict' || kind === undefined) return tree;
    const { keys, shape } = questions[kind];
    const parts = [shape.complete(partOf(tree, keys), service), manner.complete(partOf(tree, mannerKeys), service)];
    // A default for another kind means nothing for this one.
    const strange = strangeIn(tree, kind).filter(
      (entry) => entry.value.layer.type !== 'defaults' || !isIn(heartbeatKeys, entry),
    );
    return { ...tree, entries: [...parts.flatMap((part) => (part.type === 'dict' ? part.entries : [])), ...strange] };
  },
  read: (tree, reading) => {
    if (tree.type !== 'dict') return unfit(reading, tree, WRITE);
    const [kind, ...others] = kindsIn(tree);
    if (kind === undefined) return withoutKind(tree, reading);
    if (others.length > 0) {
      const found = [kind, ...others].join(' and ');
      return complain(reading, tree.at, `found ${found} together; write one of them, or a list of heartbeats`);
    }
    const misfits = strangeIn(tree, kind).filter(({ value }) => !isNull(value));
    for (const { key, at } of misfits) complain(reading, at, misfit(key, kind));
    if (isWrongTogether(tree, kind, reading)) return undefined;
    const { keys, shape } = questions[kind];
    const question = shape.read(partOf(tree, keys), reading);
    const asked = manner.read(partOf(tree, mannerKeys), reading);
    return question === undefined || asked === undefined || misfits.length > 0 ? undefined : specOf(question, asked);
  },
};

/** What is there is checked. A mistyped kind is told as the unknown key that it is. */
function withoutKind(tree: Dict, reading: Reading): undefined {
  anyKind.read(tree, { ...reading, mode: 'partial' });
  const isMistyped = tree.entries.some((entry) => !isIn(heartbeatKeys, entry));
  if (reading.mode === 'whole' && !isMistyped) complain(reading, tree.at, `asks nothing; write ${WRITE}`);
}

function misfit(key: string, kind: QuestionKind): string {
  const kinds = kindsWith(key);
  const home = homeOf(questions[kind].keys, key);
  if (kinds.length === 0) return unknownKey(home === null ? heartbeatKeys : questions[kind].keys, key);
  const advice = home === null ? 'take it out' : `it belongs below \`${home}:\``;
  return `\`${key}\` is for ${kinds.join(', ')}, and means nothing for ${kind}; ${advice}`;
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
  const twice = command?.type === 'dict' ? command.entries.filter(isOfBoth) : [];
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
