import { describe, expect, it } from 'vitest';
import { configOf, loadText, memoryDisk, problemsOf, WEB1 } from '../../test/support/configuration.js';
import type { ServiceSpec } from '../core/spec.js';
import { changedOnDisk } from './files.js';
import { hostNamed } from './host-facts.js';
import { loadConfig } from './load.js';
import { problemText } from './problem.js';

const service = (settings: string): ServiceSpec => {
  const [spec] = configOf(`services:\n  web:\n${settings.replace(/^/gm, '    ')}\n`).specs;
  if (spec === undefined) throw new Error('no service');
  return spec;
};

// Product.md 2: the whole wish of the first story.
const FIVE_LINES = `
notices: { mail: root }
classes: { web: ["web*"], dns: ["ns*"] }
services:
  ssh:    { watch: /usr/sbin/sshd,    start: service ssh restart }
  ldap:   { watch: /usr/sbin/slapd,   start: service slapd restart,   hosts: web|dns }
  bind:   { watch: /usr/sbin/named,   start: service named restart,   hosts: web|dns }
  apache: { watch: /usr/sbin/apache2, start: service apache2 restart, hosts: web }
`;

describe('the five-line start', () => {
  it.each([
    ['web1', ['ssh', 'ldap', 'bind', 'apache']],
    ['ns1.example.org', ['ssh', 'ldap', 'bind']],
    ['db1', ['ssh']],
  ])('gives %s the services that are for it', (host, names) => {
    expect(configOf(FIVE_LINES, { facts: hostNamed(host, []) }).specs.map((spec) => spec.name)).toEqual(names);
  });

  it('keeps the others apart, with the reason', () => {
    expect(configOf(FIVE_LINES, { facts: hostNamed('db1', []) }).elsewhere.at(-1)).toEqual({
      name: 'apache',
      hosts: 'web',
      reason: 'for hosts web, and db1 is none of them',
    });
  });

  it('is answered with no warning', () => expect(loadText(FIVE_LINES).warnings).toEqual([]));
});

describe('a service of which little is said', () => {
  it('is supervised with the defaults of product.md', () => {
    expect(service('run: node /srv/web/server.js')).toEqual({
      name: 'web',
      pool: null,
      description: null,
      runbook: null,
      tags: [],
      desired: 'up',
      kind: {
        type: 'supervised',
        run: { argv: ['node', '/srv/web/server.js'], timeout: null, user: null },
        oneshot: 'no',
        stop: { type: 'ladder', rungs: [{ signal: 'SIGTERM', wait: 10_000, to: 'main' }] },
        reload: null,
      },
      leftovers: 'kill',
      settings: {
        user: null,
        group: null,
        groups: null,
        cwd: '/',
        umask: 0o022,
        env: {},
        envFiles: [],
        inheritEnv: [],
        limits: {},
        nice: null,
        oomScoreAdjust: null,
        noNewPrivileges: 'no',
        capabilities: null,
        memory: null,
      },
      ready: { probe: { type: 'alive', for: 1000 }, timeout: 30_000 },
      restart: {
        when: 'always',
        delay: 100,
        backoff: { factor: 2, max: 30_000, jitter: 0.1 },
        healthyAfter: 30_000,
        limit: { count: 10, within: 300_000 },
        then: 'slow',
        slowEvery: 60_000,
        successExit: [],
        preventExit: [],
        alwaysAfter: [],
        at: null,
        spread: 0,
      },
      heartbeats: [],
      coupling: { needs: [], wants: [], after: [], restartWith: [] },
      hooks: { condition: null, beforeStart: [], afterStart: [], beforeStop: [], afterStop: [] },
      directories: [],
      clean: [],
      sockets: [],
      fdStore: 0,
      handover: { mode: 'replace', transfer: 10_000, drain: 60_000, maxDraining: 1, pidFile: null },
      watchdog: null,
      notifyAccess: 'none',
      log: { to: 'file', rotate: { size: 10 * 1024 * 1024, keep: 10, compress: 'yes' } },
    });
  });

  it('is watched with SIGTERM to the main process alone, and its leftovers left', () => {
    const spec = service('watch: /usr/sbin/sshd\nstart: service ssh restart');
    expect(spec.leftovers).toBe('leave');
    expect(spec.kind).toEqual({
      type: 'watched',
      pattern: {
        by: { type: 'exe', path: '/usr/sbin/sshd' },
        pidFile: null,
        user: null,
        count: { min: 1, max: 1 },
        containers: 'no',
      },
      settle: 5000,
      start: { argv: ['service', 'ssh', 'restart'], timeout: 90_000, user: null },
      stop: { type: 'ladder', rungs: [{ signal: 'SIGTERM', wait: 10_000, to: 'main' }] },
      restart: null,
      reload: null,
      logFrom: null,
    });
  });
});

describe('values', () => {
  it('of umask and env are taken as written, quoted or not', () => {
    const { settings } = service('run: x\numask: 022\nenv: { A: 022, B: 1.10, C: true, D: "", E: 0x10, F: ~ }');
    expect(settings.umask).toBe(0o022);
    expect(settings.env).toEqual({ A: '022', B: '1.10', C: 'true', D: '', E: '0x10' });
    expect(service('run: x\numask: "0077"').settings.umask).toBe(0o077);
  });

  it('none of limits is no limit, and one value is both limits', () => {
    const limits =
      'limits: { nofile: 65536, core: none, fsize: {soft: 1M, hard: none}, cpu: 90s, rttime: 2ms, stack: 8M }';
    expect(service(`run: x\n${limits}`).settings.limits).toEqual({
      nofile: { soft: 65_536, hard: 65_536 },
      core: { soft: null, hard: null },
      fsize: { soft: 1_048_576, hard: null },
      cpu: { soft: 90, hard: 90 },
      rttime: { soft: 2000, hard: 2000 },
      stack: { soft: 8_388_608, hard: 8_388_608 },
    });
  });

  it('of watch are a path, a glob, a name, or a map', () => {
    const pattern = (watch: string): unknown => {
      const { kind } = service(`watch: ${watch}`);
      return kind.type === 'watched' ? { ...kind.pattern.by, pidFile: kind.pattern.pidFile } : null;
    };
    expect(pattern('/usr/lib/postgresql/*/bin/postgres')).toEqual({
      type: 'exe',
      path: '/usr/lib/postgresql/*/bin/postgres',
      pidFile: null,
    });
    expect(pattern('cron')).toEqual({ type: 'name', name: 'cron', pidFile: null });
    expect(pattern('{ match: "^java .*Main" }')).toEqual({ type: 'match', regex: '^java .*Main', pidFile: null });
    expect(pattern('{ pidFile: /run/x.pid }')).toEqual({ type: 'pidFile', pidFile: '/run/x.pid' });
    expect(pattern('{ name: nginx, pidFile: /run/nginx.pid, user: root, count: 2 }')).toEqual({
      type: 'name',
      name: 'nginx',
      pidFile: '/run/nginx.pid',
    });
  });

  it('of stop are signals, a ladder of them, or for a watched service a command', () => {
    expect(service('run: x\nstop: SIGINT').kind.stop).toEqual({
      type: 'ladder',
      rungs: [{ signal: 'SIGINT', wait: 10_000, to: 'main' }],
    });
    expect(service('run: x\nstop: [{signal: SIGQUIT, wait: 1m, to: group}, SIGKILL, {wait: none}]').kind.stop).toEqual({
      type: 'ladder',
      rungs: [
        { signal: 'SIGQUIT', wait: 60_000, to: 'group' },
        { signal: 'SIGKILL', wait: 10_000, to: 'main' },
        { signal: 'SIGTERM', wait: null, to: 'main' },
      ],
    });
    const command = { type: 'command', command: { argv: ['service', 'x', 'stop'], timeout: 90_000, user: null } };
    expect(service('watch: x\nstop: service x stop').kind.stop).toEqual(command);
    expect(service('watch: x\nstop: [service, x, stop]').kind.stop).toEqual(command);
    expect(service('watch: x\nstop: {exec: service x stop, timeout: 5s, user: www}').kind.stop).toEqual({
      type: 'command',
      command: { argv: ['service', 'x', 'stop'], timeout: 5000, user: 'www' },
    });
  });

  it('of reload are a signal or a command', () => {
    expect(service('run: x\nreload: SIGHUP').kind.reload).toEqual({ type: 'signal', signal: 'SIGHUP' });
    expect(service('run: x\nreload: {signal: SIGUSR1}').kind.reload).toEqual({ type: 'signal', signal: 'SIGUSR1' });
    expect(service('run: x\nreload: nginx -s reload').kind.reload).toEqual({
      type: 'command',
      command: { argv: ['nginx', '-s', 'reload'], timeout: 90_000, user: null },
    });
  });

  it.each([
    ['alive', { type: 'alive', for: 1000 }],
    ['{alive: 5s}', { type: 'alive', for: 5000 }],
    ['{timeout: 1m}', { type: 'alive', for: 1000 }],
    ['{fd: 3}', { type: 'fd', fd: 3 }],
    ['{port: 8080}', { type: 'port', host: 'localhost', port: 8080 }],
    ['{port: "[::1]:8080"}', { type: 'port', host: '::1', port: 8080 }],
    ['{port: "10.0.0.1:80"}', { type: 'port', host: '10.0.0.1', port: 80 }],
    ['{socket: /run/x.sock}', { type: 'socket', path: '/run/x.sock' }],
    ['{http: "http://localhost/x"}', { type: 'http', url: 'http://localhost/x' }],
    ['{exec: test -e /x}', { type: 'exec', command: { argv: ['test', '-e', '/x'], timeout: 5000, user: null } }],
    ['{exec: {exec: [a], timeout: 1s}}', { type: 'exec', command: { argv: ['a'], timeout: 1000, user: null } }],
    ['{log: "ready$"}', { type: 'log', regex: 'ready$' }],
  ])('of ready are probes: %s', (text, probe) => {
    expect(service(`run: x\nready: ${text}`).ready.probe).toEqual(probe);
  });

  it('of restart are a word or a map', () => {
    expect(service('run: x\nrestart: on-failure').restart).toMatchObject({ when: 'on-failure', delay: 100 });
    const full = '{ limit: none, then: give-up, successExit: 3, preventExit: [SIGKILL, 4], backoff: { jitter: 0% } }';
    expect(service(`run: x\nrestart: ${full}`).restart).toMatchObject({
      limit: null,
      then: 'give-up',
      successExit: [{ type: 'code', code: 3 }],
      preventExit: [
        { type: 'signal', signal: 'SIGKILL' },
        { type: 'code', code: 4 },
      ],
      backoff: { factor: 2, max: 30_000, jitter: 0 },
    });
  });

  it('of restart.delay raise the longest delay that nobody has chosen', () => {
    expect(service('run: x\nrestart: { delay: 1m }').restart).toMatchObject({
      delay: 60_000,
      backoff: { max: 60_000 },
    });
  });

  it('of log are a word or a map', () => {
    expect(service('run: x\nlog: none').log.to).toBe('none');
    expect(service('run: x\nlog: { rotate: { size: 1M, compress: false } }').log).toEqual({
      to: 'file',
      rotate: { size: 1_048_576, keep: 10, compress: 'no' },
    });
    expect(service('run: x\nlog: { rotate: none }').log.rotate.size).toBeNull();
  });

  it('that are single may stand for a list of one', () => {
    const spec = service('run: x\ntags: web\nenvFile: -/etc/x\ngroups: ssl-cert');
    expect([spec.tags, spec.settings.envFiles, spec.settings.groups]).toEqual([['web'], ['-/etc/x'], ['ssl-cert']]);
  });
});

describe('defaults and templates', () => {
  const both = (text: string): ServiceSpec => {
    const [spec] = configOf(text).specs;
    if (spec === undefined) throw new Error('no service');
    return spec;
  };

  it('count in their order: defaults, templates from left to right, the service', () => {
    const text = `
defaults: { user: a, group: a, cwd: /a, description: a }
templates:
  one: { group: one, cwd: /one, description: one }
  two: { cwd: /two, description: two }
services: { web: { run: x, extends: [one, two], description: own } }
`;
    const { settings, description } = both(text);
    expect([settings.user, settings.group, settings.cwd, description]).toEqual(['a', 'one', '/two', 'own']);
  });

  it('merge maps by key at every depth; lists and scalars replace', () => {
    const text = `
defaults: { env: { A: 1, B: 1 }, tags: [a, b], restart: { delay: 1s, backoff: { max: 1m, factor: 3 } } }
services: { web: { run: x, env: { B: 2 }, tags: [c], restart: { backoff: { max: 2m } } } }
`;
    const spec = both(text);
    expect(spec.settings.env).toEqual({ A: '1', B: '2' });
    expect(spec.tags).toEqual(['c']);
    expect(spec.restart).toMatchObject({ delay: 1000, backoff: { factor: 3, max: 120_000 } });
  });

  it('are expanded from their short forms first', () => {
    const spec = both('defaults: { restart: on-failure }\nservices: { web: { run: x, restart: { delay: 1s } } }\n');
    expect(spec.restart).toMatchObject({ when: 'on-failure', delay: 1000 });
    const short = both('defaults: { restart: { delay: 1s } }\nservices: { web: { run: x, restart: never } }\n');
    expect(short.restart).toMatchObject({ when: 'never', delay: 1000 });
    const stop = both('defaults: { stop: { wait: 1m } }\nservices: { web: { run: x, stop: SIGINT } }\n');
    expect(stop.kind.stop).toMatchObject({ rungs: [{ signal: 'SIGINT', wait: 60_000 }] });
  });

  it('are taken back by null', () => {
    const text = 'defaults: { user: www, env: { A: 1, B: 2 }, restart: { delay: 1s } }\n';
    const spec = both(`${text}services: { web: { run: x, user: null, env: { A: null }, restart: { delay: ~ } } }\n`);
    expect([spec.settings.user, spec.settings.env, spec.restart.delay]).toEqual([null, { B: '2' }, 100]);
    expect(both(`${text}services: { web: { run: x, env: null } }\n`).settings.env).toEqual({});
  });

  it('give way where the service chooses another probe, or another way to stop', () => {
    const probe = both(
      'defaults: { ready: { port: 80, timeout: 1m } }\nservices: { web: { run: x, ready: { fd: 3 } } }\n',
    );
    expect(probe.ready).toEqual({ probe: { type: 'fd', fd: 3 }, timeout: 60_000 });
    const stop = both(
      'defaults: { stop: { exec: a b, timeout: 5s } }\nservices: { web: { watch: x, stop: SIGTERM } }\n',
    );
    expect(stop.kind.stop).toMatchObject({ type: 'ladder' });
    const watch = both(
      'templates: { t: { watch: { name: a, user: u } } }\nservices: { web: { extends: t, watch: { exe: /b } } }\n',
    );
    expect(watch.kind).toMatchObject({ pattern: { by: { type: 'exe', path: '/b' }, user: 'u' } });
  });

  it('that mean nothing for a kind are skipped in defaults', () => {
    const text = 'defaults: { settle: 9s, start: fix it, stop: [kill, it], ready: { fd: 3 }, logFrom: /x }\n';
    const spec = both(`${text}services: { web: { run: x } }\n`);
    expect(spec.kind.stop).toEqual({ type: 'ladder', rungs: [{ signal: 'SIGTERM', wait: 10_000, to: 'main' }] });
    expect(spec.ready.probe).toEqual({ type: 'fd', fd: 3 });
    const watched = both(`${text}services: { web: { watch: x } }\n`);
    expect(watched.ready.probe).toEqual({ type: 'alive', for: 1000 });
    expect(watched.kind).toMatchObject({ settle: 9000, start: { argv: ['fix', 'it'] }, logFrom: '/x' });
  });

  it('may decide the kind; what a service says itself decides it before the defaults do', () => {
    expect(both('defaults: { run: a, user: www }\nservices: { web: { watch: x } }\n').kind.type).toBe('watched');
    expect(both('templates: { t: { run: a } }\nservices: { web: { extends: t } }\n').kind.type).toBe('supervised');
    expect(
      both('templates: { t: { run: a } }\nservices: { web: { extends: t, run: null, watch: x } }\n').kind.type,
    ).toBe('watched');
  });

  it('extend one another, and a base that two share counts where it is first met', () => {
    const text = `
templates:
  base: { cwd: /base, user: base }
  a: { extends: base, cwd: /a }
  b: { extends: base, user: b }
services: { web: { run: x, extends: [a, b] } }
`;
    const { settings } = both(text);
    expect([settings.cwd, settings.user]).toEqual(['/a', 'b']);
  });
});

describe('include', () => {
  const files = {
    '/u.yaml': 'include: [conf.d/*.yaml, extra.yaml]\ntemplates: { t: { user: www } }\nservices: { a: { run: x } }\n',
    '/conf.d/20.yaml': 'services: { c: { run: x } }\n',
    '/conf.d/10.yaml': 'services: { b: { run: x, extends: t } }\n',
    '/conf.d/.hidden.yaml': 'nonsense',
    '/conf.d/readme.txt': 'nonsense',
    '/extra.yaml': 'include: sub/one.yaml\n',
    '/sub/one.yaml': 'services: { d: { run: x } }\n',
  };

  it('reads what the globs match, sorted, relative to the file that says it', () => {
    expect(configOf(files).specs.map((spec) => spec.name)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('may match nothing with a glob', () => {
    expect(configOf('include: conf.d/*.yaml\nservices: { a: { run: x } }\n').specs).toHaveLength(1);
  });

  it('reads a file once that two globs match', () => {
    const text = { '/u.yaml': 'include: ["*.yml", a.yml]\n', '/a.yml': 'services: { a: { run: x } }\n' };
    expect(configOf(text).specs).toHaveLength(1);
  });

  it('in a circle is refused', () => {
    const text = { '/u.yaml': 'include: a.yml\n', '/a.yml': 'include: u.yaml\n' };
    expect(problemsOf(text)).toEqual([
      '/a.yml:1:10: include: files include one another in a circle: /u.yaml → /a.yml → /u.yaml; take one `include` out',
    ]);
  });

  it('finds a name that is defined twice across files', () => {
    const text = {
      '/u.yaml':
        'include: a.yml\nclasses: { x: [] }\ntemplates: { t: {} }\ndefaults: {}\nservices: { w: { run: x } }\n',
      '/a.yml': 'classes: { x: [] }\ntemplates: { t: {} }\ndefaults: {}\nservices:\n  w: { run: x }\n',
    };
    expect(problemsOf(text)).toEqual([
      '/a.yml:1:12: the class x is defined twice; the first is in /u.yaml:2',
      '/a.yml:2:14: the template t is defined twice; the first is in /u.yaml:3',
      '/a.yml:3:1: `defaults` is defined twice; the first is in /u.yaml:4',
      '/a.yml:5:3: the service w is defined twice; the first is in /u.yaml:5',
    ]);
  });

  it('leaves what is needed to see a change on disk', () => {
    const { sources } = configOf(files);
    const changed = (now: Readonly<Record<string, string>>): string | null => changedOnDisk(sources, memoryDisk(now));
    expect(changed(files)).toBeNull();
    expect(changed({ ...files, '/sub/one.yaml': '' })).toBe('/sub/one.yaml has changed');
    expect(changed({ ...files, '/conf.d/30.yaml': '' })).toBe('/conf.d/30.yaml is new');
    const { '/extra.yaml': _, ...rest } = files;
    expect(changed(rest)).toBe('/extra.yaml: there is no such file');
  });

  it('of a file that is not there at all says what would do', () => {
    expect(problemsOf({ '/other': '' })).toEqual([
      '/u.yaml: there is no such file; `upkeep init` writes one to begin with',
    ]);
  });

  it('of what is no text says so', () => {
    const disk = { ...memoryDisk({ '/u.yaml': '' }), read: () => new Uint8Array([0xff, 0xfe, 0x00]) };
    const loaded = loadConfig({ path: '/u.yaml', facts: WEB1, environment: {}, who: { uid: 0 } }, disk);
    expect(loaded.type === 'bad' && loaded.problems.map(problemText)).toEqual([
      '/u.yaml: is not UTF-8 text; save it as UTF-8',
    ]);
  });
});

describe('classes', () => {
  const CLASSES = `
classes:
  web: [web1, "www-*"]
  front: "web|proxy"
  proxy: { file: /etc/role.proxy }
  both: front.web
keeper: { classes: [canary] }
services: { a: { run: x, hosts: front.!proxy }, b: { run: x, hosts: canary&linux }, c: { run: x, hosts: proxy || web1 } }
`;

  it('are set by host name, expression, file, keeper and environment', () => {
    expect(configOf(CLASSES, { environment: { UPKEEP_CLASSES: 'blue, green' } }).classes).toEqual({
      set: [
        'any',
        'blue',
        'both',
        'canary',
        'debian',
        'debian_12',
        'front',
        'green',
        'linux',
        'root',
        'systemd',
        'web',
        'web1',
        'web1_example_org',
        'x86_64',
      ],
      unset: ['proxy'],
    });
    const facts = { ...WEB1, exists: (path: string) => path === '/etc/role.proxy' };
    expect(configOf(CLASSES, { facts }).elsewhere.map(({ name }) => name)).toEqual(['a']);
  });

  it('know the hosts that are listed by name, and no others', () => {
    const text = 'classes: { web: [web1, web7.example.org] }\nservices: { c: { run: x, hosts: "web1|web7|web8" } }\n';
    expect(problemsOf(text)).toEqual(['/u.yaml:2:44: services.c.hosts: unknown class web8; did you mean web']);
  });

  it('of another host are those that its name and the asker give', () => {
    const facts = hostNamed('www-3.example.org', ['debian', 'proxy']);
    const config = configOf(CLASSES.replace('proxy || web1', 'debian'), { facts });
    expect(config.classes.set).toEqual([
      'any',
      'both',
      'canary',
      'debian',
      'front',
      'linux',
      'proxy',
      'web',
      'www_3',
      'www_3_example_org',
    ]);
    expect(config.specs.map((spec) => spec.name)).toEqual(['b', 'c']);
  });

  it('out of the environment have names like all others', () => {
    expect(problemsOf('services: { a: { run: x } }\n', { environment: { UPKEEP_CLASSES: 'a b-c' } })).toEqual([
      'UPKEEP_CLASSES:1:3: found "b-c", which is no name of a class; they are of letters, digits and _',
    ]);
  });
});

describe('keeper', () => {
  it('has the defaults of product.md, and takes others', () => {
    expect(configOf('services: { a: { run: x } }\n').keeper).toEqual({
      classes: [],
      limits: { parallel: 10, askers: 16 },
      bootGrace: 120_000,
      guard: 'no',
    });
    expect(configOf('keeper: { limits: { parallel: 3 }, bootGrace: 0s }\n').keeper).toEqual({
      classes: [],
      limits: { parallel: 3, askers: 16 },
      bootGrace: 0,
      guard: 'no',
    });
  });

  it('is told apart by a warning where there is nothing to keep', () => {
    expect(loadText('keeper: {}\n').warnings.map(problemText)).toEqual([
      '/u.yaml: there are no services; write some below `services:`',
    ]);
  });
});

describe('a configuration', () => {
  it('is plain data, equal after JSON', () => {
    const config = configOf(FIVE_LINES);
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });

  it('shares what many services have in common, so that a thousand cost little', () => {
    const { specs } = configOf('services: { a: { run: x }, b: { run: y } }\n');
    expect(specs[0]?.restart).toBe(specs[1]?.restart);
  });
});
