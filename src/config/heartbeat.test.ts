import { describe, expect, it } from 'vitest';
import { configOf, problemsOf, warningsOf } from '../../test/support/configuration.js';
import type { HeartbeatSpec } from '../core/heartbeat.js';
import type { Question } from '../core/question.js';

/** A supervised service `web`; the settings begin in line 3, column 5. */
const web = (settings: string): string => `services:\n  web:\n${settings.replace(/^/gm, '    ')}\n`;

const heartbeatsOf = (settings: string): readonly HeartbeatSpec[] =>
  configOf(web(`run: x\n${settings}`)).specs[0]?.heartbeats ?? [];

function heartbeat(settings: string): HeartbeatSpec {
  const [only] = heartbeatsOf(`heartbeat: ${settings}`);
  if (only === undefined) throw new Error('no heartbeat');
  return only;
}

const question = (settings: string): Question => heartbeat(settings).question;

const TLS = { verify: 'yes', name: null, ca: null };

describe('a heartbeat of which little is said', () => {
  it('has the defaults of product.md 2.7', () =>
    expect(heartbeat('{ http: http://localhost:8080/ }')).toEqual({
      name: 'http',
      question: {
        kind: 'http',
        url: 'http://localhost:8080/',
        socket: null,
        method: 'GET',
        headers: {},
        status: [[200, 399]],
        body: null,
        header: {},
        redirects: 0,
        auth: null,
        tls: TLS,
        addresses: 'any',
      },
      every: { type: 'interval', every: 30_000 },
      timeout: 5000,
      grace: 10_000,
      fails: { count: 3, of: 3 },
      then: { type: 'restart' },
      user: null,
      group: null,
    }));
});

describe('the question', () => {
  it('by HTTP can say how it is asked and what is expected', () =>
    expect(
      question(
        '{ http: "https://shop.example.org/x?y=1", method: HEAD, headers: { Accept: "*/*", X-N: 1 }, expect: { status: [200, 301-302], body: "^ok", header: { Content-Type: html } }, redirects: 3, auth: { user: u, password: { env: PW } }, tls: { verify: false, name: n, ca: /ca.pem }, eachAddress: true }',
      ),
    ).toEqual({
      kind: 'http',
      url: 'https://shop.example.org/x?y=1',
      socket: null,
      method: 'HEAD',
      headers: { Accept: '*/*', 'X-N': '1' },
      status: [
        [200, 200],
        [301, 302],
      ],
      body: '^ok',
      header: { 'Content-Type': 'html' },
      redirects: 3,
      auth: { user: 'u', password: { type: 'env', name: 'PW' } },
      tls: { verify: 'no', name: 'n', ca: '/ca.pem' },
      addresses: 'each',
    }));

  it.each([
    ['http://unix:/run/app.sock:/health?a=b', '/run/app.sock', 'http://localhost/health?a=b'],
    ['http://unix:/run/app.sock', '/run/app.sock', 'http://localhost/'],
    ['https://unix:/run/app.sock:/', '/run/app.sock', 'https://localhost/'],
    ['http://[::1]:8080', null, 'http://[::1]:8080/'],
  ])('by HTTP knows sockets: %s', (url, socket, asked) =>
    expect(question(`{ http: "${url}" }`)).toMatchObject({ socket, url: asked }),
  );

  it.each<[string, object]>([
    ['{ tcp: 8080 }', { kind: 'tcp', host: 'localhost', port: 8080, send: null, expect: null, addresses: 'any' }],
    [
      '{ tcp: "[::1]:25", send: "a\\r\\n", expect: 220 }',
      { kind: 'tcp', host: '::1', port: 25, send: 'a\r\n', expect: '220', addresses: 'any' },
    ],
    ['{ unix: /run/x.sock }', { kind: 'unix', path: '/run/x.sock', send: null, expect: null }],
    ['{ tls: example.org }', { kind: 'tls', host: 'example.org', port: 443, tls: TLS, days: 0, addresses: 'any' }],
    [
      '{ tls: { to: "localhost:465", name: mail.example.org }, days: 14 }',
      {
        kind: 'tls',
        host: 'localhost',
        port: 465,
        tls: { ...TLS, name: 'mail.example.org' },
        days: 14,
        addresses: 'any',
      },
    ],
    [
      '{ dns: 127.0.0.1, query: example.org, type: MX, expect: mail }',
      { kind: 'dns', host: '127.0.0.1', port: 53, query: 'example.org', type: 'MX', expect: 'mail' },
    ],
    ['{ ldap: localhost }', { kind: 'ldap', url: 'ldap://localhost:389', bind: null, startTls: 'no', tls: TLS }],
    ['{ ldap: "[::1]:1389" }', { kind: 'ldap', url: 'ldap://[::1]:1389', bind: null, startTls: 'no', tls: TLS }],
    [
      '{ ldap: "ldapi:///", bind: { dn: cn=a, password: { file: /p } } }',
      {
        kind: 'ldap',
        url: 'ldapi:///',
        bind: { dn: 'cn=a', password: { type: 'file', path: '/p' } },
        startTls: 'no',
        tls: TLS,
      },
    ],
    ['{ ssh: 2222 }', { kind: 'ssh', host: 'localhost', port: 2222, addresses: 'any' }],
    ['{ sshAgent: /run/a, keys: 1, sign: true }', { kind: 'sshAgent', path: '/run/a', keys: 1, sign: 'yes' }],
    ['{ smtp: mail.example.org }', { kind: 'smtp', host: 'mail.example.org', port: 25, addresses: 'any' }],
    ['{ redis: localhost }', { kind: 'redis', at: { type: 'tcp', host: 'localhost', port: 6379 }, password: null }],
    ['{ redis: /run/r.sock }', { kind: 'redis', at: { type: 'unix', path: '/run/r.sock' }, password: null }],
    [
      '{ postgres: /run/postgresql, database: shop }',
      { kind: 'postgres', at: { type: 'unix', path: '/run/postgresql' }, user: 'postgres', database: 'shop' },
    ],
    [
      '{ postgres: db, login: upkeep }',
      { kind: 'postgres', at: { type: 'tcp', host: 'db', port: 5432 }, user: 'upkeep', database: null },
    ],
    [
      '{ file: /a, age: "< 10m", size: "> 0", changes: true }',
      { kind: 'file', path: '/a', age: { is: '<', than: 600_000 }, size: { is: '>', than: 0 }, changes: 'yes' },
    ],
    [
      '{ process: { memory: "< 1G", cpu: "<= 250%", threads: "<500", openFiles: ">= 3" } }',
      {
        kind: 'process',
        memory: { is: '<', than: 1024 ** 3 },
        cpu: { is: '<=', than: 250 },
        threads: { is: '<', than: 500 },
        openFiles: { is: '>=', than: 3 },
      },
    ],
  ])('is read: %s', (settings, expected) => expect(question(settings)).toEqual(expected));

  it('of a command is timed by its heartbeat, and asked by its user', () => {
    const {
      question: command,
      timeout,
      user,
    } = heartbeat('{ exec: { exec: a b, timeout: 10s, user: www }, codes: nagios }');
    expect(command).toEqual({
      kind: 'exec',
      command: { argv: ['a', 'b'], timeout: 10_000, user: 'www' },
      codes: 'nagios',
    });
    expect([timeout, user]).toEqual([10_000, 'www']);
    expect(heartbeat('{ exec: [a, b c], timeout: 1s }')).toMatchObject({
      question: { command: { argv: ['a', 'b c'], timeout: 1000, user: null } },
      timeout: 1000,
    });
  });
});

describe('when it is asked and what follows', () => {
  it.each<[string, HeartbeatSpec['every']]>([
    ['500ms', { type: 'interval', every: 500 as never }],
    ['"*/5 8-18 * * MON-FRI"', { type: 'cron', expression: '*/5 8-18 * * MON-FRI' }],
    ['"@hourly"', { type: 'cron', expression: '@hourly' }],
  ])('every: %s', (every, expected) => expect(heartbeat(`{ tcp: 1, every: ${every} }`).every).toEqual(expected));

  it.each([
    ['2', 2, 2],
    ['3 in a row', 3, 3],
    ['"3 of 5"', 3, 5],
  ])('fails: %s', (fails, count, of) => expect(heartbeat(`{ tcp: 1, fails: ${fails} }`).fails).toEqual({ count, of }));

  it.each<[string, HeartbeatSpec['then']]>([
    ['restart', { type: 'restart' }],
    ['notice', { type: 'notice' }],
    ['stop', { type: 'stop' }],
    ['{ exec: a b }', { type: 'exec', command: { argv: ['a', 'b'], timeout: 90_000 as never, user: null } }],
    [
      '{ exec: { exec: a, timeout: 1s, user: www } }',
      { type: 'exec', command: { argv: ['a'], timeout: 1000 as never, user: 'www' } },
    ],
  ])('then: %s', (then, expected) => expect(heartbeat(`{ tcp: 1, then: ${then} }`).then).toEqual(expected));

  it('may be by the calendar for a restart too, spread over hosts', () => {
    const [spec] = configOf(web('run: x\nrestart: { at: "0 4 * * 0", spread: 10m }')).specs;
    expect(spec?.restart).toMatchObject({ at: '0 4 * * 0', spread: 600_000 });
  });
});

describe('several heartbeats', () => {
  it('are a list, each with a name', () =>
    expect(
      heartbeatsOf('heartbeat: [{ tcp: 1 }, { name: page, http: http://a/ }, { process: { cpu: "< 9%" } }]').map(
        ({ name }) => name,
      ),
    ).toEqual(['tcp', 'page', 'process']));

  it('can be none', () => expect(heartbeatsOf('heartbeat: []')).toEqual([]));
});

describe('layers', () => {
  const read = (text: string): readonly HeartbeatSpec[] => configOf(text).specs[0]?.heartbeats ?? [];

  it('merge by key, and say nothing of a service that is asked nothing', () => {
    const defaults = 'defaults: { heartbeat: { every: 5s, method: HEAD } }\n';
    expect(read(`${defaults}services: { w: { run: x, heartbeat: { http: http://a/ } } }\n`)).toMatchObject([
      { every: { every: 5000 }, question: { method: 'HEAD' } },
    ]);
    expect(read(`${defaults}services: { w: { run: x, heartbeat: { tcp: 1 } } }\n`)).toMatchObject([
      { every: { every: 5000 }, question: { kind: 'tcp' } },
    ]);
    expect(read(`${defaults}services: { w: { run: x } }\n`)).toEqual([]);
  });

  it('replace the kind of a template, with what is for that kind alone', () => {
    const template = 'templates: { t: { heartbeat: { http: http://a/, method: HEAD, every: 5s } } }\n';
    expect(read(`${template}services: { w: { run: x, extends: t, heartbeat: { tcp: 1 } } }\n`)).toMatchObject([
      { name: 'tcp', every: { every: 5000 } },
    ]);
    expect(read(`${template}services: { w: { run: x, extends: t, heartbeat: { tls: { ca: /c } } } }\n`)).toMatchObject([
      { name: 'http', question: { tls: { ca: '/c' } } },
    ]);
    expect(read(`${template}services: { w: { run: x, extends: t, heartbeat: null } }\n`)).toEqual([]);
  });

  it('let each member of a pool have its number in it', () =>
    expect(
      configOf('services: { w: { run: x, instances: 2, heartbeat: { http: "http://localhost:808%i/" } } }\n').specs.map(
        ({ heartbeats: [one] }) => one?.question,
      ),
    ).toMatchObject([{ url: 'http://localhost:8081/' }, { url: 'http://localhost:8082/' }]));

  it('give a oneshot none of the defaults', () =>
    expect(read('defaults: { heartbeat: { tcp: 1 } }\nservices: { w: { run: x, oneshot: true } }\n')).toEqual([]));
});

describe('ready: heartbeat', () => {
  it.each([
    ['ready: heartbeat', null],
    ['ready: { heartbeat: all, timeout: 5s }', null],
    ['ready: { heartbeat: tcp }', 'tcp'],
  ])('%s', (ready, name) =>
    expect(configOf(web(`run: x\nheartbeat: { tcp: 1 }\n${ready}`)).specs[0]?.ready.probe).toEqual({
      type: 'heartbeat',
      name,
    }),
  );
});

const ABOUT =
  'asks nothing; write a map with one of http, tcp, unix, tls, dns, ldap, ssh, sshAgent, smtp, redis, postgres, exec, file, process';

/** What stands after `heartbeat: ` in line 4, column 16. */
const MISTAKES: readonly (readonly [string, string, string])[] = [
  ['nothing that is asked', '{ every: 5s }', `4:16: services.web.heartbeat: ${ABOUT}`],
  ['an empty map', '{}', `4:16: services.web.heartbeat: ${ABOUT}`],
  [
    'a kind that is mistyped',
    '{ htp: http://a/ }',
    '4:18: services.web.heartbeat: unknown key "htp"; did you mean http',
  ],
  [
    'a key that belongs one level deeper, also where another has such letters',
    '{ http: "http://a/", status: 200 }',
    '4:37: services.web.heartbeat: unknown key "status"; it belongs below `expect:`',
  ],
  [
    'a key that belongs one level deeper, or has a letter too few',
    '{ http: "http://a/", header: { A: b } }',
    '4:37: services.web.heartbeat: unknown key "header"; it belongs below `expect:`, or did you mean headers',
  ],
  [
    'a key that another kind has, and belongs one level deeper here',
    '{ http: "http://a/", password: { env: P } }',
    '4:37: services.web.heartbeat: `password` is for redis, and means nothing for http; it belongs below `auth:`',
  ],
  ['an unknown key', '{ tcp: 1, evry: 5s }', '4:26: services.web.heartbeat: unknown key "evry"; did you mean every'],
  [
    'two kinds',
    '{ tcp: 1, http: http://a/ }',
    '4:16: services.web.heartbeat: found tcp and http together; write one of them, or a list of heartbeats',
  ],
  [
    'a key of another kind',
    '{ tcp: 1, method: HEAD }',
    '4:26: services.web.heartbeat: `method` is for http, and means nothing for tcp; take it out',
  ],
  [
    'a key of two other kinds',
    '{ ssh: 22, send: x }',
    '4:27: services.web.heartbeat: `send` is for tcp, unix, and means nothing for ssh; take it out',
  ],
  [
    'a host for TLS beside a URL',
    '{ http: https://a/, tls: "b:443" }',
    '4:41: services.web.heartbeat.tls: found a host beside `http`, which says itself where it asks; take it out, or write a list of two heartbeats',
  ],
  [
    'a handshake with nobody',
    '{ tls: { ca: /c } }',
    '4:23: services.web.heartbeat.tls: says no host; write `tls: example.org:443`, or `to` beside the rest',
  ],
  [
    'two of the same name',
    '[{ tcp: 1 }, { tcp: 2 }]',
    '4:29: services.web.heartbeat.2: two heartbeats are called tcp; write a `name` of its own',
  ],
  [
    'a name that means all',
    '{ tcp: 1, name: all }',
    '4:32: services.web.heartbeat.name: found "all", which means all heartbeats; write another name',
  ],
  [
    'a password in the URL',
    '{ http: "http://u:secret@a/" }',
    '4:24: services.web.heartbeat.http: found a user in the URL; write `auth: {user: NAME, password: {file: PATH}}` beside it, and take it out of the URL',
  ],
  [
    'a password in the clear',
    '{ redis: a, password: secret }',
    '4:38: services.web.heartbeat.password: a secret is not written into the configuration; write {file: PATH} or {env: NAME}',
  ],
  [
    'no URL',
    '{ http: localhost }',
    '4:24: services.web.heartbeat.http: found "localhost", which is no URL; write a URL like http://localhost:8080/ or http://unix:/run/app.sock:/health',
  ],
  [
    'a port too far',
    '{ tcp: "a:65536" }',
    '4:23: services.web.heartbeat.tcp: found "a:65536", which is no port; write one from 1 to 65535, or an address and a port like 10.0.0.1:8080',
  ],
  [
    'a host without its port',
    '{ tcp: a }',
    '4:23: services.web.heartbeat.tcp: found "a", which is no port; write one from 1 to 65535, or an address and a port like 10.0.0.1:8080',
  ],
  [
    'no host',
    '{ ssh: "a b" }',
    '4:23: services.web.heartbeat.ssh: found "a b", which is no host; write a host like localhost, or host:port where the port is not 22',
  ],
  [
    'a status that is none',
    '{ http: http://a/, expect: { status: 20x } }',
    '4:53: services.web.heartbeat.expect.status.1: found "20x", which is no status of HTTP; write one like 200, or a range like 200-399',
  ],
  [
    'a range from above',
    '{ http: http://a/, expect: { status: 399-200 } }',
    '4:53: services.web.heartbeat.expect.status.1: found "399-200", which is an empty range; write 200-399',
  ],
  [
    'a bad expression',
    '{ tcp: 1, expect: "\\\\u{" }',
    '4:34: services.web.heartbeat.expect: found "\\\\u{", which is no regular expression (Invalid Unicode escape); write one of JavaScript\'s',
  ],
  [
    'a line break in a header',
    '{ http: http://a/, headers: { A: "b\\nc" } }',
    '4:49: services.web.heartbeat.headers.A: found "b\\nc", which has a line break or another control character, which no header has',
  ],
  [
    'a name of a header that is none',
    '{ http: http://a/, headers: { "A:": b } }',
    '4:46: services.web.heartbeat.headers: found the name "A:"; names are those of HTTP headers, of letters, digits and -',
  ],
  [
    'a question without a name',
    '{ dns: a }',
    '4:16: services.web.heartbeat: `query` is missing; write a name like www.example.org',
  ],
  [
    'a bad name',
    '{ dns: a, query: "a..b" }',
    '4:33: services.web.heartbeat.query: found "a..b", which is no name; write one like www.example.org',
  ],
  [
    'StartTLS over TLS',
    '{ ldap: "ldaps://a", startTls: true }',
    '4:47: services.web.heartbeat.startTls: StartTLS is for ldap:// alone; take it out, or write ldap://HOST',
  ],
  [
    'another URL than a directory',
    '{ ldap: "http://a" }',
    '4:24: services.web.heartbeat.ldap: found "http://a", which is no URL of a directory; write a host like localhost, or a URL like ldaps://ldap.example.org or ldapi:///',
  ],
  [
    'a file of which nothing is said',
    '{ file: /a }',
    '4:16: services.web.heartbeat: says nothing of the file; write age: "< 10m", size: "> 0" or changes: true',
  ],
  [
    'processes of which nothing is said',
    '{ process: {} }',
    '4:16: services.web.heartbeat: says nothing of its processes; write one like {memory: "< 1G"}',
  ],
  [
    'a bare size',
    '{ process: { memory: 1G } }',
    '4:37: services.web.heartbeat.process.memory: found "1G", which is no comparison; write one like "< 1G"',
  ],
  [
    'a size without sense',
    '{ process: { memory: "< 1 GB" } }',
    '4:37: services.web.heartbeat.process.memory: found "< 1 GB", which is no comparison; write one like "< 1G"',
  ],
  [
    'a share without its sign',
    '{ process: { cpu: "< 90" } }',
    '4:34: services.web.heartbeat.process.cpu: found "< 90", which cannot be compared with, for 90 is no percentage; write one like 90%',
  ],
  [
    'a time twice',
    '{ exec: { exec: a, timeout: 1s }, timeout: 2s }',
    '4:35: services.web.heartbeat.exec: `timeout` is said of the heartbeat too; take one of them out',
  ],
  [
    'an interval too short',
    '{ tcp: 1, every: 100ms }',
    '4:33: services.web.heartbeat.every: found "100ms", which is too often; write 500ms or more',
  ],
  [
    'an interval without a unit',
    '{ tcp: 1, every: 30 }',
    '4:33: services.web.heartbeat.every: found "30", which has no unit; write 30s, 30ms or 30m',
  ],
  [
    'a time that is none',
    '{ tcp: 1, every: "*/5 25 * * *" }',
    '4:38: services.web.heartbeat.every: found "*/5 25 * * *", which has "25" as its hour; it goes from 0 to 23, as in 5, 1-5, 1,3 or */2',
  ],
  [
    'four fields',
    '{ tcp: 1, every: "* * * *" }',
    '4:33: services.web.heartbeat.every: found "* * * *", which has 4 fields; write five (minute, hour, day of the month, month and day of the week), or six with the second first',
  ],
  [
    'no time to answer',
    '{ tcp: 1, timeout: 0s }',
    '4:35: services.web.heartbeat.timeout: found 0s, in which nothing can answer; write a time like 5s',
  ],
  [
    'no end of waiting',
    '{ tcp: 1, timeout: none }',
    '4:35: services.web.heartbeat.timeout: found "none", but it needs a length; write one like 5s, or 0s',
  ],
  [
    'more failures than answers',
    '{ tcp: 1, fails: "5 of 3" }',
    '4:33: services.web.heartbeat.fails: found "5 of 3", which can never be; write "3 of 5"',
  ],
  [
    'no failures',
    '{ tcp: 1, fails: 0 }',
    '4:33: services.web.heartbeat.fails: found "0", which does not fit; write numbers from 1 to 100',
  ],
  [
    'failures in other words',
    '{ tcp: 1, fails: thrice }',
    '4:33: services.web.heartbeat.fails: found "thrice", which is no number of failures; write a number like 3, or "3 in a row", or "3 of 5"',
  ],
  [
    'an unknown reaction',
    '{ tcp: 1, then: restrat }',
    '4:32: services.web.heartbeat.then: found "restrat", which is unknown here; did you mean restart',
  ],
  [
    'root as who asks',
    '{ tcp: 1, user: root }',
    '4:32: services.web.heartbeat.user: found root, as whom nothing is ever asked; write another account',
  ],
  [
    'a bare URL',
    'http://a/',
    '4:16: services.web.heartbeat: found "http://a/"; write a map with one of http, tcp, unix, tls, dns, ldap, ssh, sshAgent, smtp, redis, postgres, exec, file, process, or a list of them, each with a name',
  ],
];

describe('a mistake in a heartbeat', () => {
  it.each(MISTAKES)(
    'is told with its line and column, what was found and what would do: %s',
    (_title, settings, message) =>
      expect(problemsOf(web(`run: x\nheartbeat: ${settings}`))).toEqual([`/u.yaml:${message}`]),
  );

  it('never shows a password', () => {
    const text = web('run: x\nheartbeat: { http: "http://u:hunter2@a/", auth: { user: a, password: hunter2 } }');
    expect(problemsOf(text).join()).not.toContain('hunter2');
  });
});

describe('a heartbeat and the rest of its service', () => {
  it.each([
    [
      'a oneshot is asked nothing',
      'run: x\noneshot: true\nheartbeat: { tcp: 1 }',
      '5:16: services.web.heartbeat: a oneshot does its work and ends, so nobody is there to be asked; take it out',
    ],
    [
      'what is only watched cannot be restarted',
      'watch: x\nheartbeat: [{ tcp: 1, then: notice }, { ssh: 22, then: restart }]',
      '4:60: services.web.heartbeat: a restart needs something that starts it again, and there is no `start`; write it, or take `then` out: then it is told',
    ],
    [
      'ready needs one',
      'run: x\nready: heartbeat',
      '4:12: services.web.ready: waits for a heartbeat, and the service has none; write `heartbeat:` too, or another probe',
    ],
    [
      'ready needs that one',
      'run: x\nheartbeat: { tcp: 1, name: port }\nready: { heartbeat: prot }',
      '5:25: services.web.ready.heartbeat: unknown heartbeat "prot"; did you mean port',
    ],
  ])('%s', (_title, settings, message) => expect(problemsOf(web(settings))).toEqual([`/u.yaml:${message}`]));

  it.each(['never', 'on-success', 'on-abort', 'on-watchdog'])(
    'warns of restart: %s, after which it stays down',
    (when) => {
      const settings = `run: x\nrestart: ${when}\nheartbeat: { tcp: 1, then: restart }`;
      expect(warningsOf(web(settings))).toEqual([
        `/u.yaml:5:32: services.web.heartbeat: with \`restart: ${when}\` a failed heartbeat stops it for good; write \`then: notice\` or \`then: stop\`, or another \`restart\``,
      ]);
      expect(warningsOf(web(settings.replace('then: restart', 'then: stop')))).toEqual([]);
    },
  );

  it('is told where nothing starts it again, and no default says anything else', () => {
    const told = (text: string): readonly string[] =>
      (configOf(text).specs[0]?.heartbeats ?? []).map(({ then }) => then.type);
    expect(told(web('watch: x\nheartbeat: { tcp: 1 }'))).toEqual(['notice']);
    expect(told(web('watch: x\nheartbeat: [{ tcp: 1 }, { ssh: 22, then: stop }]'))).toEqual(['notice', 'stop']);
    expect(told(web('watch: x\nstart: y\nheartbeat: { tcp: 1 }'))).toEqual(['restart']);
    const defaults = 'defaults: { heartbeat: { then: restart } }\n';
    expect(told(`${defaults}${web('watch: x\nheartbeat: { tcp: 1 }')}`)).toEqual(['notice']);
  });
});
