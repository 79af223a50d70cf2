import { describe, expect, it } from 'vitest';
import { warningsOf } from '../../test/support/configuration.js';

const services = (text: string): string => `services:\n${text.replace(/^/gm, '  ')}\n`;

describe('what two services say and cannot both have is told as a warning', () => {
  it.each([
    [
      'a need that is wanted down',
      'db: { run: x, desired: down }\nweb: { run: x, needs: [db] }',
      '/u.yaml:3:26: services.web.needs: db is `desired: down`, so web waits until somebody starts it',
    ],
    [
      'a wish for what is wanted down',
      'db: { run: x, desired: down }\nweb: { run: x, wants: [db] }',
      '/u.yaml:3:26: services.web.wants: db is `desired: down`, so it is not started for the sake of web',
    ],
    [
      'a daemon that could be stopped for another, and never started',
      'db: { run: x }\nssh: { watch: sshd, needs: db }',
      '/u.yaml:3:30: services.ssh.needs: ssh has no `start`: once it was stopped because of db, nothing here brings it back',
    ],
    [
      'a restart of what is not run again',
      'db: { run: x }\nmigrate: { run: x, oneshot: true, restartWith: db }',
      '/u.yaml:3:50: services.migrate.restartWith: migrate is a oneshot: it is not run again when db ends, only started anew where it is still at its work',
    ],
    [
      'a restart after a reload that there is not',
      'db: { run: x }\nweb: { run: x, needs: { db: { onReload: restart } } }',
      '/u.yaml:3:27: services.web.needs: db has no `reload`, so `onReload: restart` never does anything',
    ],
  ])('%s', (_title, text, warning) => {
    expect(warningsOf(services(text))).toEqual([warning]);
  });

  it('and nothing where all is well, or both are down', () => {
    const text = [
      'db: { run: x, reload: SIGHUP }',
      'off: { run: x, desired: down }',
      'web: { run: x, needs: { db: { onReload: restart } }, restartWith: db, after: off }',
      'other: { run: x, desired: down, needs: off }',
      'heard: { run: x, ready: notify }',
      'api: { run: x, needs: { heard: { onReload: restart } } }',
      'ssh: { watch: sshd, start: service ssh start, needs: db }',
    ];
    expect(warningsOf(services(text.join('\n')))).toEqual([]);
  });

  it('and a name without a value, which looks like a need and is none', () => {
    const text = [
      'defaults: { needs: net }',
      'services:',
      '  net: { run: x }',
      '  db: { run: x, needs: { net: } }',
      '  web: { run: x, needs: { db: , net: }, directories: { /run/web: } }',
      '',
    ].join('\n');
    const means = 'without a value takes back what defaults or templates say, and they say nothing of it';
    expect(warningsOf(text)).toEqual([
      `/u.yaml:5:27: services.web.needs: db ${means}; write \`db: {}\` if it is meant`,
      `/u.yaml:5:56: services.web.directories: /run/web ${means}; write \`/run/web: {}\` if it is meant`,
    ]);
  });
});
