import { describe, expect, it } from 'vitest';
import { configOf, loadText, problemsOf, warningsOf } from '../../test/support/configuration.js';
import type { ServiceSpec } from '../core/spec.js';

const web = (settings: string, before = ''): string =>
  `${before}services:\n  web:\n    run: x\n${settings.replace(/^/gm, '    ')}\n`;

const specOf = (settings: string, before = ''): ServiceSpec => {
  const [spec] = configOf(web(settings, before)).specs;
  if (spec === undefined) throw new Error('there is a service');
  return spec;
};

const command = (...argv: readonly string[]) => ({ argv, timeout: 90_000, user: null });

describe('hooks', () => {
  it.each([
    ['a string', '"a b"', [command('a', 'b')]],
    ['a map', '{ exec: [a, b], timeout: 5s, user: www }', [{ argv: ['a', 'b'], timeout: 5000, user: 'www' }]],
    ['a list of strings, each a command of its own', '[a b, c]', [command('a', 'b'), command('c')]],
    ['a list of lists of arguments', '[[a, b]]', [command('a', 'b')]],
    [
      'a list of all of these',
      '[a b, [sh, -c, "c | d"], { exec: e, timeout: none }]',
      [command('a', 'b'), command('sh', '-c', 'c | d'), { argv: ['e'], timeout: null, user: null }],
    ],
    ['an empty list', '[]', []],
  ])('may be %s', (_form, written, commands) => {
    for (const hook of ['beforeStart', 'afterStart', 'beforeStop', 'afterStop'] as const)
      expect(specOf(`hooks: { ${hook}: ${written} }`).hooks[hook]).toEqual(commands);
  });

  it('have one condition, where a list is one of arguments as elsewhere', () => {
    expect(specOf('hooks: { condition: [test, -e, /srv/web] }').hooks.condition).toEqual(
      command('test', '-e', '/srv/web'),
    );
    expect(specOf('hooks: {}').hooks.condition).toBe(null);
  });

  it('are merged hook by hook, and a list replaces that of a lower layer', () => {
    const { hooks } = specOf(
      'hooks: { beforeStart: c, afterStop: null }',
      'defaults: { hooks: { beforeStart: [a, b], afterStop: d, beforeStop: e } }\n',
    );
    expect(hooks).toEqual({
      condition: null,
      beforeStart: [command('c')],
      afterStart: [],
      beforeStop: [command('e')],
      afterStop: [],
    });
  });

  it.each([
    [
      'arguments in the place of commands',
      'hooks: { beforeStart: [mkdir, -p, /run/x] }',
      '/u.yaml:4:35: services.web.hooks.beforeStart.2: found "-p" where a command stands; a list in `hooks` is one of commands, so write the arguments in one string, or as a list within the list: [[sh, -c, "…"]]',
    ],
    [
      'an unknown hook',
      'hooks: { beforStart: a }',
      '/u.yaml:4:14: services.web.hooks: unknown key "beforStart"; did you mean beforeStart',
    ],
    [
      'a condition in the wrong place',
      'condition: test -e /x',
      '/u.yaml:4:5: services.web: unknown key "condition"; it belongs below `hooks:`',
    ],
    [
      'a pipe',
      'hooks: { afterStop: a | b }',
      '/u.yaml:4:27: services.web.hooks.afterStop.1: the command has an unquoted | at character 3; commands run without a shell; quote it, or write [sh, -c, "…"]',
    ],
    [
      'a command without a program',
      'hooks: { afterStop: { timeout: 5s } }',
      '/u.yaml:4:25: services.web.hooks.afterStop.1: `exec` is missing; write a command: words, or a list of arguments',
    ],
  ])('are refused with a sentence: %s', (_title, settings, message) => {
    expect(problemsOf(web(settings))).toEqual([message]);
  });
});

describe('directories and clean', () => {
  it('are plain paths, parents first, with 0755 where nothing is said', () => {
    const { directories, clean } = specOf(
      'directories: { /run/web/a/: { mode: 0700 }, /run//web: {} }\nclean: [/run/web/./socket, /run/web/fifo, /run/web/socket]',
    );
    expect(directories).toEqual([
      { path: '/run/web', mode: 0o755 },
      { path: '/run/web/a', mode: 0o700 },
    ]);
    expect(clean).toEqual(['/run/web/socket', '/run/web/fifo']);
  });

  it('may be one path or a list of them, and a path means the same in every spelling and layer', () => {
    expect(specOf('directories: /run/web').directories).toEqual([{ path: '/run/web', mode: 0o755 }]);
    const { directories, clean } = specOf(
      'directories: { /run/web/: { mode: 0700 }, /run/x: null }\nclean: /run/web/socket',
      'defaults: { directories: [/run/web, /run/x, /run/y] }\n',
    );
    expect(directories).toEqual([
      { path: '/run/web', mode: 0o700 },
      { path: '/run/y', mode: 0o755 },
    ]);
    expect(clean).toEqual(['/run/web/socket']);
  });

  it.each([
    [
      'a path that is not whole',
      'directories: run/web',
      '/u.yaml:4:18: services.web.directories: found "run/web", which is not a whole path; write one that begins with /',
    ],
    [
      'a way up',
      'directories: [/run/web/../x]',
      '/u.yaml:4:19: services.web.directories: found "/run/web/../x", which goes up with ..; write where it leads',
    ],
    [
      'the root',
      'clean: [//]',
      '/u.yaml:4:13: services.web.clean.1: found "//", which is the root of everything; write a path below it',
    ],
    [
      'one twice',
      'directories: [/run/web, /run/web/]',
      '/u.yaml:4:29: services.web.directories: /run/web stands here twice; take one out',
    ],
    [
      'a mode that is none',
      'directories: { /run/web: { mode: rwx } }',
      '/u.yaml:4:38: services.web.directories./run/web.mode: found "rwx", which is no permission in octal; write one like 022 or 0640',
    ],
    [
      'a mode without its key',
      'directories: { /run/web: 0750 }',
      '/u.yaml:4:30: services.web.directories./run/web: found "0750"; write a map like {mode: "0750"}',
    ],
    [
      'a glob',
      'clean: /run/web/*.sock',
      '/u.yaml:4:12: services.web.clean.1: found "/run/web/*.sock", which is a glob; write each path in full',
    ],
    [
      'what is made and removed',
      'directories: [/run/web]\nclean: [/run/x, /run/web/]',
      '/u.yaml:5:21: services.web.clean: found "/run/web", which `directories` makes; only sockets, FIFOs and regular files are removed, so name those in it',
    ],
    [
      'what is above what is made',
      'directories: [/run/web]\nclean: /run',
      '/u.yaml:5:12: services.web.clean: found "/run", which is above what `directories` makes; only sockets, FIFOs and regular files are removed, so name those in it',
    ],
  ])('are refused with a sentence: %s', (_title, settings, message) => {
    expect(problemsOf(web(settings))).toEqual([message]);
  });
});

describe('a oneshot', () => {
  it('works as long as it takes, unless its time is limited', () => {
    expect(specOf('oneshot: true')).toMatchObject({ kind: { oneshot: 'yes' }, ready: { timeout: null } });
    expect(specOf('oneshot: true\nready: { timeout: 5m }').ready.timeout).toBe(300_000);
    expect(specOf('oneshot: false').ready.timeout).toBe(30_000);
  });

  it('does not care what the defaults say of being ready', () => {
    const before = 'defaults: { ready: { port: 80, timeout: 5s } }\n';
    expect(specOf('oneshot: true', before).ready.timeout).toBe(null);
    expect(specOf('oneshot: true\nready: { timeout: 1s }', before).ready.timeout).toBe(1000);
    expect(warningsOf(web('oneshot: true', before))).toEqual([]);
  });

  it('is explained without a probe', () => {
    const loaded = loadText(web('oneshot: true'), { want: 'settings' });
    const ready = loaded.type === 'ok' ? loaded.settings.web?.filter(({ key }) => key.startsWith('ready')) : [];
    expect(ready?.map(({ key, value, origin }) => [key, value, origin])).toEqual([
      ['ready.timeout', 'none', 'default'],
    ]);
  });

  it.each([
    [
      'has no other way to be ready',
      'oneshot: true\nready: { port: 80 }',
      '/u.yaml:5:14: services.web.ready: a oneshot is ready when it has exited 0, so nothing else can make it so; take the probe out (`timeout` alone may stand here)',
    ],
    [
      'is true or false',
      'oneshot: once',
      '/u.yaml:4:14: services.web.oneshot: found "once", which is neither true nor false',
    ],
  ])('%s', (_title, settings, message) => {
    expect(problemsOf(web(settings))).toEqual([message]);
  });

  it('is none of somebody else', () => {
    expect(problemsOf('services: { ssh: { watch: sshd, oneshot: true } }\n')).toEqual([
      '/u.yaml:1:33: services.ssh.oneshot: oneshot means nothing for a service with `watch`, which something else starts; take it out',
    ]);
    expect(problemsOf('defaults: { oneshot: true }\nservices: { ssh: { watch: sshd } }\n')).toEqual([]);
  });
});
