// The promise: kill -9 the keeper, and no service notices; the next keeper takes charge of all of them and forgets nothing.

import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive, signal } from '../support/running.js';

const SLEEP = 'sleep 1000';
const FLAKY = { run: 'false', restart: { delay: '1h', backoff: { max: '1h', jitter: '0%' } } };

/** How many living processes of this home are `sleep 1000`. */
const sleepers = (home: Home): number =>
  home.processes().filter((pid) => isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep\0'))
    .length;

describe('after kill -9 of the keeper', () => {
  it('the next one has the same processes, no second copy, and every counter, word and hold (supervisors 32, monitors 6, 18)', async () => {
    const home = newHome();
    home.configure({
      web: { run: SLEEP },
      db: { run: SLEEP },
      held: { run: SLEEP },
      off: { run: SLEEP },
      flaky: FLAKY,
    });
    const first = await home.start();
    for (const name of ['web', 'db', 'held', 'off']) await home.running(name);
    const killed = await home.running('db');
    signal(killed, 'SIGKILL');
    await home.running('db', killed);
    expect((await home.upkeep('hold', 'held', '--reason', 'a look inside')).code).toBe(0);
    expect((await home.upkeep('stop', 'off', '--reason', 'not today')).code).toBe(0);
    await home.when('flaky', ({ state }) => state === 'backoff');
    const before = await home.status();

    await first.end('SIGKILL');
    expect(sleepers(home)).toBe(3);
    const second = await home.start();
    const after = await home.status();
    for (const [i, was] of before.services.entries()) {
      const { since: _since, reason: _reason, process, next, ...rest } = was;
      expect(after.services[i]).toMatchObject(rest);
      expect(after.services[i]?.process?.pid).toBe(process?.pid);
      expect(after.services[i]?.next?.what).toBe(next?.what);
    }
    expect(sleepers(home)).toBe(3);
    expect(second.said()).not.toMatch(/ web: .*starting/);
    const web = await home.running('web');
    signal(web, 'SIGKILL');
    await home.running('web', web);
    // The operator's words go on counting, for the third keeper too.
    await second.end('SIGKILL');
    await home.start();
    expect(await home.service('off')).toMatchObject({
      state: 'stopped',
      override: { desired: 'down', reason: 'not today' },
    });
    expect(await home.service('held')).toMatchObject({ hold: { reason: 'a look inside' } });
  });

  it('a death in between is told as one that nobody saw, and answered (supervisors 32)', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const first = await home.start();
    const pid = await home.running('web');
    await first.end('SIGKILL');
    signal(pid, 'SIGKILL');
    await home.until('its end', () => !isAlive(pid));
    const second = await home.start();
    await home.running('web', pid);
    const { lastDeath, restarts } = await home.service('web');
    expect(lastDeath).toMatchObject({ pid, text: expect.stringMatching(/, while the keeper was away$/) });
    expect(restarts.total).toBe(1);
    await expect
      .poll(() => second.said(), { timeout: 10_000 })
      .toMatch(/web is not running, restarting: .*while the keeper was away/);
  });

  it('a service that says on its descriptor that it is ready gets no SIGPIPE, and the next keeper hears it', async () => {
    const home = newHome();
    const run = [
      'sh',
      '-c',
      `while [ ! -e ${home.at('go')} ]; do sleep 0.05; done; echo >&3; echo >&3; exec sleep 1000`,
    ];
    home.configure({ web: { run, ready: { fd: 3, timeout: '60s' } } });
    const first = await home.start();
    const before = await home.when('web', ({ process }) => process !== null);
    await first.end('SIGKILL');
    home.write('go', '');
    await home.until('it has spoken', () => sleepers(home) === 1);
    await home.start();
    expect(await home.running('web')).toBe(before.process?.pid);
    expect((await home.service('web')).restarts.total).toBe(0);
    await home.until('its file is removed', () => readdirSync(home.at('run/ready')).length === 0);
  });

  it('over and over, there is never a second copy', async () => {
    const home = newHome();
    home.configure(Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`s${i}`, { run: SLEEP }])));
    for (let life = 0; life < 4; life += 1) {
      const keeper = home.launch();
      await home.until('some of them', () => sleepers(home) > life);
      await keeper.end('SIGKILL');
      expect(sleepers(home)).toBeLessThanOrEqual(8);
    }
    await home.start();
    for (let i = 0; i < 8; i += 1) await home.running(`s${i}`);
    expect(sleepers(home)).toBe(8);
  });
});

describe('the journal', () => {
  it('with a torn tail loses nothing that stood before it, and says so', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const first = await home.start();
    const pid = await home.running('web');
    await first.end('SIGKILL');
    appendFileSync(home.at('run/journal'), '0badc0de {"s":{"name":"web","serv');
    const second = await home.start();
    expect(await home.running('web')).toBe(pid);
    await expect
      .poll(() => second.said(), { timeout: 10_000 })
      .toMatch(/warning 1 damaged line of the journal .*journal could not be used/);
  });

  it('of another boot is not believed: what it names may be anybody by now', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP }, off: { run: SLEEP }, 'off-now': { run: SLEEP }, flaky: FLAKY });
    const first = await home.start(['--leave']);
    const pid = await home.running('web');
    await home.when('flaky', ({ state }) => state === 'backoff');
    expect((await home.upkeep('stop', 'off')).code).toBe(0);
    expect((await home.upkeep('stop', 'off-now', '--until-boot')).code).toBe(0);
    expect((await first.end('SIGTERM')).code).toBe(0);
    const journal = home.at('run/journal');
    writeFileSync(
      journal,
      readFileSync(journal, 'utf8')
        .replaceAll(bootId(), '00000000-0000-4000-8000-000000000000')
        .replace(/^[0-9a-f]{8} (.*)$/gm, resum),
    );
    await home.start();
    const now = await home.running('web');
    expect(now).not.toBe(pid);
    expect(isAlive(pid)).toBe(true);
    expect((await home.service('off')).state).toBe('stopped');
    await home.running('off-now');
    expect((await home.service('flaky')).restarts.total).toBeLessThanOrEqual(1);
  });
});

describe('a second keeper', () => {
  it('refuses, names the first, and touches nothing (supervisors 34)', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const first = await home.start();
    const pid = await home.running('web');
    await home.when('web', ({ state }) => state === 'running');
    const look = (): readonly string[] =>
      readdirSync(home.path, { recursive: true, encoding: 'utf8' })
        .toSorted()
        .map((name) => {
          const { mtimeMs, size, ino } = statSync(home.at(name));
          return `${name} ${ino} ${size} ${mtimeMs}`;
        });
    await home.until('the files to rest', async () => {
      const before = look().join();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return look().join() === before;
    });
    const before = look();
    const second = await home.launch().ended;
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(new RegExp(`another keeper runs already \\(pid ${first.pid}\\)`));
    expect(look()).toEqual(before);
    expect(await home.running('web')).toBe(pid);
    const once = await home.upkeep('once');
    expect(once.stdout).toMatch(new RegExp(`a keeper runs \\(pid ${first.pid}\\)`));
  });
});

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** A line of the journal with its checksum made right again. */
const resum = (_line: string, json: string): string => `${crc32(json).toString(16).padStart(8, '0')} ${json}`;
