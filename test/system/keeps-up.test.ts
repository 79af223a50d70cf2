// The promise: what dies is brought back at once, by rules, and it is said how it died.

import { describe, expect, it } from 'vitest';
import { newHome } from '../support/keeper.js';
import { isAlive, signal } from '../support/running.js';

const SLEEP = ['sleep', '1000'];
const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const INCIDENT = expect.stringMatching(/^[0-9a-z]+$/);

/** A command that ends by itself the first time, and stays the second. */
const once = (flag: string, line: string): readonly string[] => [
  ...['sh', '-c', `[ -e "$1" ] && exec sleep 1000; touch "$1"; ${line}`, 'sh', flag],
];

describe('a service that was killed', () => {
  it('is back as another process, and the status says what killed it, with every field (supervisors 1, monitors 1, 33, 37)', async () => {
    const home = newHome();
    home.configure({ web: { description: 'The shop', run: SLEEP } });
    // Who did it stands in names-the-killer.test.ts.
    const keeper = await home.start([], { env: { UPKEEP_WITHOUT: 'tracefs' } });
    const before = await home.running('web');
    expect((await home.service('web')).lastDeath).toBeNull();
    signal(before, 'SIGKILL');
    const after = await home.running('web', before);
    expect(isAlive(after)).toBe(true);
    const { stdout, code } = await home.upkeep('status', '--json');
    expect(code).toBe(0);
    const { keeper: about, ...whole } = JSON.parse(stdout);
    expect(Object.keys(whole)).toEqual(['version', 'host', 'time', 'services']);
    expect(about).toMatchObject({ pid: keeper.pid, since: ISO, config: home.config, pending: false });
    expect(Array.isArray(about.without)).toBe(true);
    expect(whole.services[0]).toEqual({
      name: 'web',
      description: 'The shop',
      kind: 'supervised',
      tags: [],
      desired: 'up',
      state: 'running',
      since: ISO,
      reason: expect.stringMatching(/^running for /),
      override: null,
      hold: null,
      process: { pid: after, started: ISO },
      fight: null,
      generation: 2,
      draining: [],
      handover: null,
      statusText: null,
      watchdog: null,
      reloading: null,
      health: { state: 'none', heartbeats: [] },
      restarts: { total: 1, window: 1 },
      lastDeath: {
        ...{ time: ISO, pid: before, cause: 'signal', code: null, signal: 'SIGKILL', coreDumped: false, errno: null },
        ...{ by: null, oom: false, incident: INCIDENT, said: null, text: 'killed by SIGKILL' },
      },
      next: null,
      blockedBy: [],
      notEnforced: [],
    });
    await expect
      .poll(() => keeper.said(), { timeout: 10_000 })
      .toMatch(/ web: The shop is not running, restarting: killed by SIGKILL\n/);
  });
});

describe('the record of a death', () => {
  it('tells exit code, crash with core and a program that is not there apart (supervisors 4, monitors 15, 33)', async () => {
    const home = newHome();
    const slow = { delay: '1h', backoff: { max: '1h' } };
    const crash = once(home.at('crashed'), 'kill -SEGV $$');
    home.configure({
      code: { run: once(home.at('exited'), 'exit 3') },
      crash: { run: crash, limits: { core: 'none' }, cwd: home.path },
      shout: { run: once(home.at('shouted'), 'exit 137') },
      missing: { run: '/nowhere/at-all --now', restart: slow },
      forbidden: { run: home.write('no-program', '#!/bin/sh\n'), restart: slow },
    });
    const keeper = await home.start();
    for (const name of ['code', 'crash', 'shout']) await home.running(name);
    const death = async (name: string) => (await home.when(name, ({ lastDeath }) => lastDeath !== null)).lastDeath;
    const none = { code: null, signal: null, errno: null, coreDumped: false, oom: false, by: null, said: null };
    const stamp = { time: ISO, incident: INCIDENT, pid: expect.any(Number) };
    expect(await death('code')).toEqual({ ...none, ...stamp, cause: 'exit', code: 3, text: 'exited with code 3' });
    expect(await death('shout')).toMatchObject({
      cause: 'exit',
      code: 137,
      signal: null,
      text: 'exited with code 137',
    });
    const core = await death('crash');
    expect(core).toMatchObject({ cause: 'signal', signal: 'SIGSEGV', code: null });
    // Where core files are piped away or refused, the kernel clears the flag.
    expect(core?.text).toBe(core?.coreDumped ? 'killed by SIGSEGV (core dumped)' : 'killed by SIGSEGV');
    expect(await death('missing')).toEqual({
      ...{ ...none, ...stamp, pid: null, cause: 'spawn', errno: 'ENOENT' },
      text: expect.stringMatching(/^could not be started: .*\/nowhere\/at-all/),
    });
    expect(await death('forbidden')).toMatchObject({ cause: 'spawn', errno: 'EACCES' });
    expect(await home.service('missing')).toMatchObject({ state: 'backoff', process: null, next: { why: 'backoff' } });
    await expect
      .poll(() => keeper.said(), { timeout: 10_000 })
      .toMatch(/missing failed to start: \/nowhere\/at-all: no such file; trying again in \d+ min/);
  });
});

describe('a restart policy', () => {
  it('decides by how the process ended (supervisors 8, monitors 20)', async () => {
    const home = newHome();
    const ends = (line: string, restart: unknown): unknown => ({ run: ['sh', '-c', `sleep 1.3; ${line}`], restart });
    home.configure({
      success: ends('exit 0', 'on-failure'),
      listed: ends('exit 5', { when: 'on-failure', successExit: [5] }),
      prevented: ends('exit 7', { when: 'always', preventExit: [7] }),
      'never-bad': ends('exit 1', 'never'),
      failure: { run: once(home.at('failed'), 'sleep 1.3; exit 1'), restart: 'on-failure' },
      abnormal: { run: once(home.at('killed'), 'sleep 1.3; kill -KILL $$'), restart: 'on-abnormal' },
      agreed: { run: once(home.at('agreed'), 'sleep 1.3; exit 9'), restart: { when: 'never', alwaysAfter: [9] } },
    });
    await home.start();
    for (const name of ['success', 'listed']) {
      expect(await home.when(name, ({ state }) => state === 'stopped')).toMatchObject({
        ...{
          restarts: { total: 0 },
          desired: 'up',
          next: null,
          reason: expect.stringMatching(/restart policy leaves it/),
        },
      });
    }
    for (const name of ['prevented', 'never-bad']) {
      expect(await home.when(name, ({ state }) => state === 'failed')).toMatchObject({
        restarts: { total: 0 },
        next: null,
      });
    }
    for (const name of ['failure', 'abnormal']) {
      await home.when(name, ({ state, restarts }) => state === 'running' && restarts.total === 1);
      expect((await home.service(name)).restarts.window).toBe(1);
    }
    await home.when('agreed', ({ state, restarts }) => state === 'running' && restarts.total === 1);
    expect((await home.service('agreed')).restarts.window).toBe(0);
    const { code, stdout } = await home.upkeep('status');
    expect(code).toBe(3);
    expect(stdout).toMatch(/3 running, 2 failed, 2 stopped/);
  });
});

describe('what fails again and again', () => {
  it('waits longer each time, says when the next try is, and an operator cuts that short (supervisors 7)', async () => {
    const home = newHome();
    home.configure({ web: { run: ['sh', '-c', 'exit 1'], restart: { delay: '20s', backoff: { jitter: '0%' } } } });
    const keeper = await home.start();
    const waiting = await home.when('web', ({ state }) => state === 'backoff');
    expect(waiting.next).toEqual({ what: 'start', at: ISO, why: 'backoff', waitsFor: [] });
    expect(waiting.reason).toMatch(/^next try in \d+ s: exited with code 1$/);
    const generation = waiting.generation;
    const start = await home.upkeep('start', 'web');
    expect(start.code).toBe(1);
    expect(start.stderr).toMatch(/web: start failed: exited with code 1/);
    await home.when('web', (is) => is.state === 'backoff' && is.generation === generation + 1);
    const stop = await home.upkeep('stop', 'web');
    expect(stop).toMatchObject({ code: 0, stdout: 'web  stopped\n' });
    expect(await home.service('web')).toMatchObject({ state: 'stopped', desired: 'down', next: null });
    expect((await home.upkeep('status')).code).toBe(0);
    await expect
      .poll(() => keeper.said(), { timeout: 10_000 })
      .toMatch(/web failed to start: exited with code 1; trying again in 20 s/);
  });

  it('has failed after its limit, and `reset` or a start tries again (supervisors 6, monitors 16, 17)', async () => {
    const home = newHome();
    const limit = { limit: '3 in 5m', delay: '0s' };
    const restart = (then: string) => Object.assign({}, limit, JSON.parse(`{"then":"${then}"}`));
    const run = [
      'sh',
      '-c',
      `echo start >> '${home.at('starts')}'; [ -e '${home.at('mended')}' ] && exec sleep 1000; exit 4`,
    ];
    home.configure({ flaky: { run, restart: restart('give-up') }, slow: { run: 'false', restart: restart('slow') } });
    const keeper = await home.start();
    const failed = await home.when('flaky', ({ state }) => state === 'failed');
    // Three restarts are done, the fourth is not.
    expect(failed).toMatchObject({ restarts: { total: 3, window: 3 }, next: null });
    expect(home.read('starts').split('\n')).toHaveLength(5);
    expect(await home.when('slow', ({ state }) => state === 'failed')).toMatchObject({
      next: { what: 'start', why: 'slow' },
    });
    await expect
      .poll(() => keeper.said(), { timeout: 10_000 })
      .toMatch(/flaky has failed: 3 restarts did not help; staying down, its restart limit is reached/);
    expect((await home.upkeep('status')).code).toBe(3);

    expect((await home.upkeep('start', 'flaky')).code).toBe(1);
    expect((await home.service('flaky')).restarts.total).toBe(3);
    home.write('mended', '');
    expect((await home.upkeep('reset', 'flaky')).code).toBe(0);
    await home.running('flaky');
    expect((await home.service('flaky')).restarts).toEqual({ total: 3, window: 0 });
  });
});
