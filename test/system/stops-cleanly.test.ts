// The promise: a stop is clean, ends all of a service and nothing else, and comes to its end whatever the service does.

import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive, signal } from '../support/running.js';

/** Prints its pid as a line of its own into the file, then runs the rest. */
const noting = (file: string, rest: string): string => `echo $$ >> '${file}'; ${rest}`;
const DEAF = "trap '' TERM; while :; do sleep 0.1; done";

async function pidsIn(home: Home, file: string, count: number): Promise<readonly number[]> {
  const pids = (): readonly number[] =>
    home
      .read(file)
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  await home.until(`${count} pids in ${file}`, () => pids().length === count);
  return pids();
}

describe('stop', () => {
  it('climbs the ladder, and says each rung that was needed (monitors 19)', async () => {
    const home = newHome();
    const line = `trap 'echo TERM >> "${home.at('got')}"' TERM; trap 'echo INT >> "${home.at('got')}"; exit 3' INT; touch '${home.at('set')}'; while :; do sleep 0.05; done`;
    const stop = [
      { signal: 'SIGTERM', wait: '300ms' },
      { signal: 'SIGINT', wait: '20s' },
    ];
    home.configure({ web: { run: ['sh', '-c', line], stop } });
    const keeper = await home.start();
    const pid = await home.running('web');
    const stopped = await home.upkeep('stop', 'web', '--reason', 'a new disk');
    expect(stopped).toMatchObject({ code: 0, stdout: 'web  stopped\n', stderr: '' });
    expect([isAlive(pid), home.read('got')]).toEqual([false, 'TERM\nINT\n']);
    const is = await home.service('web');
    expect(is).toMatchObject({
      state: 'stopped',
      desired: 'down',
      override: { desired: 'down', reason: 'a new disk', until: null },
    });
    expect(is.lastDeath).toMatchObject({ cause: 'requested', code: 3, text: 'stopped on request (code 3)' });
    expect(is.restarts).toEqual({ total: 0, window: 0 });
    await expect.poll(() => keeper.said(), { timeout: 10_000 }).toMatch(/web did not end in time, sent SIGINT/);
    expect((await home.upkeep('status')).code).toBe(0);
  });

  it('kills what ignores SIGTERM, when its time is over (monitors 33)', async () => {
    const home = newHome();
    home.configure({ web: { run: ['sh', '-c', DEAF], stop: { signal: 'SIGTERM', wait: '300ms' } } });
    await home.start();
    const pid = await home.running('web');
    expect((await home.upkeep('stop', 'web')).code).toBe(0);
    expect(isAlive(pid)).toBe(false);
    expect((await home.service('web')).lastDeath).toMatchObject({
      cause: 'requested',
      signal: 'SIGKILL',
      text: 'stopped on request (SIGKILL)',
    });
  });

  it('returns only when the children are gone too, also one that ignores SIGTERM (supervisors 10)', async () => {
    const home = newHome();
    const children = home.at('children');
    const child = (rest: string): string => `sh -c '${noting(children, rest).replaceAll("'", `'\\''`)}' &`;
    const line = `${child(DEAF)} ${child('exec sleep 1000')} wait; sleep 1000`;
    home.configure({ web: { run: ['sh', '-c', line], stop: { signal: 'SIGTERM', wait: '500ms' } } });
    await home.start();
    const main = await home.running('web');
    const pids = await pidsIn(home, 'children', 2);
    expect(pids.every(isAlive)).toBe(true);
    expect((await home.upkeep('stop', 'web')).code).toBe(0);
    expect([main, ...pids].filter(isAlive)).toEqual([]);
  });

  it('reaches a service that is stopped by SIGSTOP', async () => {
    const home = newHome();
    home.configure({ web: { run: ['sh', '-c', "trap 'exit 0' TERM; while :; do sleep 0.05; done"] } });
    await home.start();
    const pid = await home.running('web');
    expect((await home.upkeep('signal', 'web', 'SIGSTOP')).code).toBe(0);
    expect((await home.upkeep('stop', 'web')).code).toBe(0);
    expect((await home.service('web')).lastDeath).toMatchObject({ cause: 'requested', code: 0 });
    expect(isAlive(pid)).toBe(false);
  });

  it('works in the middle of a start, and nothing starts later (supervisors 11)', async () => {
    const home = newHome();
    home.configure({ web: { run: 'sleep 1000', ready: { fd: 3, timeout: '1h' } } });
    await home.start();
    const { process } = await home.when('web', (is) => is.state === 'starting' && is.process !== null);
    expect((await home.upkeep('stop', 'web')).code).toBe(0);
    expect(await home.service('web')).toMatchObject({ state: 'stopped', process: null, next: null });
    expect(isAlive(process?.pid ?? 0)).toBe(false);
  });

  it('and two restarts and a start at once leave exactly one process (supervisors 9)', async () => {
    const home = newHome();
    const pids = home.at('pids');
    home.configure({ web: { run: ['sh', '-c', noting(pids, 'exec sleep 1000')] } });
    await home.start();
    await home.running('web');
    await Promise.all(['restart', 'restart', 'start'].map((verb) => home.post(`/v1/services/web/${verb}?wait=20s`)));
    const pid = await home.running('web');
    const all = home
      .read('pids')
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
    expect(all.filter(isAlive)).toEqual([pid]);
    expect((await home.service('web')).restarts.total).toBe(0);
  });
});

describe('the end of the keeper', () => {
  const services = {
    web: { run: 'sleep 1000' },
    tail: { run: ['sh', '-c', DEAF], stop: { signal: 'SIGTERM', wait: '300ms' } },
  };

  it.each(['SIGTERM', 'SIGINT'] as const)('by %s stops its services and ends with 0', async (name) => {
    const home = newHome();
    home.configure(services);
    const keeper = await home.start();
    const pids = [await home.running('web'), await home.running('tail')];
    const ended = await keeper.end(name);
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect(pids.filter(isAlive)).toEqual([]);
    expect(ended.stderr).toMatch(/ending; stopping the supervised services/);
    const status = await home.upkeep('status');
    expect(status.code).toBe(4);
    expect(status.stderr).toMatch(/^upkeep: no keeper answers: .* start one with `upkeep run`\n$/);
    // Nobody asked for them to stay down.
    const next = await home.start();
    expect(await home.running('web')).not.toBe(pids[0]);
    expect((await next.end('SIGTERM')).code).toBe(0);
  });

  it('by `upkeep shutdown` waits until it has ended', async () => {
    const home = newHome();
    home.configure(services);
    const keeper = await home.start();
    const pid = await home.running('web');
    expect(await home.upkeep('shutdown')).toMatchObject({
      code: 0,
      stdout: `the keeper (pid ${keeper.pid}) has ended\n`,
    });
    expect(await keeper.ended).toMatchObject({ code: 0 });
    expect(isAlive(pid)).toBe(false);
  });

  it('by `upkeep shutdown` is not told of a keeper that was killed halfway', async () => {
    const home = newHome();
    home.configure({ web: { run: ['sh', '-c', DEAF], stop: { signal: 'SIGTERM', wait: '1h' } } });
    const keeper = await home.start();
    const pid = await home.running('web');
    const asked = home.upkeep('shutdown');
    await home.until('the stop to begin', () => keeper.said().includes('stopping web'));
    signal(keeper.pid, 'SIGKILL');
    const told = await asked;
    expect(told).toMatchObject({ code: 1, stdout: '' });
    expect(told.stderr).toContain(
      `upkeep: the keeper (pid ${keeper.pid}) is gone, but did not come to the end of its shutdown; services that it had not stopped yet may still run, and the next keeper takes charge of them\n`,
    );
    expect(isAlive(pid)).toBe(true);
  });

  it.each([
    ['upkeep run --leave', ['--leave'], null],
    ['upkeep shutdown --leave', [], ['shutdown', '--leave']],
  ] as const)(
    'leaves its services alone after %s, and the next one takes charge of them',
    async (_how, args, command) => {
      const home = newHome();
      home.configure(services);
      const keeper = await home.start(args);
      const pid = await home.running('web');
      if (command === null) expect((await keeper.end('SIGTERM')).code).toBe(0);
      else expect((await home.upkeep(...command)).code).toBe(0);
      await keeper.ended;
      expect(isAlive(pid)).toBe(true);
      await home.start();
      expect(await home.running('web')).toBe(pid);
      signal(pid, 'SIGKILL');
      await home.running('web', pid);
    },
  );

  it('that is asked twice does not wait any longer', async () => {
    const home = newHome();
    home.configure({ web: { run: ['sh', '-c', DEAF], stop: { signal: 'SIGTERM', wait: '1h' } } });
    const keeper = await home.start();
    const pid = await home.running('web');
    signal(keeper.pid, 'SIGTERM');
    await home.until('the stop to begin', () => keeper.said().includes('stopping web'));
    expect((await keeper.end('SIGTERM')).code).toBe(0);
    expect(isAlive(pid)).toBe(true);
  });
});
