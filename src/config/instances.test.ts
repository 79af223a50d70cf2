import { describe, expect, it } from 'vitest';
import { configOf, loadText, problemsOf } from '../../test/support/configuration.js';
import type { ServiceSpec } from '../core/spec.js';

const specsOf = (text: string): readonly ServiceSpec[] => configOf(`services:\n${text.replace(/^/gm, '  ')}\n`).specs;
const argvOf = ({ kind }: ServiceSpec): readonly string[] => (kind.type === 'supervised' ? kind.run.argv : []);

describe('instances', () => {
  it('are services of their own, in order, each with its place in the pool', () => {
    const specs = specsOf('a: { run: x }\nweb: { run: x, instances: 3, env: { A: 1 } }\nz: { run: x }');
    expect(specs.map(({ name, pool }) => [name, pool])).toEqual([
      ['a', null],
      ['web@1', { name: 'web', index: 1, of: 3 }],
      ['web@2', { name: 'web', index: 2, of: 3 }],
      ['web@3', { name: 'web', index: 3, of: 3 }],
      ['z', null],
    ]);
    expect(specs[2]?.settings.env).toEqual({ A: '1', UPKEEP_INSTANCE: '2' });
  });

  it('have their number for %i in all their settings, and % for %%', () => {
    const [, second] = specsOf(
      [
        'web:',
        '  run: [serve, --port, "808%i", --format, "%%i %s 100%%"]',
        '  instances: 2',
        '  description: worker %i',
        '  ready: { port: 808%i }',
        '  nice: "%i"',
        '  env: { ID: "%i" }',
        '  directories: { /run/web/%i: { mode: 0750 } }',
        '  clean: /run/web/%i/socket',
        '  hooks: { beforeStart: ["mkdir /x%i"] }',
      ].join('\n'),
    );
    expect(second && argvOf(second)).toEqual(['serve', '--port', '8082', '--format', '%i %s 100%']);
    expect(second).toMatchObject({
      description: 'worker 2',
      ready: { probe: { type: 'port', port: 8082 } },
      settings: { nice: 2, env: { ID: '2' } },
      directories: [{ path: '/run/web/2', mode: 0o750 }],
      clean: ['/run/web/2/socket'],
      hooks: { beforeStart: [{ argv: ['mkdir', '/x2'], timeout: 90_000, user: null }] },
    });
  });

  it('of one are the service itself, with its number', () => {
    const [web, ...others] = specsOf('web: { run: "serve %i", instances: 1 }');
    expect(others).toEqual([]);
    expect(web).toMatchObject({ name: 'web', pool: null, settings: { env: { UPKEEP_INSTANCE: '1' } } });
    expect(web && argvOf(web)).toEqual(['serve', '1']);
  });

  it('that nobody speaks of leave %i and %% as they are', () => {
    const [web] = specsOf('web: { run: "date +%i%%" }');
    expect(web && argvOf(web)).toEqual(['date', '+%i%%']);
    expect(web?.settings.env).toEqual({});
  });

  it('are all meant by the plain name: by other services and by rules of notices', () => {
    const { specs, notices } = configOf(
      [
        'notices: { channels: { me: { mail: root } }, rules: [{ services: [db, web@2, "d*", "@t"], tell: me }] }',
        'services:',
        '  db: { run: x, instances: 2 }',
        '  web: { run: x, instances: 2, needs: { db: { grace: 1s } }, after: db, restartWith: db }',
        '',
      ].join('\n'),
    );
    const all = ['db@1', 'db@2'];
    expect(specs[3]?.coupling).toEqual({
      needs: all.map((service) => ({ service, grace: 1000, onReload: 'nothing' })),
      wants: [],
      after: all,
      restartWith: all,
    });
    expect(notices?.rules[0]?.services).toEqual(['db@1', 'db@2', 'web@2', 'd*', '@t']);
  });

  it('come out of a template too, and each can be explained', () => {
    const loaded = loadText(
      'templates: { pool: { instances: 2, ready: { port: 808%i } } }\nservices: { web: { run: x, extends: pool } }\n',
      { want: 'settings' },
    );
    if (loaded.type === 'bad') throw new Error('it is right');
    const portOf = (name: string): unknown => loaded.settings[name]?.find(({ key }) => key === 'ready.port')?.value;
    expect([portOf('web'), portOf('web@1'), portOf('web@2')]).toEqual(['808%i', '8081', '8082']);
  });

  it.each([
    [
      'web: { run: x, instances: 0 }',
      '/u.yaml:2:29: services.web.instances: found "0", which does not fit; write a whole number from 1 to 1000',
    ],
    [
      'web: { run: x, instances: 1e9 }',
      '/u.yaml:2:29: services.web.instances: found "1e9", which does not fit; write a whole number from 1 to 1000',
    ],
    [
      'web: { watch: x, instances: 2 }',
      '/u.yaml:2:20: services.web.instances: instances means nothing for a service with `watch`, which something else starts; take it out',
    ],
    [
      'web: { run: x, ready: { port: 808%i } }',
      '/u.yaml:2:33: services.web.ready.port: found "808%i", which is no port; write one from 1 to 65535, or an address and a port like 10.0.0.1:8080',
    ],
    [
      'web: { run: x, instances: 7, ready: { port: 6553%i } }',
      '/u.yaml:2:47: services.web.ready.port: found "65536", which is no port; write one from 1 to 65535, or an address and a port like 10.0.0.1:8080',
    ],
    [
      'web: { run: x, instances: 2 }\nother: { run: x, needs: web@2 }',
      '/u.yaml:3:27: services.other.needs: unknown service "web@2"; members are not named one by one, so write web, which means them all',
    ],
  ])('are refused with a sentence where they cannot be: %s', (text, message) => {
    expect(problemsOf(`services:\n${text.replace(/^/gm, '  ')}\n`)).toEqual([message]);
  });

  it('of which there are not so many cannot be told of', () => {
    const text =
      'notices: { channels: { me: { mail: root } }, rules: [{ services: [web@3], tell: me }] }\nservices: { web: { run: x, instances: 2 } }\n';
    expect(problemsOf(text)).toEqual([
      '/u.yaml:1:67: notices.rules.1.services: unknown service "web@3"; did you mean web',
    ]);
  });
});
