// The table of everything that may be said of a heartbeat, whatever its kind: for help, the reference, editors, and for layers
// that say a part of one. And which of it a kind knows.

import type { QuestionKind } from '../core/question.js';
import { account, duration } from './amounts.js';
import { httpExpectation } from './http-expectation.js';
import { questions } from './question.js';
import { defaulted, optional } from './record.js';
import { every, fails, reaction, timeout } from './schedule.js';
import { LONGEST_NAME, SERVICE_NAME } from './service-name.js';
import { complain, type Key, type Keys, leafShape, refine, type Shape, unicodeRegex } from './shape.js';
import { type Dict, valueAt } from './tree.js';

export const KINDS = Object.keys(questions) as readonly QuestionKind[];

const isKind = (name: string): name is QuestionKind => Object.hasOwn(questions, name);

/** Stands for all heartbeats of a service where one is named. */
export const ALL = 'all';

const name = leafShape<string>(
  'a name like web',
  { type: ['string', 'number'], pattern: SERVICE_NAME.source, maxLength: LONGEST_NAME },
  (text) => {
    if (text === ALL) return { type: 'bad', problem: 'means all heartbeats; write another name' };
    return SERVICE_NAME.test(text) && text.length <= LONGEST_NAME
      ? { type: 'ok', value: text }
      : {
          type: 'bad',
          problem: 'is no name; names are of letters, digits, _ . and -, and begin with a letter or digit',
        };
  },
);

const asker: Shape<string> = refine(account, (who, tree, reading) =>
  who === 'root' || Number(who) === 0
    ? complain(reading, tree.at, 'found root, as whom nothing is ever asked; write another account')
    : who,
);

/** What all kinds have. */
export const mannerKeys = {
  name: optional(name, 'What it is called, where there are several; else its kind.'),
  every: defaulted(every, '30s', 'How often it is asked, or when, as a cron expression in local time.'),
  timeout: defaulted(timeout, '5s', 'What has not answered by then has failed.'),
  grace: defaulted(
    duration,
    '10s',
    'From the start of the process: failures do not count so long. The first good answer ends it.',
  ),
  fails: defaulted(fails, '3 in a row', 'So many failures are one too many; `3 of 5` of the last five answers.'),
  then: defaulted(
    reaction,
    'restart',
    'What happens then: `restart`, gracefully and by the rules of `restart`; `notice`, somebody is told; `stop`; or a command.',
  ),
  user: optional(asker, "Who asks; else the service's own user, and nobody where that is root."),
  group: optional(account, "The asker's group, instead of the user's own."),
} as const satisfies Keys;

/** The kinds that know a key which is not the name of one. */
export const kindsWith = (key: string): readonly QuestionKind[] =>
  KINDS.filter((kind) => Object.hasOwn(questions[kind].keys, key));

/** Beside these, `tls` says how a certificate is judged, and is no kind of its own. */
export const hasTlsOptions = (kind: QuestionKind): boolean =>
  kind !== 'tls' && Object.hasOwn(questions[kind].keys, 'tls');

/** The kinds that are named in it; one in what is right. */
export function kindsIn(dict: Dict): readonly QuestionKind[] {
  const named = dict.entries.map(({ key }) => key).filter((key) => isKind(key) && valueAt(dict, key) !== undefined);
  const kinds = named.filter(isKind);
  return kinds.some(hasTlsOptions) ? kinds.filter((kind) => kind !== 'tls') : kinds;
}

const expectation: Shape<unknown> = {
  ...httpExpectation,
  write: 'a map like {status: 200-399} (http), or a regular expression',
  schema: { anyOf: [httpExpectation.schema, unicodeRegex.schema] },
  read: (tree, reading) => (tree.type === 'dict' ? httpExpectation : unicodeRegex).read(tree, reading),
};

const expect = optional(
  expectation,
  'For http: what is expected of the answer. For tcp, unix, dns: a regular expression for it.',
);

/** Every key of every kind, each with the kinds that it is for. None has to be there: a layer may say a part. */
function keysOfKinds(): Keys {
  const table: Record<string, Key<unknown>> = {};
  for (const kind of KINDS) {
    for (const [key, of] of Object.entries(questions[kind].keys)) {
      const presence = of.presence === 'required' ? 'optional' : of.presence;
      if (key === kind) table[key] = { ...of, presence };
      else table[key] ??= { ...of, presence, doc: `For ${kindsWith(key).join(', ')}: ${of.doc}` };
    }
  }
  return { ...table, expect };
}

const { name: called, ...manner } = mannerKeys;

/** Every key that a heartbeat may have. */
export const heartbeatKeys: Keys = { name: called, ...keysOfKinds(), ...manner };
