import { describe, expect, it } from 'vitest';
import { problemsOf } from '../../test/support/configuration.js';

/** A mistake in a supervised service `web`, whose settings begin in line 3, column 5. */
const web = (settings: string): string => `services:\n  web:\n${settings.replace(/^/gm, '    ')}\n`;

const SERVICE: readonly (readonly [string, string, ...string[]])[] = [
  ['an unknown key', 'run: x\nrestrt: never', '/u.yaml:4:5: services.web: unknown key "restrt"; did you mean restart'],
  [
    'an unknown key like no other',
    'run: x\ncolour: red',
    '/u.yaml:4:5: services.web: unknown key "colour"; `upkeep help keys` lists those that are known',
  ],
  [
    'a key that belongs elsewhere',
    'run: x\nslowEvery: 1m',
    '/u.yaml:4:5: services.web: unknown key "slowEvery"; it belongs below `restart:`',
  ],
  [
    'an unknown key in a small map',
    'run: x\nlog: { colour: red }',
    '/u.yaml:4:12: services.web.log: unknown key "colour"; known here: to, rotate',
  ],
  [
    'a duplicate key',
    'run: x\nuser: www\nuser: root',
    '/u.yaml:5:5: "user" stands twice in this map; the first is in line 4',
  ],
  [
    'a map for a scalar',
    'run: x\nuser: {a: 1}',
    '/u.yaml:4:11: services.web.user: found a map; write the name of an account, or its number',
  ],
  [
    'a list for a map',
    'run: x\nrestart: [always]',
    '/u.yaml:4:14: services.web.restart: found a list; write always, on-failure, on-abnormal, on-abort, on-watchdog, on-success or never, or a map with `when` and more',
  ],
  [
    'a number for a text',
    'run: x\ndescription: 12',
    '/u.yaml:4:18: services.web.description: found "12", which is a number in YAML; quote it',
  ],
  [
    'a duration without a unit',
    'watch: x\nsettle: 10',
    '/u.yaml:4:13: services.web.settle: found "10", which has no unit; write 10s, 10ms or 10m',
  ],
  [
    'a duration with a strange unit',
    'watch: x\nsettle: 10 sec',
    '/u.yaml:4:13: services.web.settle: found "10 sec", which is no duration; the units are ms, s, m, h and d, from large to small and without spaces, as in 500ms, 5s, 1h30m or 3d',
  ],
  [
    'no end where there must be one',
    'watch: x\nsettle: none',
    '/u.yaml:4:13: services.web.settle: found "none", but it needs a length; write one like 5s, or 0s',
  ],
  [
    'a size with a strange unit',
    'run: x\nmemory: 2GB',
    '/u.yaml:4:13: services.web.memory: found "2GB", which is no size; write 2G',
  ],
  [
    'a bad rate',
    'run: x\nrestart: { limit: 10 in 5 }',
    '/u.yaml:4:23: services.web.restart.limit: found "10 in 5", which is no rate, for 5 has no unit; write 5s, 5ms or 5m',
  ],
  [
    'a percentage without its sign',
    'run: x\nrestart: { backoff: { jitter: 0.1 } }',
    '/u.yaml:4:35: services.web.restart.backoff.jitter: found "0.1", which is no percentage; write one like 10%',
  ],
  [
    'yes for true',
    'run: x\nnoNewPrivileges: yes',
    '/u.yaml:4:22: services.web.noNewPrivileges: found "yes", which is no boolean in YAML 1.2; write true',
  ],
  [
    'off for false',
    'run: x\nnoNewPrivileges: off',
    '/u.yaml:4:22: services.web.noNewPrivileges: found "off", which is no boolean in YAML 1.2; write false',
  ],
  [
    'a word that is none of those known',
    'run: x\nrestart: on-failur',
    '/u.yaml:4:14: services.web.restart: found "on-failur", which is unknown here; did you mean on-failure',
  ],
  [
    'a word like none of those known',
    'run: x\nleftovers: burn',
    '/u.yaml:4:16: services.web.leftovers: found "burn", which is unknown here; write kill, stop or leave',
  ],
  [
    'a signal without SIG',
    'run: x\nstop: TERM',
    '/u.yaml:4:11: services.web.stop: found "TERM", which is no signal; did you mean SIGTERM',
  ],
  [
    'a mistyped signal',
    'run: x\nstop: [{signal: SIGTREM}, SIGKILL]',
    '/u.yaml:4:21: services.web.stop.1.signal: found "SIGTREM", which is no signal; did you mean SIGTERM',
  ],
  [
    'a longest delay below the first',
    'run: x\nrestart: { delay: 1m, backoff: { max: 30s } }',
    '/u.yaml:4:43: services.web.restart.backoff.max: found a longest delay of 30s, below the first of 1m; write 1m or more',
  ],
  [
    'a planned restart at no time of the clock',
    'run: x\nrestart: { at: "0 25 * * 0" }',
    '/u.yaml:4:23: services.web.restart.at: found "0 25 * * 0", which has "25" as its hour; it goes from 0 to 23, as in 5, 1-5, 1,3 or */2',
  ],
  [
    'a planned restart that never comes',
    'run: x\nrestart: { at: "0 0 30 2 *" }',
    '/u.yaml:4:20: services.web.restart.at: found "0 0 30 2 *", which never comes: no month has such a day',
  ],
  [
    'a spread of nothing',
    'run: x\nrestart: { spread: 10m }',
    '/u.yaml:4:24: services.web.restart.spread: found a spread without `at`, the time that is spread; write `at: "0 4 * * 0"` too, or take it out',
  ],
  [
    'an exit code beyond 255',
    'run: x\nrestart: { preventExit: [256] }',
    '/u.yaml:4:30: services.web.restart.preventExit.1: found "256", which is no exit code; they go from 0 to 255',
  ],
  [
    'a umask that is no octal',
    'run: x\numask: 0o22',
    '/u.yaml:4:12: services.web.umask: found "0o22", which is no permission in octal; write one like 022 or 0640',
  ],
  [
    'a path that is not whole',
    'run: x\ncwd: srv/web',
    '/u.yaml:4:10: services.web.cwd: found "srv/web", which is not a whole path; write one that begins with /',
  ],
  [
    'a bad name of a variable',
    'run: x\nenv: { A-B: 1 }',
    '/u.yaml:4:12: services.web.env: found the name "A-B"; names are of letters, digits and _',
  ],
  ['a map as a variable', 'run: x\nenv: { A: {b: 1} }', '/u.yaml:4:15: services.web.env.A: found a map; write a value'],
  [
    'an unknown limit',
    'run: x\nlimits: { nofiles: 1 }',
    '/u.yaml:4:15: services.web.limits: unknown key "nofiles"; did you mean nofile',
  ],
  [
    'a soft limit above the hard one',
    'run: x\nlimits: { nofile: {soft: 20, hard: 10} }',
    '/u.yaml:4:23: services.web.limits.nofile: found a soft limit above the hard one; write soft ≤ hard',
  ],
  [
    'an unknown capability',
    'run: x\ncapabilities: [net_bind]',
    '/u.yaml:4:20: services.web.capabilities.1: found "net_bind", which is no capability; capabilities(7) lists them',
  ],
  [
    'a bad regular expression',
    'watch: { match: "(" }',
    '/u.yaml:3:21: services.web.watch.match: found "(", which is no regular expression (Unterminated group); write one of JavaScript\'s',
  ],
  [
    'both run and watch',
    'run: x\nwatch: y',
    '/u.yaml:4:5: services.web: found both run and watch; a service has one of them (null takes back what a template says)',
  ],
  [
    'neither run nor watch',
    'user: www',
    '/u.yaml:3:5: services.web: says neither run nor watch; write `run: COMMAND` (Upkeep starts it) or `watch: PATH` (something else does)',
  ],
  [
    'what means nothing for a supervised service',
    'run: x\nsettle: 5s',
    '/u.yaml:4:5: services.web.settle: settle means nothing for a service with `run`, which Upkeep starts itself; take it out',
  ],
  [
    'a command to stop a supervised service',
    'run: x\nstop: kill it',
    '/u.yaml:4:5: services.web.stop: a supervised service is stopped by signals; write {signal: SIGTERM, wait: 10s} or a list of them',
  ],
  [
    'a descriptor for a watched service',
    'watch: x\nready: {fd: 3}',
    '/u.yaml:4:5: services.web.ready: a watched service has no descriptor of ours; write another probe, like {port: 8080}',
  ],
  [
    'two probes',
    'run: x\nready: {port: 80, fd: 3}',
    '/u.yaml:4:12: services.web.ready: found fd and port together; write one of them',
  ],
  [
    'a probe of a log that is not written',
    'run: x\nlog: none\nready: {log: up}',
    '/u.yaml:5:18: services.web: ready looks into the log file, but log is none; write `log: file` or another probe',
  ],
  [
    'two ways to look for it',
    'watch: { exe: /a, name: a }',
    '/u.yaml:3:12: services.web.watch: found exe and name together; write one of them, and narrow it with pidFile or user',
  ],
  [
    'nothing to look for',
    'watch: { user: www }',
    '/u.yaml:3:12: services.web.watch: names nothing to look for; write exe, name, match or pidFile',
  ],
  [
    'a name with spaces to look for',
    'watch: java -jar x',
    '/u.yaml:3:12: services.web.watch: found "java -jar x", which has white space, which no name has; for a command line write {match: REGEX}',
  ],
  [
    'an empty command',
    'run: []',
    '/u.yaml:3:10: services.web.run: found an empty list; write a program and its arguments',
  ],
  [
    'a pipe without a shell',
    'run: a | b',
    '/u.yaml:3:12: services.web.run: the command has an unquoted | at character 3; commands run without a shell; quote it, or write [sh, -c, "…"]',
  ],
  [
    'a variable before the command',
    'run: A=1 b',
    '/u.yaml:3:10: services.web.run: the command begins with the assignment A=; write it below `env:`',
  ],
  [
    'a deadline for what has no end',
    'run: {exec: a, timeout: 5s}',
    '/u.yaml:3:20: services.web.run: unknown key "timeout"; known here: exec',
  ],
  [
    'a command without a program',
    'watch: x\nstart: {timeout: 5s}',
    '/u.yaml:4:12: services.web.start: `exec` is missing; write a command: words, or a list of arguments',
  ],
  [
    'a class expression with something left over',
    'run: x\nhosts: web dns',
    '/u.yaml:4:16: services.web.hosts: found "web dns", which cannot be read: found `dns` where an operator would stand',
  ],
  [
    'an unknown class',
    'run: x\nhosts: linux.(wbe|any)',
    '/u.yaml:4:19: services.web.hosts: unknown class wbe; declare it: classes: { wbe: [host, "glob*"] }',
  ],
  [
    'a mistyped hard class',
    'run: x\nhosts: debain',
    '/u.yaml:4:12: services.web.hosts: unknown class debain; did you mean debian',
  ],
  [
    'an unknown template',
    'run: x\nextends: [base]',
    '/u.yaml:4:15: services.web.extends: unknown template "base"; there are no templates',
  ],
  [
    'nothing at all',
    'run: x\nready: port',
    '/u.yaml:4:12: services.web.ready: found "port"; write alive, notify, heartbeat, or one of alive, fd, port, socket, http, exec, log, as in {port: 8080}',
  ],
];

describe('a mistake in a service is told with its line and column, what was found and what would do', () => {
  it.each(SERVICE)('%s', (_title, settings, ...messages) => {
    expect(problemsOf(web(settings))).toEqual(messages);
  });
});

describe('a key whose wing comes later', () => {
  it.each([
    [
      'watch: {systemd: ssh.service}',
      '/u.yaml:3:13: services.web.watch: this version does not have `systemd` yet; take it out until one does',
    ],
    [
      'watch: {shepherd: ssh}',
      '/u.yaml:3:13: services.web.watch: this version does not have `shepherd` yet; take it out until one does',
    ],
  ])('is refused with a message that says so: %s', (settings, message) => {
    expect(problemsOf(web(settings))).toEqual([message]);
  });

  it('is refused at the top level, in defaults and in templates too', () => {
    expect(
      problemsOf(
        'keeper: { statusPort: 8000 }\ndefaults: { watch: { systemd: x } }\ntemplates: { a: { watch: { shepherd: x } } }\nservices: { w: { run: x } }\n',
      ),
    ).toEqual([
      '/u.yaml:1:11: keeper: this version does not have `statusPort` yet; take it out until one does',
      '/u.yaml:2:22: defaults.watch: this version does not have `systemd` yet; take it out until one does',
      '/u.yaml:3:28: templates.a.watch: this version does not have `shepherd` yet; take it out until one does',
    ]);
  });
});

const FILE: readonly (readonly [string, string, ...string[]])[] = [
  ['an empty file', '', '/u.yaml:1:1: the file is empty; write at least `services:`'],
  ['a file of comments', '# nothing\n', '/u.yaml:1:1: the file is empty; write at least `services:`'],
  ['a list', '- a\n', '/u.yaml:1:1: found a list; a configuration is a map with services, classes, defaults and so on'],
  [
    'one word',
    'hello\n',
    '/u.yaml:1:1: found "hello"; a configuration is a map with services, classes, defaults and so on',
  ],
  [
    'a tab',
    'services:\n\tweb: { run: x }\n',
    '/u.yaml:2:1: found a tab where the line is indented; indent with spaces',
  ],
  [
    'a second document',
    'services: { w: { run: x } }\n---\nservices: {}\n',
    '/u.yaml:2:1: a second document begins here; write one document in a file and use `include`',
  ],
  ['YAML 1.1', '%YAML 1.1\n---\nservices: {}\n', '/u.yaml:1:1: %YAML 1.1 is not read; take the line out, YAML 1.2 is'],
  [
    'a tag',
    'services: !mine { w: { run: x } }\n',
    '/u.yaml:1:11: a value that begins with ! is a tag in YAML, and tags are not used here; put it in quotes',
  ],
  ['an unclosed bracket', 'services: { w: { run: [x }\n', '/u.yaml:1:26: a bracket is not closed; write ]'],
  ['an unclosed quote', 'services: { w: { run: "x }\n', '/u.yaml:2:1: a quote before here is not closed; close it'],
  [
    'a value with a colon',
    'services:\n  w: { run: x }\n  v: run: y\n',
    '/u.yaml:3:6: found a second `: ` in one value; put the value in quotes',
  ],
  [
    'a value that begins with a reserved character',
    'services:\n  w: { run: x, tags: @a }\n',
    '/u.yaml:2:22: is not valid YAML: Plain value cannot start with reserved character @; put the value in quotes',
  ],
  [
    'a list as a key',
    'services: { ? [a] : { run: x } }\n',
    '/u.yaml:1:15: a key must be a word, not a list, a map, an alias or nothing',
  ],
  [
    'an alias without its anchor',
    'services: { w: *x }\n',
    '/u.yaml:1:16: found the alias *x without an anchor before it; put a value that begins with * in quotes',
  ],
  [
    'an anchor of nothing',
    'services: { w: { run: x, hosts: &web } }\n',
    '/u.yaml:1:26: found the anchor &web of nothing; put a value that begins with & in quotes',
  ],
  [
    'an alias inside of what it stands for',
    'services: &x { w: *x }\n',
    '/u.yaml:1:19: the alias *x stands inside of what it stands for',
  ],
  [
    'a merge key',
    'services:\n  w: { run: x, <<: {} }\n',
    '/u.yaml:2:16: services.w: the merge key << is not read; use `templates` and `extends`',
  ],
  ['an unknown key', 'service: {}\n', '/u.yaml:1:1: unknown key "service"; did you mean services'],
  [
    'an empty service',
    'services:\n  web:\n',
    '/u.yaml:2:3: services.web: found nothing; write a map of settings with `run` or `watch`',
  ],
  [
    'a service that is a word',
    'services:\n  web: sshd\n',
    '/u.yaml:2:8: services.web: found "sshd"; write a map of settings with `run` or `watch`',
  ],
  [
    'a bad name',
    'services:\n  "a b": { run: x }\n',
    '/u.yaml:2:3: services: found the name "a b"; names are of letters, digits, _ . and -, and begin with a letter or digit',
  ],
  [
    'a name that hides a path',
    'services:\n  ../../etc/passwd: { run: x }\n',
    '/u.yaml:2:3: services: found the name "../../etc/passwd"; names are of letters, digits, _ . and -, and begin with a letter or digit',
  ],
  [
    'a name defined twice',
    'services:\n  w: { run: x }\n  w: { run: y }\n',
    '/u.yaml:3:3: "w" stands twice in this map; the first is in line 2',
  ],
  [
    'a circle of templates',
    'templates:\n  a: { extends: b }\n  b: { extends: a }\nservices: { w: { run: x, extends: b } }\n',
    '/u.yaml:3:17: templates.b.extends: templates extend one another in a circle: a → b → a; take one `extends` out',
  ],
  [
    'a template that extends itself',
    'templates: { a: { extends: [a] } }\n',
    '/u.yaml:1:29: templates.a.extends: templates extend one another in a circle: a → a; take one `extends` out',
  ],
  [
    'a mistyped template',
    'templates: { base: {} }\nservices: { w: { run: x, extends: bsae } }\n',
    '/u.yaml:2:35: services.w.extends: unknown template "bsae"; did you mean base',
  ],
  [
    'defaults that extend',
    'defaults: { extends: a }\ntemplates: { a: {} }\n',
    '/u.yaml:1:13: defaults.extends: defaults extend nothing; write `extends` in a template or a service',
  ],
  [
    'a glob that is no list',
    'classes: { web: web* }\n',
    '/u.yaml:1:17: classes.web: found "web*"; host-name globs stand in a list: ["web*"]',
  ],
  [
    'a class defined by itself',
    'classes: { a: b, b: "c|a", c: [] }\n',
    '/u.yaml:1:15: classes.a: is defined by itself: a → b → a; take one of them out',
  ],
  [
    'a class that belongs to the host',
    'classes: { debian: [] }\n',
    '/u.yaml:1:12: classes.debian: debian is a class that the host itself has or has not; choose another name',
  ],
  [
    'an unknown class in a class',
    'classes: { a: "wbe", web: [] }\n',
    '/u.yaml:1:16: classes.a: unknown class wbe; did you mean web',
  ],
  [
    'a bad name of a class',
    'classes: { a-b: [] }\n',
    '/u.yaml:1:12: classes: found the name "a-b"; names are of letters, digits and _',
  ],
  [
    'a missing file',
    'include: more.yaml\n',
    '/u.yaml:1:10: include: /more.yaml: there is no such file; a name without wildcards must exist',
  ],
];

describe('a mistake in a file is told with its line and column, what was found and what would do', () => {
  it.each(FILE)('%s', (_title, text, ...messages) => expect(problemsOf(text)).toEqual(messages));
});

describe('mistakes', () => {
  it('are shown all at once, of all files, in the order of reading (monitors 36)', () => {
    expect(
      problemsOf({
        '/u.yaml': 'include: conf.d/*.yaml\nservices:\n  a: { run: x, settle: 5 }\n  b: { wach: y }\n',
        '/conf.d/1.yaml': 'services:\n  c: { run: "a;b", umask: 9, hosts: wbe }\n',
        '/conf.d/2.yaml': 'services:\n\td: {}\n',
      }),
    ).toEqual([
      '/u.yaml:3:16: services.a.settle: settle means nothing for a service with `run`, which Upkeep starts itself; take it out',
      '/u.yaml:3:24: services.a.settle: found "5", which has no unit; write 5s, 5ms or 5m',
      '/u.yaml:4:8: services.b: unknown key "wach"; did you mean watch',
      '/conf.d/1.yaml:2:15: services.c.run: the command has an unquoted ; at character 2; commands run without a shell; quote it, or write [sh, -c, "…"]',
      '/conf.d/1.yaml:2:27: services.c.umask: found "9", which is no permission in octal; write one like 022 or 0640',
      '/conf.d/2.yaml:2:1: found a tab where the line is indented; indent with spaces',
    ]);
  });

  it('in a template are told once, however many services are made from it', () => {
    const text =
      'templates: { t: { umask: 9 } }\nservices:\n  a: { run: x, extends: t }\n  b: { run: x, extends: t }\n';
    expect(problemsOf(text)).toHaveLength(1);
  });

  it('of what another file may declare are kept back while that file cannot be read', () => {
    const text = 'include: b.yaml\nservices: { a: { run: x, hosts: web, extends: t } }\n';
    expect(problemsOf({ '/u.yaml': text, '/b.yaml': 'a: [' })).toHaveLength(1);
  });

  it('are found where aliases multiply', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`);
    expect(problemsOf(`l0: &l0 [x, x]\n${levels.join('\n')}\n`)).toEqual([
      '/u.yaml:5:25: the aliases of this file stand for more than 10000 values; use `templates` instead',
    ]);
  });

  it('are no reason to throw, however deep the nesting', () => {
    expect(problemsOf(`a: ${'['.repeat(200)}${']'.repeat(200)}\n`)).toEqual([
      '/u.yaml:1:64: is nested deeper than 60 levels; write it flatter',
    ]);
    expect(problemsOf('['.repeat(100_000)).length).toBeGreaterThan(0);
    expect(problemsOf(`services: { w: { run: x, hosts: "${'('.repeat(10_000)}" } }`)).toHaveLength(1);
  });
});
