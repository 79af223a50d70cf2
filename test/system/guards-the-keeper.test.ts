// What a user is promised of the guard, of a command without a file, and of `--exit-with`.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive, signal } from '../support/running.js';

const SLEEP = 'sleep 1000';

/** The keeper of this home now: who answers. */
async function keeperOf(home: Home, old = 0): Promise<number> {
  let pid = 0;
  await home.until('a keeper answers', async () => {
    const answer = await home.get('/v1/status');
    if (answer.type !== 'ok') return false;
    pid = (answer.body as { keeper: { pid: number } }).keeper.pid;
    return pid !== old;
  });
  return pid;
}

describe('a guarded keeper', () => {
  it('comes back by itself, as often as it is killed, and no service notices', async () => {
    const home = newHome();
    home.configure(Object.fromEntries(['a', 'b', 'c'].map((name) => [name, { run: SLEEP }])), {
      keeper: { guard: true },
    });
    const guard = await home.start();
    const before = await Promise.all(['a', 'b', 'c'].map((name) => home.running(name)));
    let keeper = await keeperOf(home);
    expect(keeper).not.toBe(guard.pid);
    for (let life = 0; life < 4; life += 1) {
      signal(keeper, 'SIGKILL');
      keeper = await keeperOf(home, keeper);
    }
    expect(await Promise.all(['a', 'b', 'c'].map((name) => home.running(name)))).toEqual(before);
    expect(guard.said()).toMatch(
      /upkeep guard: the keeper ended with status 137, which is signal 9 or that exit code; starting it again/,
    );
    // A shell that waits: the bound of the issue is 1 MiB of memory that is its own or its share.
    const pss = Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${guard.pid}/smaps_rollup`, 'utf8'))?.[1]);
    expect(pss).toBeLessThan(1024);

    expect((await guard.end('SIGTERM')).code).toBe(0);
    for (const pid of before) expect(isAlive(pid)).toBe(false);
    expect(isAlive(keeper)).toBe(false);
  });

  it('that is asked to end ends its guard too, with its own status', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } }, { keeper: { guard: true } });
    const guard = await home.start();
    const pid = await home.running('web');
    expect((await home.upkeep('shutdown', '--leave')).code).toBe(0);
    expect((await guard.ended).code).toBe(0);
    expect(isAlive(pid)).toBe(true);
  });

  it('that cannot begin ends its guard at once, with the reason', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP, nonsense: 1 } }, { keeper: { guard: true } });
    const { code, stderr } = await home.launch([], { env: { UPKEEP_GUARD: '' } }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/nonsense/);
  });

  it('goes on without its guard, and says so', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } }, { keeper: { guard: true } });
    const guard = await home.start();
    const pid = await home.running('web');
    const keeper = await keeperOf(home);
    signal(guard.pid, 'SIGKILL');
    await guard.ended;
    const status = await home.upkeep('status');
    expect(status.stdout + status.stderr).toMatch(
      new RegExp(`the guard \\(pid ${guard.pid}\\) is gone: nobody starts this keeper again`),
    );
    expect(await home.running('web')).toBe(pid);
    expect((await home.upkeep('shutdown')).code).toBe(0);
    await home.until('its end', () => !isAlive(keeper));
  });

  it('is upgraded in place below the same guard', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } }, { keeper: { guard: true } });
    const guard = await home.start();
    const pid = await home.running('web');
    const keeper = await keeperOf(home);
    expect((await home.upkeep('upgrade')).code).toBe(0);
    expect(await keeperOf(home)).toBe(keeper);
    expect(await home.running('web')).toBe(pid);
    expect((await guard.end('SIGTERM')).code).toBe(0);
    expect(isAlive(pid)).toBe(false);
  });
});

describe('the guard', () => {
  it('starts the keeper again also when nobody reads what it says', async () => {
    const home = newHome();
    const script = fileURLToPath(new URL('../../lib/guard.sh', import.meta.url));
    const stub = 'echo $$ >>lives; exec sleep 1000';
    const guard = spawn('/bin/sh', [script, 'sh', '-c', stub], {
      ...{ cwd: home.path, env: home.environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    guard.stderr.destroy();
    const lives = (): readonly string[] => home.read('lives').split('\n').slice(0, -1);
    await home.until('its first keeper', () => lives().length === 1);
    signal(Number(lives()[0]), 'SIGKILL');
    await home.until('another keeper', () => lives().length === 2);
    expect(guard.exitCode ?? guard.signalCode).toBeNull();
  });
});

describe('upkeep run -- COMMAND', () => {
  it('keeps one service without a file, with the caller’s environment and output', async () => {
    const home = newHome();
    const command = ['--', 'sh', '-c', 'echo "greeting: $GREETING in $PWD"; exec sleep 1000'];
    const options = { env: { GREETING: 'hello' }, before: ['sh', '-c', 'cd "$0" && exec "$@"', home.path] };
    const keeper = await home.start(command, options);
    const pid = await home.running('sh');
    await expect.poll(() => keeper.said(), { timeout: 10_000 }).toContain(`greeting: hello in ${home.path}`);
    signal(pid, 'SIGKILL');
    const next = await home.running('sh', pid);
    const status = await home.upkeep('status', '--json');
    expect(status.code).toBe(0);
    expect(JSON.parse(status.stdout).keeper.config).toMatch(/^upkeep run -- sh -c/);
    expect((await home.upkeep('apply')).stderr).toMatch(/has no file to apply/);
    // The same command again takes charge of what it finds.
    await keeper.end('SIGKILL');
    const second = await home.start(command, options);
    expect(await home.running('sh')).toBe(next);
    expect((await home.upkeep('upgrade')).code).toBe(0);
    expect(await home.running('sh')).toBe(next);
    expect((await second.end('SIGTERM')).code).toBe(0);
    expect(isAlive(next)).toBe(false);
  });

  it('is no configuration that a later keeper would take for the last good one', async () => {
    const home = newHome();
    const first = await home.start(['--', 'sleep', '1000']);
    await home.running('sleep');
    await first.end('SIGTERM');
    home.configure({ web: { run: SLEEP } });
    await home.start();
    await home.running('web');
    const { stdout } = await home.upkeep('status', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ keeper: { pending: false }, services: [{ name: 'web' }] });
  });

  it('leaves alone what another keeper has left running in these directories', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const first = await home.start(['--leave']);
    const pid = await home.running('web');
    await first.end('SIGTERM');
    const { code, stderr } = await home.launch(['--', 'sleep', '1000']).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /services of another keeper run from these directories \(web\); name others with UPKEEP_RUNTIME_DIR/,
    );
    expect(isAlive(pid)).toBe(true);
  });
});

describe('--exit-with', () => {
  const once = { restart: 'never', ready: { alive: '0s' } };

  it.each([
    ['exit 7', 7],
    ['kill -TERM $$', 143],
    ['exit 0', 0],
  ])('ends the keeper when that service has ended for good: %s → %i', async (what, expected) => {
    const home = newHome();
    // Not the first one: services come one after the other when the keeper begins.
    home.configure({ web: { run: SLEEP }, job: { ...once, run: ['sh', '-c', `sleep 0.3; ${what}`] } });
    const keeper = home.launch(['--exit-with', 'job']);
    expect((await keeper.ended).code).toBe(expected);
    expect(keeper.said()).toMatch(/stopping the supervised services/);
  });

  it('goes on while that service is started again', async () => {
    const home = newHome();
    home.configure({
      job: {
        run: ['sh', '-c', 'echo once >>runs; sleep 0.2; exit 3'],
        cwd: home.path,
        restart: { limit: '2 in 1m', then: 'give-up' },
      },
    });
    const keeper = home.launch(['--exit-with', 'job']);
    expect((await keeper.ended).code).toBe(3);
    expect(home.read('runs')).toBe('once\nonce\nonce\n');
  });

  it('names what is not there, and starts nothing', async () => {
    const home = newHome();
    home.configure({ web: { run: ['sh', '-c', 'touch started'], cwd: home.path } });
    const { code, stderr } = await home.launch(['--exit-with', 'job']).ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(/--exit-with job: there is no such service on this host; nothing was started/);
    expect(home.read('started')).toBe('');
  });
});
