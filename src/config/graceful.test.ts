import { describe, expect, it } from 'vitest';
import { configOf, problemsOf, warningsOf } from '../../test/support/configuration.js';
import type { ServiceSpec } from '../core/spec.js';

/** A service whose settings begin in line 3, column 5. */
const web = (settings: string): string => `services:\n  web:\n${settings.replace(/^/gm, '    ')}\n`;

const specOf = (text: string): ServiceSpec => {
  const [spec] = configOf(text).specs;
  if (spec === undefined) throw new Error('no service');
  return spec;
};

const whole = { mode: 'replace', transfer: 10_000, drain: 60_000, maxDraining: 1, pidFile: null };

describe('a hand-over', () => {
  it.each([
    ['handover: overlap', { mode: 'overlap' }],
    ['handover: replace', {}],
    ['handover: { drain: none }', { drain: null }],
    ['handover: { drain: 0s }', { drain: 0 }],
    [
      'handover: { mode: overlap, transfer: 2m, drain: 1h, maxDraining: 3, pidFile: /run/nginx.pid }',
      { mode: 'overlap', transfer: 120_000, drain: 3_600_000, maxDraining: 3, pidFile: '/run/nginx.pid' },
    ],
  ])('is read: %s', (settings, handover) => {
    expect(specOf(web(`run: x\n${settings}`)).handover).toEqual({ ...whole, ...handover });
  });

  it('of the service is put over that of a template, its short form too', () => {
    const text = `
templates: { a: { handover: { drain: 5m } } }
services: { web: { run: x, extends: a, ready: notify, handover: overlap } }
`;
    expect(specOf(text).handover).toEqual({ ...whole, mode: 'overlap', drain: 300_000 });
  });

  it.each([
    [
      'handover: overlapp',
      '4:15: services.web.handover: found "overlapp", which is unknown here; did you mean overlap',
    ],
    ['handover: true', '4:15: services.web.handover: found "true", which is unknown here; write overlap or replace'],
    [
      'handover: [overlap]',
      '4:15: services.web.handover: found a list; write overlap or replace, or a map like {mode: overlap, drain: 60s}',
    ],
    ['handover: { drian: 5s }', '4:17: services.web.handover: unknown key "drian"; did you mean drain'],
    [
      'handover: { transfer: 0s }',
      '4:27: services.web.handover.transfer: found 0s, in which no state goes over; write a length like 10s',
    ],
    [
      'handover: { transfer: none }',
      '4:27: services.web.handover.transfer: found "none", but it needs a length; write one like 5s, or 0s',
    ],
    [
      'handover: { maxDraining: 0 }',
      '4:30: services.web.handover.maxDraining: found "0", which does not fit; write a whole number from 1 to 100',
    ],
    [
      'handover: { pidFile: nginx.pid }',
      '4:26: services.web.handover.pidFile: found "nginx.pid", which is not a whole path; write one that begins with /',
    ],
    ['drain: 5s', '4:5: services.web: unknown key "drain"; it belongs below `handover:`'],
  ])('is refused: %s', (settings, problem) => {
    expect(problemsOf(web(`run: x\n${settings}`))).toEqual([`/u.yaml:${problem}`]);
  });
});

describe('a watchdog and the store of descriptors', () => {
  it.each([
    ['watchdog: 30s', 30_000],
    ['watchdog: 100ms', 100],
    ['watchdog: none', null],
  ])('are read: %s', (settings, watchdog) => expect(specOf(web(`run: x\n${settings}`)).watchdog).toBe(watchdog));

  it('take no more than makes sense', () => {
    expect(specOf(web('run: x\nfdStore: 8192')).fdStore).toBe(8192);
    expect(problemsOf(web('run: x\nfdStore: 8193\nwatchdog: 50ms'))).toEqual([
      '/u.yaml:4:14: services.web.fdStore: found "8193", which does not fit; write a whole number from 0 to 8192',
      '/u.yaml:5:15: services.web.watchdog: found a watchdog of 50ms, which a busy host would miss; write 100ms or more, or none',
    ]);
    expect(problemsOf(web('run: x\nwatchdog: 30'))).toEqual([
      '/u.yaml:4:15: services.web.watchdog: found "30", which has no unit; write 30s, 30ms or 30m',
    ]);
  });
});

describe('whose words count', () => {
  it.each([
    ['', 'none'],
    ['ready: notify', 'main'],
    ['ready: { notify: true }', 'main'],
    ['ready: { notify: main }', 'main'],
    ['ready: { notify: exec }', 'exec'],
    ['ready: { notify: all }', 'all'],
    ['ready: notify\nnotify: all', 'all'],
    ['ready: { notify: exec }\nnotify: exec', 'exec'],
    ['ready: { notify: all }\nwatchdog: 5s', 'all'],
    ['watchdog: 5s', 'main'],
    ['watchdog: none', 'none'],
    ['fdStore: 1', 'main'],
    ['fdStore: 0', 'none'],
    ['reload: { signal: SIGHUP, notify: true }', 'main'],
    ['reload: { signal: SIGHUP, notify: false }', 'none'],
    ['handover: overlap', 'main'],
    ['sockets: { a: 80 }', 'none'],
    ['notify: exec', 'exec'],
  ])('follows from what is said: %s', (settings, access) => {
    expect(specOf(web(`run: x\n${settings}`)).notifyAccess).toBe(access);
  });

  it.each([
    [
      'ready: notify\nnotify: none',
      '5:13: services.web.notify: found none, but `ready: notify` waits for its words; write main, exec or all, or take `ready: notify` out',
    ],
    [
      'notify: none\nfdStore: 3',
      '4:13: services.web.notify: found none, but `fdStore` waits for its words; write main, exec or all, or take `fdStore` out',
    ],
    [
      'notify: none\nreload: { signal: SIGHUP, notify: true }',
      '4:13: services.web.notify: found none, but `reload: {notify: true}` waits for its words; write main, exec or all, or take `reload: {notify: true}` out',
    ],
    [
      'ready: { notify: exec }\nnotify: all',
      '5:13: services.web.notify: found all, but `ready` says exec; write it in one of the two',
    ],
    ['notify: any', '4:13: services.web.notify: found "any", which is unknown here; write none, main, exec or all'],
    [
      'ready: { notify: none }',
      '4:22: services.web.ready.notify: found "none", which is unknown here; write true, main, exec or all',
    ],
    [
      'ready: { notify: exce }',
      '4:22: services.web.ready.notify: found "exce", which is unknown here; did you mean exec',
    ],
    [
      'ready: { notify: main, port: 80 }',
      '4:12: services.web.ready: found port and notify together; write one of them',
    ],
  ])('is refused where it cannot be: %s', (settings, problem) => {
    expect(problemsOf(web(`run: x\n${settings}`))).toEqual([`/u.yaml:${problem}`]);
  });

  it('is decided by the service where a template has another probe', () => {
    const text =
      'templates: { a: { ready: { port: 80, timeout: 5s } } }\nservices: { web: { run: x, extends: a, ready: notify } }\n';
    expect(specOf(text).ready).toEqual({ probe: { type: 'notify' }, timeout: 5000 });
  });
});

describe('a reload that is answered', () => {
  it('is a signal, and the word of the service that it is done', () => {
    expect(specOf(web('run: x\nreload: { signal: SIGUSR2, notify: true }')).kind.reload).toEqual({
      type: 'notify',
      signal: 'SIGUSR2',
    });
    expect(specOf(web('run: x\nreload: { signal: SIGHUP }')).kind.reload).toEqual({ type: 'signal', signal: 'SIGHUP' });
  });

  it('needs its signal', () => {
    expect(problemsOf(web('run: x\nreload: { notify: true }'))).toEqual([
      '/u.yaml:4:13: services.web.reload: `signal` is missing; write a signal like SIGTERM',
    ]);
  });
});

const NONSENSE: readonly (readonly [string, string, ...string[]])[] = [
  [
    'what a oneshot would do beside its next run',
    'run: x\noneshot: true\nhandover: { mode: overlap }',
    '/u.yaml:5:23: services.web.handover.mode: found overlap, but a oneshot does its work and ends, so there is nothing to go on beside its next run; write replace',
  ],
  [
    'a oneshot that waits for connections',
    'run: x\noneshot: true\nsockets: { a: { listen: 80, lazy: true } }',
    '/u.yaml:5:39: services.web.sockets.a.lazy: found true, but a oneshot that has ended takes no connection; take it out',
  ],
  ...['port: 81', 'socket: /run/web', 'http: http://localhost:81/'].map(
    (probe) =>
      [
        `what the old generation would answer for the new one (${probe})`,
        `run: x\nhandover: overlap\nready: { ${probe} }`,
        `/u.yaml:5:${15 + probe.indexOf(' ')}: services.web.ready.${probe.split(':')[0]}: with \`handover: overlap\` the old generation would answer this for the new one; write \`ready: notify\``,
      ] as const,
  ),
  [
    'what the old generation would answer for the new one (heartbeat)',
    'run: x\nhandover: overlap\nready: heartbeat\nheartbeat: { tcp: 81 }',
    '/u.yaml:5:12: services.web.ready.heartbeat: with `handover: overlap` the old generation would answer this for the new one; write `ready: notify`',
  ],
  [
    'a descriptor that is passed for something else',
    'run: x\nready: { fd: 5 }\nsockets: { a: 80, b: 81 }\nfdStore: 2',
    '/u.yaml:4:18: services.web.ready.fd: found 5, but 3 to 6 are the descriptors of its sockets and of `fdStore`; write 7 or more, or `ready: notify`',
  ],
  [
    'a port that answers before the service does',
    'run: x\nready: { port: 80 }\nsockets: { a: "0.0.0.0:80" }',
    '/u.yaml:4:20: services.web.ready.port: found socket a of its own, which Upkeep listens on before the service does, so this would always be true; write `ready: notify`',
  ],
  [
    'a socket that answers before the service does',
    'run: x\nready: { socket: /run//web }\nsockets: { a: /run/web }',
    '/u.yaml:4:22: services.web.ready.socket: found socket a of its own, which Upkeep listens on before the service does, so this would always be true; write `ready: notify`',
  ],
  [
    'a held socket that is removed before each start',
    'run: x\nclean: [/run/b, /run//a]\nsockets: { a: /run/a }',
    '/u.yaml:4:21: services.web.clean: found "/run/a", which is socket a; Upkeep holds it over restarts and removes what is stale itself, so take it out',
  ],
  [
    'a socket that is a directory',
    'run: x\ndirectories: /run/a\nsockets: { a: { listen: /run/a } }',
    '/u.yaml:5:29: services.web.sockets.a.listen: found "/run/a", which `directories` makes; write a path in it',
  ],
  [
    'variables that Upkeep sets itself',
    'run: x\nenv: { LISTEN_FDS: 1, NOTIFY_SOCKET: /run/n, WATCHDOG_USEC: 5 }\nsockets: { a: 80 }\nwatchdog: 5s',
    '/u.yaml:4:24: services.web.env.LISTEN_FDS: Upkeep sets this itself for the service; take it out',
    '/u.yaml:4:42: services.web.env.NOTIFY_SOCKET: Upkeep sets this itself for the service; take it out',
    '/u.yaml:4:65: services.web.env.WATCHDOG_USEC: Upkeep sets this itself for the service; take it out',
  ],
  [
    'the size of the store in a variable of its own',
    'run: x\nenv: { FDSTORE: 4 }\nfdStore: 4',
    '/u.yaml:4:21: services.web.env.FDSTORE: Upkeep sets this itself for the service; take it out',
  ],
  ...['fdStore: 3', 'handover: overlap', 'watchdog: 5s', 'notify: main'].map(
    (setting) =>
      [
        `a watched service with ${setting}`,
        `watch: x\n${setting}`,
        `/u.yaml:4:5: services.web.${setting.split(':')[0]}: ${setting.split(':')[0]} means nothing for a service with \`watch\`, which something else starts; take it out`,
      ] as const,
  ),
  [
    'a watched service that would say it is ready',
    'watch: x\nready: notify',
    '/u.yaml:4:5: services.web.ready: a watched service has no socket of ours for sd_notify, since somebody else starts it; write another probe, like {port: 8080}',
  ],
  [
    'a watched service that would say it has reloaded',
    'watch: x\nreload: { signal: SIGHUP, notify: true }',
    '/u.yaml:4:5: services.web.reload: a watched service has no socket of ours for sd_notify, since somebody else starts it; take `notify` out',
  ],
];

describe('what makes no sense is refused, with what to write', () => {
  it.each(NONSENSE)('%s', (_title, settings, ...problems) => expect(problemsOf(web(settings))).toEqual(problems));

  it.each([
    'run: x\nenv: { NOTIFY_SOCKET: /run/n, LISTEN_FDS: 1, FDSTORE: 1 }',
    'run: x\nready: { fd: 5 }\nsockets: { a: 80, b: 81 }',
    'run: x\nready: { port: "10.0.0.1:80" }\nsockets: { a: 127.0.0.1:80 }',
    'run: x\nready: { port: 80 }\nsockets: { a: udp://:80 }',
    'run: x\nready: { http: http://localhost/ }\nsockets: { a: 80 }',
    'run: x\nready: { fd: 9 }\nhandover: overlap',
    'run: x\noneshot: true\nsockets: { a: 80 }\nhandover: replace',
  ])('and nothing else: %s', (settings) => expect(problemsOf(web(settings))).toEqual([]));

  it('defaults that mean nothing for a service are skipped', () => {
    const text = `
defaults: { handover: overlap, ready: notify, watchdog: 5s, reload: { signal: SIGHUP, notify: true } }
services:
  web: { run: x }
  ssh: { watch: sshd }
  once: { run: x, oneshot: true }
`;
    const [one, ssh, once] = configOf(text).specs;
    expect(one).toMatchObject({ handover: { mode: 'overlap' }, notifyAccess: 'main' });
    expect(ssh).toMatchObject({
      handover: whole,
      watchdog: null,
      notifyAccess: 'none',
      ready: { probe: { type: 'alive' } },
    });
    expect(once).toMatchObject({ handover: whole, watchdog: 5000 });
  });
});

const WARNINGS: readonly (readonly [string, ...string[]])[] = [
  ...['never', 'on-success', 'on-abort'].map(
    (when) =>
      [
        `watchdog: 5s\nrestart: ${when}`,
        `4:15: services.web.watchdog: with \`restart: ${when}\` a missed watchdog stops it for good; write another \`restart\``,
      ] as const,
  ),
  [
    'handover: overlap',
    '4:15: services.web.handover: the new generation is ready when it is alive, so the old one is let go of whether or not it can serve; write `ready: notify`',
  ],
  [
    'handover: overlap\nready: { exec: test -e /run/web.ok }',
    '4:15: services.web.handover: the command of `ready` is asked while the old generation still serves; where that could answer it, write `ready: notify`',
  ],
  [
    'fdStore: 100\nsockets: { a: 80 }\nlimits: { nofile: 104 }',
    '6:13: services.web.limits: 101 descriptors of `sockets` and `fdStore` leave no room for its own with nofile: 104; write a higher limit',
  ],
  [
    'sockets: { a: 80 }\nheartbeat: { tcp: 80 }',
    '5:16: services.web.heartbeat: heartbeat tcp only connects to socket a, which Upkeep holds: it is good also while the service hangs; ask with `expect`, or by http',
  ],
  ['watchdog: 5s\nrestart: on-watchdog'],
  ['handover: overlap\nready: notify'],
  ['handover: overlap\nready: { log: listening }'],
  ['fdStore: 100\nlimits: { nofile: 105 }'],
  ['sockets: { a: 80 }\nheartbeat: { tcp: 80, expect: "^220" }'],
  ['sockets: { a: 80 }\nheartbeat: { http: http://localhost/ }'],
];

describe('what is right and yet not what it seems', () => {
  it.each(WARNINGS)('is told: %s', (settings, ...warnings) => {
    expect(warningsOf(web(`run: x\n${settings}`))).toEqual(warnings.map((warning) => `/u.yaml:${warning}`));
  });
});
