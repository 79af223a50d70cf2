// The kinds of heartbeats: for each the question that is made of its keys. A new kind is a table in question-keys.ts and one
// entry here.

import type { Addresses, Question, QuestionKind } from '../core/question.js';
import * as keysOf from './question-keys.js';
import { type Fields, record } from './record.js';
import { below, complain, type Keys, type Reading, refine, type Shape } from './shape.js';
import { type Tree, valueAt } from './tree.js';

export interface KindOfQuestion {
  readonly keys: Keys;
  readonly shape: Shape<Question>;
}

/** A question with a kind's keys. `make` may refuse what is right key by key, but not together. */
function asking<const K extends Keys>(
  keys: K,
  make: (fields: Fields<K>, tree: Tree, reading: Reading) => Question | undefined,
): KindOfQuestion {
  const shape = refine(record('a map of the keys of its kind', keys), (fields, tree, reading) =>
    reading.mode === 'whole' ? make(fields, tree, reading) : undefined,
  );
  return { keys, shape };
}

const addressesOf = (each: 'yes' | 'no'): Addresses => (each === 'yes' ? 'each' : 'any');

export const questions: Readonly<Record<QuestionKind, KindOfQuestion>> = {
  http: asking(keysOf.http, ({ http: at, expect, eachAddress: each, ...asked }) => ({
    kind: 'http',
    ...at,
    ...asked,
    ...expect,
    header: expect.header ?? {},
    addresses: addressesOf(each),
  })),
  tcp: asking(keysOf.tcp, ({ tcp: at, eachAddress: each, ...asked }) => ({
    kind: 'tcp',
    ...at,
    ...asked,
    addresses: addressesOf(each),
  })),
  unix: asking(keysOf.unix, ({ unix: at, ...asked }) => ({ kind: 'unix', path: at, ...asked })),
  tls: asking(keysOf.tls, ({ tls: { to, ...options }, days, eachAddress: each }, tree, reading) =>
    to === null
      ? complain(
          below(reading, 'tls'),
          (valueAt(tree, 'tls') ?? tree).at,
          'says no host; write `tls: example.org:443`, or `to` beside the rest',
        )
      : { kind: 'tls', ...to, tls: options, days, addresses: addressesOf(each) },
  ),
  dns: asking(keysOf.dns, ({ dns: at, ...asked }) => ({ kind: 'dns', ...at, ...asked })),
  ldap: asking(keysOf.ldap, ({ ldap: url, ...asked }, tree, reading) => {
    if (asked.startTls === 'yes' && !url.startsWith('ldap:')) {
      const at = valueAt(tree, 'startTls')?.at ?? tree.at;
      return complain(
        below(reading, 'startTls'),
        at,
        `StartTLS is for ldap:// alone; take it out, or write ldap://HOST`,
      );
    }
    return { kind: 'ldap', url, ...asked };
  }),
  ssh: asking(keysOf.ssh, ({ ssh: at, eachAddress: each }) => ({ kind: 'ssh', ...at, addresses: addressesOf(each) })),
  sshAgent: asking(keysOf.sshAgent, ({ sshAgent: at, ...asked }) => ({ kind: 'sshAgent', path: at, ...asked })),
  smtp: asking(keysOf.smtp, ({ smtp: at, eachAddress: each }) => ({
    kind: 'smtp',
    ...at,
    addresses: addressesOf(each),
  })),
  redis: asking(keysOf.redis, ({ redis: at, ...asked }) => ({ kind: 'redis', at, ...asked })),
  postgres: asking(keysOf.postgres, ({ postgres: at, login: user, database }) => ({
    kind: 'postgres',
    at,
    user,
    database,
  })),
  exec: asking(keysOf.exec, ({ exec: command, codes }) => ({ kind: 'exec', command, codes })),
  file: asking(keysOf.file, ({ file: at, ...asked }, tree, reading) =>
    asked.age === null && asked.size === null && asked.changes === 'no'
      ? complain(reading, tree.at, 'says nothing of the file; write age: "< 10m", size: "> 0" or changes: true')
      : { kind: 'file', path: at, ...asked },
  ),
  process: asking(keysOf.process, ({ process: measured }, tree, reading) =>
    Object.values(measured).every((limit) => limit === null)
      ? complain(reading, tree.at, 'says nothing of its processes; write one like {memory: "< 1G"}')
      : { kind: 'process', ...measured },
  ),
};
