// The promise: `upkeep upgrade` replaces the running keeper by the program on disk, and no service, no client and no
// pending business notices; a program that cannot start changes nothing.

import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { follow } from '../../src/control/client.js';
import { openControlListener } from '../../src/kernel/control-listener.js';
import { type Home, newHome, UPKEEP } from '../support/keeper.js';
import { readQuietly, signal } from '../support/running.js';

const SLEEP = 'sleep 1000';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HOUR = { restart: { delay: '1h', backoff: { max: '1h', jitter: '0%' } } };

const sinceOf = async (home: Home): Promise<string> => (await home.status()).keeper.since;

/** By command; the word of the new keeper. */
async function upgrade(home: Home): Promise<string> {
  const { code, stdout, stderr } = await home.upkeep('upgrade');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** The program in a place of its own, where it can be spoiled. */
function copyOf(home: Home, version = '9.8.7'): string {
  const place = home.at('program');
  for (const part of ['bin', 'dist']) cpSync(join(ROOT, part), join(place, part), { recursive: true });
  const described: Record<string, unknown> = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  writeFileSync(join(place, 'package.json'), JSON.stringify({ ...described, version }));
  symlinkSync(join(ROOT, 'node_modules'), join(place, 'node_modules'));
  return place;
}

/** A keeper of that program, which answers. */
async function startFrom(home: Home, place: string, node = process.execPath): Promise<number> {
  const keeper = home.spawn([node, join(place, 'bin/upkeep'), 'run']);
  await home.until(
    () => `the keeper of ${place} answers\n${keeper.said()}`,
    async () => (await home.get('/v1/status')).type === 'ok',
  );
  return keeper.pid;
}

const descriptors = (pid: number): readonly string[] =>
  readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return 'gone';
    }
  });

describe('an upgrade', () => {
  it('keeps the pid of the keeper and of every service, and what was on its way goes on (supervisors 33)', async () => {
    const home = newHome();
    home.configure({
      web: { run: SLEEP },
      held: { run: SLEEP },
      off: { run: SLEEP },
      flaky: { run: 'false', ...HOUR },
      slow: { run: `sh -c 'trap "" TERM; while :; do sleep 0.1; done'`, stop: { signal: 'SIGTERM', wait: '8s' } },
    });
    const keeper = await home.start();
    for (const name of ['web', 'held', 'off', 'slow']) await home.running(name);
    await home.when('flaky', ({ state }) => state === 'backoff');
    expect((await home.upkeep('hold', 'held', '--reason', 'a look inside')).code).toBe(0);
    expect((await home.upkeep('stop', 'off')).code).toBe(0);
    expect((await home.upkeep('stop', 'slow', '--no-wait')).code).toBe(0);
    await home.when('slow', ({ state }) => state === 'stopping');
    const before = await home.status();
    expect(await upgrade(home)).toBe(
      `the keeper (pid ${keeper.pid}) now runs ${before.keeper.version} (was ${before.keeper.version})\n`,
    );
    const after = await home.status();
    expect(after.keeper.pid).toBe(keeper.pid);
    expect(after.keeper.since > before.keeper.since).toBe(true);
    expect(after.services.map(({ state }) => state)).toEqual(before.services.map(({ state }) => state));
    for (const [i, { name, process, restarts, hold, override, lastDeath }] of before.services.entries())
      expect(after.services[i]).toMatchObject({ name, process, restarts, hold, override, lastDeath });
    const next = (all: typeof before): number =>
      Date.parse(all.services.find(({ name }) => name === 'flaky')?.next?.at ?? '');
    expect(Math.abs(next(after) - next(before))).toBeLessThan(2_000);
    const { lastDeath } = await home.when('slow', ({ state }) => state === 'stopped');
    expect(lastDeath?.signal).toBe('SIGKILL');
    expect((await home.service('web')).process).toEqual(before.services.find(({ name }) => name === 'web')?.process);
  });

  it('leaves services the children of the keeper: how one ends directly after it is known exactly', async () => {
    const home = newHome();
    home.configure({ web: { run: `sh -c 'trap "exit 42" USR1; while :; do sleep 0.05; done'`, ...HOUR } });
    const keeper = await home.start();
    const pid = await home.running('web');
    const { since } = (await home.status()).keeper;
    expect((await home.post('/v1/upgrade')).type).toBe('ok');
    signal(pid, 'SIGUSR1');
    const { lastDeath } = await home.when('web', ({ state }) => state === 'backoff');
    expect(lastDeath).toMatchObject({ pid, cause: 'exit', code: 42 });
    await home.until('the new program', async () => (await sinceOf(home)) > since);
    expect((await home.status()).keeper.pid).toBe(keeper.pid);
  });

  it('comes by SIGUSR2 too, and works for a keeper that was called with relative paths', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const keeper = home.spawn(['node', relative(home.path, UPKEEP), 'run', '--leave', '--config', 'upkeep.yaml'], {
      env: { UPKEEP_RUNTIME_DIR: 'run', UPKEEP_STATE_DIR: './state', UPKEEP_LOG_DIR: 'log', UPKEEP_CONFIG: '' },
      before: ['sh', '-c', 'cd "$0" && exec "$@"', home.path],
    });
    await home.until('the keeper answers', async () => (await home.get('/v1/status')).type === 'ok');
    const pid = await home.running('web');
    for (let i = 0; i < 2; i++) {
      const since = await sinceOf(home);
      signal(keeper.pid, 'SIGUSR2');
      await home.until(`the new program\n${keeper.said()}`, async () => {
        const answer = await home.get('/v1/status');
        return answer.type === 'ok' && (await sinceOf(home)) > since;
      });
    }
    const status = await home.status();
    expect(status.keeper).toMatchObject({ pid: keeper.pid, config: home.config });
    expect(await home.running('web')).toBe(pid);
    // And it was --leave.
    expect((await keeper.end('SIGTERM')).code).toBe(0);
    expect(readQuietly(`/proc/${pid}/cmdline`)).toMatch(/^sleep/);
  });

  it('refuses no client, loses no answer, and ends what others follow in good order', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    await home.start();
    await home.running('web');
    const stop = new AbortController();
    const answers = new Map<string, number>();
    let longest = 0;
    const hammer = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const began = performance.now();
        const answer = await knock(home.socket);
        longest = Math.max(longest, performance.now() - began);
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    };
    const hammers = Array.from({ length: 8 }, hammer);
    for (let i = 0; i < 4; i++) {
      const followed = follow(home.socket, { onOpen: () => {}, onEvent: () => {} }, AbortSignal.timeout(30_000));
      await pause(50);
      await upgrade(home);
      expect((await followed).type).toBe('ok');
    }
    stop.abort();
    await Promise.all(hammers);
    expect([...answers.keys()]).toEqual(['HTTP/1.1 200 OK']);
    // For whoever asks how long it took: an upper bound that only a stalled host reaches.
    expect(longest).toBeLessThan(10_000);
    if (process.env.UPKEEP_MEASURE !== undefined) console.log(`longest wait ${longest} ms`, answers);
  });

  // The program is started some sixty times, which takes a busy machine a minute.
  it('twenty times while a service is killed again and again: one copy, every death counted', {
    timeout: 300_000,
  }, async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP, restart: { limit: 'none', delay: '10ms', backoff: { factor: 1 } } } });
    const keeper = await home.start();
    const killed = new Set<number>();
    const stop = new AbortController();
    const killer = (async (): Promise<void> => {
      for (let i = 0; !stop.signal.aborted; i++) {
        const pids = sleepers(home).filter((pid) => !killed.has(pid));
        for (const pid of pids) {
          killed.add(pid);
          signal(pid, 'SIGKILL');
        }
        await pause(10 + ((i * 37) % 90));
      }
    })();
    for (let i = 0; i < 20; i++) await upgrade(home);
    stop.abort();
    await killer;
    await home.running('web');
    const { restarts } = await home.when(
      'web',
      ({ state, process }) => state === 'running' && !killed.has(process?.pid ?? 0),
    );
    expect(sleepers(home)).toHaveLength(1);
    expect(restarts.total).toBe(killed.size);
    expect(killed.size).toBeGreaterThan(20);
    expect((await home.status()).keeper.pid).toBe(keeper.pid);
  });

  it('leaks no descriptor, to itself or to a service', { timeout: 300_000 }, async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const keeper = await home.start();
    const before = await home.running('web');
    await upgrade(home);
    await home.running('web');
    const historyIs = (): boolean => descriptors(keeper.pid).some((file) => file.endsWith('/history.db-wal'));
    await home.until('the history is open', historyIs);
    const first = descriptors(keeper.pid);
    for (let i = 0; i < 9; i++) await upgrade(home);
    await home.running('web');
    await home.until('the history is open again', historyIs);
    // One of each upgrade would be nine; what a young keeper has not opened yet is one or two.
    await home.until(
      () => `hardly more than ${first.join()}; there are ${descriptors(keeper.pid).join()}`,
      () => descriptors(keeper.pid).length < first.length + 5,
    );
    expect(descriptors(keeper.pid).filter((file) => file.endsWith('/lock'))).toHaveLength(1);
    signal(before, 'SIGKILL');
    const pid = await home.running('web', before);
    expect(descriptors(pid).filter((file) => !file.startsWith('/dev/null') && !file.endsWith('/web.log'))).toEqual([]);
    expect(readQuietly(`/proc/${pid}/environ`)).not.toContain('UPKEEP_INHERIT');
  });
});

describe('a program on disk', () => {
  it('of another version takes over, and says which', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const place = copyOf(home);
    const pid = await startFrom(home, place);
    const described: Record<string, unknown> = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));
    writeFileSync(join(place, 'package.json'), JSON.stringify({ ...described, version: '10.0.0' }));
    expect(await upgrade(home)).toBe(`the keeper (pid ${pid}) now runs 10.0.0 (was 9.8.7)\n`);
  });

  it.each([
    [
      'has a mistake',
      'dist/core/step.js',
      'export const = 1;\n',
      /SyntaxError: .* \(\S+\/program\/dist\/core\/step\.js:1\)/,
    ],
    ['lacks a file', 'dist/kernel/reaper.js', null, /ERR_MODULE_NOT_FOUND.*reaper\.js/],
    ['has a broken disk thread', 'dist/worker.js', 'throw new Error("no disk");\n', /disk thread.*no disk/],
    ['does not know rehearsals', 'bin/upkeep', 'process.exitCode = 0;\n', /ended with exit code 0/],
    ['hangs up without a word', 'bin/upkeep', 'process.kill(process.pid, "SIGKILL");\n', /ended by SIGKILL/],
  ])('that %s leaves the old one in charge, and says why', async (_what, file, text, why) => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const place = copyOf(home);
    await startFrom(home, place);
    const [pid, before] = [await home.running('web'), await home.status()];
    const path = join(place, file);
    const right = readFileSync(path);
    if (text === null) rmSync(path);
    else writeFileSync(path, text);
    const { code, stdout, stderr } = await home.upkeep('upgrade');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^upkeep: not upgraded, 9\.8\.7 goes on: /);
    expect(stderr).toMatch(why);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect((await home.status()).keeper).toEqual(before.keeper);
    signal(pid, 'SIGKILL');
    await home.running('web', pid);
    writeFileSync(path, right);
    await upgrade(home);
  });

  it('whose Node is gone, or whose configuration would not do, is refused too', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const node = home.at('node');
    cpSync(process.execPath, node);
    await startFrom(home, dirname(dirname(UPKEEP)), node);
    await home.running('web');
    rmSync(node);
    expect((await home.upkeep('upgrade')).stderr).toMatch(new RegExp(`goes on: ${node} cannot be started: .*ENOENT`));
    cpSync(process.execPath, node);
    writeFileSync(home.at('state/words.json'), '{');
    expect((await home.upkeep('upgrade')).stderr).toMatch(/what operators said before the last boot is lost/);
    rmSync(home.at('state/words.json'));
    await upgrade(home);
  });

  it('is rehearsed without a trace: nothing is written, and no lock is taken', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    for (const name of ['run', 'state', 'log']) mkdirSync(home.at(name), { mode: 0o700 });
    const { code, stdout } = await home.upkeep('run', '--rehearse');
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^upkeep \S+ is ready to take over\n$/),
    });
    expect(readdirSync(home.path, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual([
      'log',
      'run',
      'state',
      'upkeep.yaml',
    ]);
    home.write('upkeep.yaml', 'services: {web: {runn: x}}');
    expect(await home.upkeep('run', '--rehearse')).toMatchObject({ code: 1, stderr: expect.stringMatching(/runn/) });
  });
});

it('one upgrade is made at a time, and only for those who may', async () => {
  const home = newHome();
  home.configure({ web: { run: SLEEP } });
  await home.start();
  const since = await sinceOf(home);
  const answers = await Promise.all([home.post('/v1/upgrade'), home.post('/v1/upgrade')]);
  expect(answers.map(({ type }) => type).toSorted()).toEqual(['error', 'ok']);
  expect(answers.find(({ type }) => type === 'error')).toMatchObject({ status: 409, code: 'upgrade-under-way' });
  await home.until('the new program', async () => {
    const answer = await home.get('/v1/status');
    return answer.type === 'ok' && (await sinceOf(home)) > since;
  });
});

it('a listener that systemd kept is taken back: who knocked while nobody was there is answered', async () => {
  const home = newHome();
  home.configure({ web: { run: SLEEP } });
  mkdirSync(home.at('run'), { mode: 0o755 });
  const listener = openControlListener(home.socket, 16);
  const early = knock(home.socket);
  const script = 'export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=control; exec "$@"';
  const keeper = spawn('sh', ['-c', script, 'sh', process.execPath, UPKEEP, 'run'], {
    env: home.environment,
    stdio: ['ignore', 'ignore', 'ignore', listener.fd],
  });
  try {
    expect(await early).toBe('HTTP/1.1 200 OK');
    const pid = await home.running('web');
    expect(readQuietly(`/proc/${pid}/environ`)).not.toContain('LISTEN_');
    expect(await upgrade(home)).toContain(`pid ${keeper.pid}`);
  } finally {
    keeper.kill('SIGKILL');
  }
});

/** The first line of an answer, or the error. */
function knock(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', (error) => resolve(error.message));
    socket.on('end', () => resolve(text.split('\r\n')[0] ?? ''));
    socket.write('GET /v1/status HTTP/1.1\r\nhost: upkeep\r\nconnection: close\r\n\r\n');
  });
}

/** The living processes of this home that are `sleep 1000`. */
const sleepers = (home: Home): readonly number[] =>
  home
    .processes()
    .filter(
      (pid) =>
        readQuietly(`/proc/${pid}/cmdline`).startsWith('sleep\0') && !/\) [ZX]/.test(readQuietly(`/proc/${pid}/stat`)),
    );
