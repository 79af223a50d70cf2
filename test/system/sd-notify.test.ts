// The promise: a daemon that was written for systemd says how it is, and Upkeep hears it as systemd would.

import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive } from '../support/running.js';

type Step = Readonly<Record<string, unknown>>;

const SENDER = new URL('../support/sd-notify-sender.py', import.meta.url).pathname;
const says = (...steps: readonly Step[]): readonly string[] => ['/usr/bin/python3', SENDER, JSON.stringify(steps)];
const shell = (script: string): readonly string[] => ['/bin/sh', '-c', script];

const statusOf = (home: Home, text: string): Promise<unknown> =>
  home.when('web', ({ statusText }) => statusText === text);

describe('a service is ready', () => {
  it('when systemd-notify has said so from a shell, and not before (graceful A1, A2)', async () => {
    const home = newHome();
    const script = `while [ ! -e '${home.at('go')}' ]; do sleep 0.1; done
      systemd-notify --ready --status='serving from a shell' || exit 3
      exec sleep 1000`;
    home.configure({ web: { run: shell(script), ready: 'notify' } });
    await home.start();
    await home.when('web', ({ state, process }) => state === 'starting' && process !== null);
    home.write('go', '');
    const pid = await home.running('web');
    await statusOf(home, 'serving from a shell');
    expect((await home.service('web')).process?.pid).toBe(pid);
  });

  it('when it has said so while no keeper lived', async () => {
    const home = newHome();
    const steps = [{ say: 'STATUS=begun' }, { wait: home.at('go') }, { say: 'READY=1\nSTATUS=serving' }];
    home.configure({ web: { run: says(...steps, { tell: home.at('said') }), ready: 'notify' } });
    const keeper = await home.start();
    await statusOf(home, 'begun');
    const before = (await home.service('web')).process?.pid;
    await keeper.end('SIGKILL');
    home.write('go', '');
    await home.until('it has said it', () => existsSync(home.at('said')));
    await home.start();
    expect(await home.running('web')).toBe(before);
    await statusOf(home, 'serving');
  });
});

describe('whose words count (graceful A8)', () => {
  const child = [{ fork: [{ say: 'STATUS=from a child' }] }];

  it.each([
    ['main', 'from the main process'],
    ['exec', 'from the main process'],
    ['all', 'from a child'],
  ])('%s', async (access, expected) => {
    const home = newHome();
    const run = says({ say: 'STATUS=from the main process' }, ...child, { say: 'READY=1' });
    home.configure({ web: { run, ready: { notify: access } } });
    await home.start();
    await home.running('web');
    expect((await home.service('web')).statusText).toBe(expected);
  });

  it.each([
    ['main', null],
    ['exec', 'from a hook'],
  ])('of a hook, where it is %s', async (access, expected) => {
    const home = newHome();
    const afterStart = { exec: shell('systemd-notify --status="from a hook"; exit 0') };
    home.configure({ web: { run: says({ say: 'READY=1' }), ready: { notify: access }, hooks: { afterStart } } });
    await home.start();
    await home.running('web');
    expect((await home.service('web')).statusText).toBe(expected);
  });

  it('by its own word, until it has ended (graceful A15)', async () => {
    const home = newHome();
    const run = says({ say: 'READY=1\nNOTIFYACCESS=all' }, ...child, { tell: home.at('told') });
    home.configure({ web: { run, ready: { notify: 'main' } } });
    await home.start();
    await statusOf(home, 'from a child');
    const again = says(
      { say: 'READY=1\nSTATUS=as configured' },
      ...child,
      { say: 'X_END=1' },
      { tell: home.at('again') },
    );
    home.configure({ web: { run: again, ready: { notify: 'main' } } });
    expect((await home.upkeep('apply')).code).toBe(0);
    await home.until('it has said all', () => existsSync(home.at('again')));
    await statusOf(home, 'as configured');
  });
});

describe('another process is the main one', () => {
  const successor = (home: Home): Step => ({
    fork: [{ say: 'MAINPID' }, { say: 'STATUS=the next one' }, { tell: home.at('next') }],
  });

  it('once it was named, and the old one may end (graceful A10)', async () => {
    const home = newHome();
    const run = says({ say: 'READY=1' }, { wait: home.at('go') }, successor(home), { exit: 0 });
    home.configure({ web: { run, ready: { notify: 'all' } } });
    await home.start();
    const before = await home.running('web');
    home.write('go', '');
    const after = await home.running('web', before);
    expect(after).toBe(Number(home.read('next')));
    await home.until('the old one has ended', () => !isAlive(before));
    await statusOf(home, 'the next one');
    expect(await home.service('web')).toMatchObject({ state: 'running', restarts: { total: 0 } });
  });

  it('never because somebody names one that is dead, or nobody (graceful A9)', async () => {
    const home = newHome();
    const names = ['0', '1', 'nonsense', '4194304'];
    const run = says({ say: 'READY=1' }, ...names.map((pid) => ({ say: `MAINPID=${pid}` })), { say: 'STATUS=end' });
    home.configure({ web: { run, ready: 'notify' } });
    await home.start();
    const pid = await home.running('web');
    await statusOf(home, 'end');
    expect((await home.service('web')).process?.pid).toBe(pid);
  });
});

describe('a start', () => {
  it('may ask for more time, again and again (graceful A12)', async () => {
    const home = newHome();
    const wait = [{ say: 'EXTEND_TIMEOUT_USEC=60000000' }, { sleep: 9 }];
    home.configure({ web: { run: says(...wait, { say: 'READY=1' }), ready: { notify: true, timeout: '8s' } } });
    await home.start();
    await home.running('web');
    expect((await home.service('web')).restarts.total).toBe(0);
  });

  it('that is silent after that fails (graceful A12)', async () => {
    const home = newHome();
    const run = says({ say: 'EXTEND_TIMEOUT_USEC=1500000' });
    home.configure({ web: { run, ready: { notify: true, timeout: '1s' } } });
    await home.start();
    await home.when('web', ({ restarts }) => restarts.total > 0);
    expect((await home.service('web')).lastDeath).toMatchObject({ cause: 'start-timeout' });
  });
});

describe('a watchdog', () => {
  it('ends who has not said that it lives, and knows whose it is (graceful A13)', async () => {
    const home = newHome();
    const report = { report: ['WATCHDOG_PID', 'WATCHDOG_USEC'] };
    const run = says({ say: 'READY=1' }, report, { wait: home.at('go') }, { every: 0.2, say: 'WATCHDOG=1' });
    home.configure({ web: { run, ready: 'notify', watchdog: '2s' } });
    await home.start();
    const { lastDeath, restarts } = await home.when('web', (is) => is.restarts.total > 0);
    expect(lastDeath).toMatchObject({ cause: 'watchdog', signal: 'SIGABRT' });
    home.write('go', '');
    // From now on it says so: the next one, or the one after that if that was late.
    const { process: living, statusText } = await home.when('web', ({ health, state }) => {
      return state === 'running' && health !== null;
    });
    await home.until('it has lived for longer than the watchdog waits', async () => {
      const now = await home.service('web');
      return now.state === 'running' && Date.now() - Date.parse(now.process?.started ?? now.since) > 5_000;
    });
    expect(restarts.total).toBeGreaterThan(0);
    expect([living, statusText]).not.toContain(null);
    const now = await home.service('web');
    expect(now.statusText).toBe(`WATCHDOG_PID=${now.process?.pid} WATCHDOG_USEC=2000000 pid=${now.process?.pid}`);
  });

  it('is pulled by the service itself where it knows that it is lost (graceful A13)', async () => {
    const home = newHome();
    const run = says({ say: 'READY=1' }, { wait: home.at('go') }, { say: 'WATCHDOG=trigger' });
    home.configure({ web: { run, ready: 'notify' } });
    await home.start();
    await home.running('web');
    home.write('go', '');
    const { lastDeath } = await home.when('web', ({ restarts }) => restarts.total > 0);
    expect(lastDeath).toMatchObject({ cause: 'watchdog' });
  });

  it('waits as long as the service says (graceful A13)', async () => {
    const home = newHome();
    const run = says({ say: 'READY=1\nWATCHDOG_USEC=600000000' }, { sleep: 4 }, { say: 'STATUS=still there' });
    home.configure({ web: { run, ready: 'notify', watchdog: '2s' } });
    await home.start();
    await statusOf(home, 'still there');
    expect((await home.service('web')).restarts.total).toBe(0);
  });
});

describe('a reload that the service answers', () => {
  const reload = { signal: 'SIGHUP', notify: true };

  it('is over when it says so (graceful A14)', async () => {
    const home = newHome();
    const hup = [{ reloading: 0 }, { wait: home.at('go') }, { say: 'READY=1\nSTATUS=reloaded' }];
    home.configure({ web: { run: says({ hup }, { say: 'READY=1' }), ready: 'notify', reload } });
    const keeper = await home.start();
    const pid = await home.running('web');
    const asked = home.upkeep('reload', 'web');
    home.write('go', '');
    expect((await asked).code).toBe(0);
    await statusOf(home, 'reloaded');
    await home.until('the keeper says so', () => /web was told to reload|reloaded/.test(keeper.said()));
    expect((await home.service('web')).process?.pid).toBe(pid);
  });

  it('that speaks of an earlier one has not begun, and the service goes on (graceful A14)', async () => {
    const home = newHome();
    const hup = [{ reloading: 60 }, { say: 'READY=1' }];
    const ready = { notify: true, timeout: '2s' };
    home.configure({ web: { run: says({ hup }, { say: 'READY=1' }), ready, reload } });
    const keeper = await home.start();
    const pid = await home.running('web');
    void home.upkeep('reload', 'web', '--no-wait');
    await home.until('it is told', () => keeper.said().includes('did not answer with RELOADING=1'));
    expect(await home.running('web')).toBe(pid);
  });
});

it('what nobody understands is said in the log, a few times', async () => {
  const home = newHome();
  const run = says({ say: 'READY=1' }, { say: 'ERRNO=nonsense', times: 100 }, { say: 'STATUS=end' });
  home.configure({ web: { run, ready: 'notify' } });
  const keeper = await home.start();
  await statusOf(home, 'end');
  await home.until('it is said', () => keeper.said().includes('more like this is not shown for a minute'));
  expect(keeper.said().match(/ERRNO= has no value/g)).toHaveLength(5);
});
