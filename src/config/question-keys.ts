// The keys of each kind of heartbeat, beside those that all have: shapes, defaults and a sentence for people. What becomes of
// them is in question.ts.

import type { DnsType, TlsOptions } from '../core/question.js';
import { commandWithin, foreground } from './command.js';
import { endpoint, ldapPlace, place, server, webPlace } from './endpoint.js';
import { headers, httpExpectation } from './http-expectation.js';
import { defaulted, optional, record, required } from './record.js';
import { secret } from './secret.js';
import {
  describedAs,
  integer,
  type Keys,
  leafShape,
  line,
  oneOf,
  path,
  type Shape,
  unicodeRegex,
  word,
  yesNo,
} from './shape.js';
import { durationThreshold, numberThreshold, percentThreshold, sizeThreshold } from './threshold.js';
import { dictOf } from './tree.js';

const tlsKeys = {
  verify: defaulted(yesNo, 'true', 'The certificate has to be right; `false` takes any.'),
  name: optional(
    line('a host name'),
    'The name that is asked for and that the certificate has to carry, instead of the host.',
  ),
  ca: optional(path(), "A file of certificates to trust instead of the system's."),
} as const satisfies Keys;

const tlsOptions: Shape<TlsOptions> = record('a map like {verify: true, name: example.org, ca: PATH}', tlsKeys);

const tlsServer = server(443);

/** As a kind of its own it says where, too. Optional, for the same key is how others say it, in layers and in the schema. */
const tlsKind = record(
  'a host and port like example.org:443, or a map like {to: "example.org:443", ca: PATH}',
  {
    to: optional(tlsServer, 'Where the handshake is made; left out beside `http` and `ldap`, which say so themselves.'),
    ...tlsKeys,
  },
  { short: (tree) => (tree.type === 'leaf' ? dictOf(tree, { to: tree }) : tree), shortSchema: tlsServer.schema },
);

const auth = record('a map like {user: upkeep, password: {file: PATH}}', {
  user: required(line('a user name'), 'The user name.'),
  password: required(secret, 'The password.'),
});

const bind = record('a map like {dn: "cn=upkeep,dc=example,dc=org", password: {file: PATH}}', {
  dn: required(line('a distinguished name'), 'The name that it binds with; without `bind` it does so anonymously.'),
  password: required(secret, 'The password.'),
});

const eachAddress = defaulted(
  yesNo,
  'false',
  'All addresses of the name have to answer, and those that do not are named; else the first that connects is asked.',
);

const method = word('a method like GET or HEAD', /^[A-Z]+$/);

export const http = {
  http: required(webPlace, 'This URL is asked for.'),
  method: defaulted(method, 'GET', 'How it is asked for.'),
  headers: defaulted(headers, '{}', 'Headers that are sent.'),
  expect: defaulted(httpExpectation, '{}', 'What is expected of the answer.'),
  redirects: defaulted(integer(0, 20), '0', 'How many redirections are followed; with 0 the first answer counts.'),
  auth: optional(auth, 'Basic authentication.'),
  tls: defaulted(tlsOptions, '{}', 'How the certificate is judged.'),
  eachAddress,
} as const satisfies Keys;

const send = optional(
  leafShape<string>('a text', { type: ['string', 'number', 'boolean'] }, (text) => ({ type: 'ok', value: text })),
  'A text that is sent once it is connected; between double quotes \\r and \\n are what they are in YAML.',
);
const answer = optional(unicodeRegex, 'A regular expression for what it answers, on the first 64 KiB.');

export const tcp = {
  tcp: required(endpoint, 'Something accepts connections on this TCP port.'),
  send,
  expect: answer,
  eachAddress,
} as const satisfies Keys;

export const unix = {
  unix: required(path(), 'Something accepts connections on this Unix socket.'),
  send,
  expect: answer,
} as const satisfies Keys;

export const tls = {
  tls: required(
    tlsKind,
    'A handshake of TLS is made, and the certificate is right. Beside `http` and `ldap` no kind, but how their certificate is judged.',
  ),
  days: defaulted(
    integer(0, 3650),
    '0',
    'For so many days more the certificates have to be valid; 14 with `then: notice` warns in time.',
  ),
  eachAddress,
} as const satisfies Keys;

const dnsType = oneOf<DnsType>('A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT');
const dnsName = leafShape<string>('a name like www.example.org', { type: 'string', pattern: '^\\S+$' }, (text) =>
  /^(?:\.|[^\s.\p{Cc}]{1,63}(?:\.[^\s.\p{Cc}]{1,63})*\.?)$/u.test(text) && text.length <= 254
    ? { type: 'ok', value: text }
    : { type: 'bad', problem: 'is no name; write one like www.example.org' },
);

export const dns = {
  dns: required(server(53), 'This name server is asked, by UDP.'),
  query: required(dnsName, 'The name that it is asked for; it has to be written.'),
  type: defaulted(dnsType, 'A', 'Which kind of record.'),
  expect: optional(unicodeRegex, 'A regular expression that one of the answers matches; else any answer will do.'),
} as const satisfies Keys;

export const ldap = {
  ldap: required(ldapPlace, 'This directory lets us bind and shows its root entry.'),
  bind: optional(bind, 'Who binds; else nobody, anonymously.'),
  startTls: defaulted(yesNo, 'false', 'The connection is encrypted by StartTLS first.'),
  tls: defaulted(tlsOptions, '{}', 'How the certificate is judged.'),
} as const satisfies Keys;

export const ssh = {
  ssh: required(server(22), 'This SSH server greets.'),
  eachAddress,
} as const satisfies Keys;

export const sshAgent = {
  sshAgent: required(path(), 'The agent behind this socket lists its keys.'),
  keys: defaulted(integer(0, 1000), '0', 'So many keys at least.'),
  sign: defaulted(yesNo, 'false', 'And it signs with the first of them.'),
} as const satisfies Keys;

export const smtp = {
  smtp: required(server(25), 'This mail server greets, and answers EHLO.'),
  eachAddress,
} as const satisfies Keys;

const password = optional(secret, 'The password.');

export const redis = {
  redis: required(place(6379), 'This Redis answers PING.'),
  password,
} as const satisfies Keys;

const login = leafShape<string>('the name of a role or database', { type: 'string' }, (text) =>
  text === '' || text.includes('\0') ? { type: 'bad', problem: 'is no name' } : { type: 'ok', value: text },
);

export const postgres = {
  postgres: required(place(5432), 'This PostgreSQL begins a session: a host, or the directory of its socket.'),
  login: defaulted(login, 'postgres', 'The role that the session is begun as; nothing is ever run in it.'),
  database: optional(login, 'The database; else that of the role.'),
} as const satisfies Keys;

const program = describedAs(foreground, 'a command: words, or a list of arguments', commandWithin('5s').schema);

export const exec = {
  exec: required(program, 'A program: it exits 0 when all is well, 1 when not, 125 when it could not ask.'),
  codes: defaulted(
    oneOf('upkeep', 'nagios'),
    'upkeep',
    '`nagios`: 0 and 1 (a warning) are good, 2 has failed, 3 could not ask.',
  ),
} as const satisfies Keys;

export const file = {
  file: required(path(), 'A file that is there; with at least one of `age`, `size` and `changes`.'),
  age: optional(durationThreshold, 'The time since its last change.'),
  size: optional(sizeThreshold, 'Its size.'),
  changes: defaulted(yesNo, 'false', 'It has changed since it was asked for before.'),
} as const satisfies Keys;

const measures = record('a map like {memory: "< 1G", cpu: "< 90%"}', {
  memory: optional(sizeThreshold, 'The memory of all its processes together.'),
  cpu: optional(percentThreshold, 'What they have used of one processor since the last question; four can use 400%.'),
  threads: optional(numberThreshold, 'Their threads.'),
  openFiles: optional(numberThreshold, 'Their open descriptors.'),
});

export const process = {
  process: required(measures, 'All processes of the service together; the keeper itself measures them.'),
} as const satisfies Keys;
