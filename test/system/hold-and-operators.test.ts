// The promise: an operator's word counts, is remembered, and a service may ask for itself.

import { describe, expect, it } from 'vitest';
import { newHome } from '../support/keeper.js';
import { isAlive, signal } from '../support/running.js';

const SLEEP = 'sleep 1000';

describe('a hold', () => {
  it('watches and records, and acts on nothing until it is taken away', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    await home.start();
    const pid = await home.running('web');
    expect(await home.upkeep('hold', 'web', '--reason', 'new disk')).toMatchObject({
      code: 0,
      stdout: 'web  on hold\n',
    });
    signal(pid, 'SIGKILL');
    const held = await home.when('web', ({ process }) => process === null);
    expect(held).toMatchObject({
      hold: { reason: 'new disk', until: null },
      next: null,
      lastDeath: { pid, signal: 'SIGKILL' },
    });
    expect(held.hold?.by?.uid).toBe(process.getuid?.());
    const start = await home.upkeep('start', 'web');
    expect([start.code, start.stderr]).toEqual([
      1,
      'upkeep: web: start failed: it is on hold; `upkeep unhold web` first\n',
    ]);
    const status = await home.upkeep('status');
    expect([status.code, status.stdout]).toEqual([0, expect.stringMatching(/1 on hold/)]);
    expect((await home.upkeep('unhold', 'web')).code).toBe(0);
    await home.running('web', pid);
    const again = await home.upkeep('unhold', 'web');
    expect([again.code, again.stderr]).toEqual([1, 'upkeep: web: unhold failed: it is not on hold\n']);
  });

  it('ends by itself after --for, and acts on what it finds', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const keeper = await home.start();
    const pid = await home.running('web');
    expect((await home.upkeep('hold', 'web', '--for', '1500ms')).code).toBe(0);
    expect((await home.service('web')).hold?.until).toMatch(/^\d{4}-/);
    signal(pid, 'SIGKILL');
    await home.running('web', pid);
    expect((await home.service('web')).hold).toBeNull();
    await expect.poll(() => keeper.said(), { timeout: 10_000 }).toMatch(/web: the hold has ended; it is /);
  });
});

describe('an operator’s stop', () => {
  it('wins over a pending restart and outlives the keeper, killed or ended (supervisors 7, monitors 18)', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP }, flaky: { run: 'false', restart: { delay: '2s', backoff: { factor: 1 } } } });
    const first = await home.start();
    const pid = await home.running('web');
    await home.when('flaky', ({ state }) => state === 'backoff');
    expect((await home.upkeep('stop', 'web', 'flaky')).code).toBe(0);
    const { generation } = await home.service('flaky');
    await first.end('SIGKILL');
    const second = await home.start();
    expect((await second.end('SIGTERM')).code).toBe(0);
    await home.start();
    expect(await home.service('web')).toMatchObject({
      state: 'stopped',
      desired: 'down',
      override: { desired: 'down', by: { user: expect.any(String) } },
    });
    expect(await home.service('flaky')).toMatchObject({ state: 'stopped', generation });
    expect((await home.upkeep('status')).code).toBe(0);
    expect((await home.upkeep('start', 'web')).code).toBe(0);
    expect(await home.running('web')).not.toBe(pid);
    expect((await home.service('web')).override).toBeNull();
  });

  it('with --for ends by itself', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    await home.start();
    const pid = await home.running('web');
    expect((await home.upkeep('stop', 'web', '--for', '2s')).code).toBe(0);
    expect(isAlive(pid)).toBe(false);
    expect(await home.service('web')).toMatchObject({
      state: 'stopped',
      override: { until: expect.stringMatching(/^\d{4}-/) },
    });
    await home.running('web', pid);
    expect((await home.service('web')).override).toBeNull();
  });
});

describe('a signal and a reload', () => {
  it('reach the main process; a reload may be a command, and its failure is told', async () => {
    const home = newHome();
    const trap = (name: string): string => `trap 'echo ${name} >> "${home.at('got')}"' ${name}`;
    const run = [
      'sh',
      '-c',
      `${trap('HUP')}; ${trap('USR1')}; echo set > '${home.at('got')}'; while :; do sleep 0.05; done`,
    ];
    home.configure({
      web: { run, reload: 'SIGHUP' },
      db: { run: SLEEP, reload: ['sh', '-c', `echo db >> '${home.at('got')}'`] },
      bad: { run: SLEEP, reload: ['sh', '-c', 'exit 5'] },
      none: { run: SLEEP },
    });
    await home.start();
    const pid = await home.running('web');
    for (const name of ['db', 'bad', 'none']) await home.running(name);
    await home.until('its traps', () => home.read('got').includes('set'));
    expect((await home.upkeep('signal', 'web', 'usr1')).code).toBe(0);
    await home.until('USR1', () => home.read('got').includes('USR1'));
    expect(await home.upkeep('reload', 'web')).toMatchObject({ code: 0, stdout: 'web  reloaded\n' });
    await home.until('HUP', () => home.read('got').includes('HUP'));
    expect((await home.upkeep('reload', 'db')).code).toBe(0);
    expect(home.read('got')).toMatch(/^db$/m);
    const bad = await home.upkeep('reload', 'bad');
    expect([bad.code, bad.stderr]).toEqual([1, 'upkeep: bad: reload failed: its reload command ended with code 5\n']);
    const none = await home.upkeep('reload', 'none');
    expect([none.code, none.stderr]).toEqual([
      1,
      'upkeep: none: reload failed: it has no `reload`; `upkeep restart` would do\n',
    ]);
    expect(await home.running('web')).toBe(pid);
    const odd = await home.upkeep('signal', 'web', 'SIGNOTHING');
    expect([odd.code, odd.stderr]).toEqual([
      expect.any(Number),
      expect.stringMatching(/there is no signal SIGNOTHING/),
    ]);
  });
});

describe('a service', () => {
  it('restarts itself from inside: stopped by the old rules, started by the new definition (supervisors 13)', async () => {
    const home = newHome();
    const ask = `require('node:http').request({ socketPath: process.env.CONTROL, path: '/v1/services/web/restart', method: 'POST' }, (answer) => {
      require('node:fs').writeFileSync(process.env.ANSWER, String(answer.statusCode)); answer.resume(); }).end();`;
    const env = { CONTROL: home.socket, ANSWER: home.at('answer') };
    const script = `process.on('SIGUSR2', () => { ${ask} }); process.on('SIGTERM', () => setTimeout(() => process.exit(0), 300));
      require('node:fs').writeFileSync('${home.at('up')}', process.env.AGE); setInterval(() => {}, 1000);`;
    const web = (age: string, rest: object = {}) => ({
      run: [process.execPath, '-e', script],
      env: { ...env, AGE: age },
      ...rest,
    });
    home.configure({ web: web('first') });
    await home.start();
    const pid = await home.running('web');
    await home.until('its beginning', () => home.read('up') === 'first');
    signal(pid, 'SIGUSR2');
    await home.running('web', pid);
    expect([home.read('answer'), home.read('up')]).toEqual(['202', 'first']);
    expect(await home.service('web')).toMatchObject({
      restarts: { total: 0 },
      lastDeath: { cause: 'requested', code: 0 },
    });
    const second = await home.running('web');
    home.configure({ web: web('second', { stop: { signal: 'SIGINT', wait: '5s' } }) });
    expect((await home.upkeep('apply')).code).toBe(0);
    await home.running('web', second);
    expect(home.read('up')).toBe('second');
    // SIGINT would have killed it.
    expect((await home.service('web')).lastDeath).toMatchObject({ pid: second, cause: 'requested', code: 0 });
  });
});
