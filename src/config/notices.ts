// `notices`: channels and rules. Checked here in full; what sends them is src/notices/.

import { noticeKinds } from '../core/notice.js';
import type { Channel, NoticeRule, NoticesSpec, Secret } from '../core/notice-spec.js';
import { durationOrNone } from './amounts.js';
import { commandWithin } from './command.js';
import { named } from './named.js';
import { defaulted, optional, record, required } from './record.js';
import { secret } from './secret.js';
import { SERVICE_NAME } from './service-name.js';
import { complain, type Keys, leafShape, line, listOf, oneOf, path, refine, type Shape, word } from './shape.js';
import { didYouMean } from './suggest.js';
import { dictOf, entryOf, valueAt } from './tree.js';

const NAME = SERVICE_NAME;

const address = leafShape(
  'an address like root or ops@example.org',
  { type: 'string', pattern: '^[^\\s<>,;]+$' },
  (text) =>
    /^[^\s<>,;"\p{Cc}-][^\s<>,;"\p{Cc}]*$/u.test(text)
      ? { type: 'ok', value: text }
      : { type: 'bad', problem: 'is no address; write one like root or ops@example.org' },
);

/** A host, and a port if there is one: `mail.example.org:587`, `[::1]:25`. */
const server = (write: string): Shape<string> => word(write, /^(?:[\w.-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/);

type Via = Extract<Channel, { type: 'mail' }>['via'];

const smtp = record('sendmail, or a map like {smtp: "mail.example.org:587"}', {
  smtp: required(
    server('a host and a port like mail.example.org:587'),
    'The mail server and its port, 587 unless it is said.',
  ),
  user: optional(line('a user name'), 'The user name there.'),
  password: optional(secret, 'The password there.'),
  tls: defaulted(
    oneOf('verify', 'insecure', 'none'),
    'verify',
    'Whether the certificate is checked: `insecure` takes any, `none` does not encrypt. With `verify` and `insecure` nothing is sent in the clear, save to this host or to port 25.',
  ),
});

const via: Shape<Via> = {
  ...smtp,
  schema: { anyOf: [{ const: 'sendmail' }, smtp.schema] },
  read: (tree, reading) => {
    if (tree.type === 'leaf' && tree.text === 'sendmail') return { type: 'sendmail' };
    const read = smtp.read(tree, reading);
    if (read === undefined) return undefined;
    const { smtp: server, ...login } = read;
    if (login.password !== null && login.user === null)
      return complain(reading, tree.at, 'there is a password, but no user; write `user` too');
    if (login.user !== null && login.password === null)
      return complain(reading, tree.at, 'there is a user, but no password; write `password: {file: PATH}`');
    return { type: 'smtp', server, ...login };
  },
};

const mail = refine(
  record(
    'an address, or a map with `to`',
    {
      to: required(listOf(address, 'single'), 'Who gets it.'),
      from: optional(address, 'Who it comes from.'),
      via: defaulted(via, 'sendmail', 'How it is sent.'),
    },
    {
      short: (tree) => (tree.type === 'leaf' || tree.type === 'list' ? dictOf(tree, { to: tree }) : tree),
      shortSchema: listOf(address, 'single').schema,
    },
  ),
  (fields, tree, reading) =>
    fields.to.length > 0
      ? { type: 'mail' as const, ...fields }
      : complain(reading, tree.at, '`to` names nobody; write an address'),
);

const facility = oneOf(
  'daemon',
  'user',
  'auth',
  'authpriv',
  'cron',
  'mail',
  'syslog',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
);

const syslog = record(
  'a map like {facility: daemon}',
  {
    facility: defaulted(facility, 'daemon', 'The facility of syslog.'),
    server: optional(
      server('a host like log.example.org:514'),
      'Another host, told by UDP (RFC 5424, port 514); else the syslog of this one.',
    ),
  },
  { short: (tree) => (tree.type === 'leaf' ? dictOf(tree, { facility: tree }) : tree), shortSchema: facility.schema },
);

const webAddress = leafShape('a URL', { type: 'string', pattern: '^https?://' }, (text) =>
  /^https?:\/\//.test(text) && URL.canParse(text)
    ? { type: 'ok', value: text }
    : { type: 'bad', problem: 'is no URL; write one that begins with https://' },
);

const urlOrSecret: Shape<string | Secret> = {
  ...webAddress,
  write: 'a URL, or {env: NAME} or {file: PATH} that holds one',
  schema: { anyOf: [webAddress.schema, secret.schema] },
  keys: secret.keys,
  read: (tree, reading) => (tree.type === 'dict' ? secret : webAddress).read(tree, reading),
};

const webhook = record('a map with `url`', {
  url: required(urlOrSecret, 'Where it is posted to.'),
  format: defaulted(oneOf('json', 'slack', 'ntfy'), 'json', 'In which form.'),
});

const channelKeys = {
  mail: optional(mail, 'By mail.'),
  syslog: optional(syslog, 'To syslog.'),
  file: optional(path(), 'A line in this file.'),
  exec: optional(commandWithin('30s'), 'To a command: JSON on stdin, its fields as UPKEEP_… variables.'),
  webhook: optional(webhook, 'By HTTP.'),
} as const satisfies Keys;

const CHANNEL_KINDS = Object.keys(channelKeys);

const channel: Shape<Channel> = refine(
  record('a map with one of mail, syslog, file, exec or webhook', channelKeys),
  (fields, tree, reading) => {
    const ways: readonly (Channel | null)[] = [
      fields.mail,
      fields.syslog === null ? null : { type: 'syslog', ...fields.syslog },
      fields.file === null ? null : { type: 'file', path: fields.file },
      fields.exec === null ? null : { type: 'exec', command: fields.exec },
      fields.webhook === null ? null : { type: 'webhook', ...fields.webhook },
    ];
    const [only, second] = ways.filter((way) => way !== null);
    if (only !== undefined && second === undefined) return only;
    return complain(reading, tree.at, `write exactly one of ${CHANNEL_KINDS.join(', ')} in a channel`);
  },
);

const channels: Shape<Readonly<Record<string, Channel>>> = refine(named('a map of channels', channel), (all) =>
  Object.fromEntries(all.map(({ entry, value }) => [entry.key, value])),
);

const selector = word('the name of a service, a glob like db-*, or @tag', /^@?[A-Za-z0-9_.*?[\]-]+(?:@[0-9*?]+)?$/);

const rule: Shape<NoticeRule> = record('a map like {kinds: [failed], tell: [admin]}', {
  kinds: optional(listOf(oneOf(...noticeKinds), 'single'), 'Which kinds; else all but `died` and `stopped`.'),
  services: optional(listOf(selector, 'single'), 'Which services: names, globs or @tags; else all.'),
  tell: required(listOf(word('the name of a channel', NAME), 'single'), 'Which channels.'),
});

const full = record(
  'a map like {mail: root}, or one with `channels` and `rules`',
  {
    channels: required(channels, 'Where notices go: name → channel.'),
    rules: optional(
      listOf(rule, 'list'),
      'Who is told of what: all that match apply; else every channel is told the default kinds.',
    ),
    digest: defaulted(durationOrNone, '5m', 'What healed by itself is gathered this long.'),
    remind: defaulted(durationOrNone, '4h', 'After what time one is reminded of what is still down, growing.'),
  },
  {
    short: (tree) => {
      const kinds = tree.type === 'dict' ? tree.entries.filter((entry) => CHANNEL_KINDS.includes(entry.key)) : [];
      if (tree.type !== 'dict' || kinds.length === 0 || entryOf(tree, 'channels') !== undefined) return tree;
      const short = dictOf(
        tree,
        Object.fromEntries(kinds.map((entry) => [entry.key, dictOf(entry.value, { [entry.key]: entry.value })])),
      );
      const rest = tree.entries.filter((entry) => !CHANNEL_KINDS.includes(entry.key));
      return { ...tree, entries: [{ key: 'channels', at: short.at, value: short }, ...rest] };
    },
    shortSchema: record('', channelKeys).schema,
  },
);

export const notices: Shape<NoticesSpec> = refine(full, (fields, tree, reading) => {
  // The names as written: a channel that could not be read is reported once, not again wherever it is told.
  const written = valueAt(tree, 'channels');
  const known = written?.type === 'dict' ? written.entries.map((entry) => entry.key) : [];
  const rules = valueAt(tree, 'rules');
  let isGood = true;
  fields.rules?.forEach((one, index) => {
    const tell = rules?.type === 'list' ? valueAt(rules.items[index], 'tell') : undefined;
    one.tell.forEach((name, position) => {
      if (known.includes(name)) return;
      isGood = false;
      const at = tell?.type === 'list' ? tell.items[position]?.at : undefined;
      const hint = didYouMean(name, known);
      complain(
        reading,
        at ?? tree.at,
        `unknown channel ${JSON.stringify(name)}${hint === '' ? `; declared are ${known.join(', ') || 'none'}` : hint}`,
      );
    });
  });
  const everyone: NoticeRule = { kinds: null, services: null, tell: known };
  return isGood ? { ...fields, rules: fields.rules ?? [everyone] } : undefined;
});
