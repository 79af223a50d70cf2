// The check that cron runs once a minute (lib/check.sh), on real processes: what it leaves alone, what it kills, what it
// starts. A small program stands in for the keeper, so that its stamp can be as old as a test wants; times are shortened.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive, type Ran, readQuietly, signal } from '../support/running.js';

const CHECK = fileURLToPath(new URL('../../lib/check.sh', import.meta.url));
const STAND_IN = fileURLToPath(new URL('../support/stand-in-keeper.pl', import.meta.url));

/** A stamp is old after a second; and a second later it is looked at again. */
const SHORT = { UPKEEP_CHECK_STALE: '1', UPKEEP_CHECK_AGAIN: '1' };

const command = (home: Home): readonly string[] => ['perl', STAND_IN, home.at('run'), home.at('starts')];

function check(home: Home, env: NodeJS.ProcessEnv = SHORT): Promise<Ran> {
  const places = [home.at('run'), home.at('state'), home.at('log')];
  return home.spawn(['sh', CHECK, ...places, ...command(home)], { env }).ended;
}

/** Who was started, in order. */
const starts = (home: Home): readonly { readonly pid: number; readonly text: string }[] =>
  home
    .read('starts')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ pid: Number.parseInt(line, 10), text: line.slice(line.indexOf(' ') + 1) }));

/** A keeper that makes progress. */
async function standIn(home: Home, ...more: readonly string[]): Promise<number> {
  const { pid } = home.spawn([...command(home), ...more]);
  await home.until('the lock is held', () => starts(home).some((one) => one.pid === pid));
  if (more.length === 0) await home.until('a stamp', () => home.read('run/progress').includes(` ${pid}\n`));
  return pid;
}

/** The new keeper, once it makes progress. */
async function successor(home: Home, count: number): Promise<number> {
  await home.until('a new keeper', () => starts(home).length >= count);
  const pid = starts(home).at(-1)?.pid ?? 0;
  await home.until('its stamp', () => home.read('run/progress').includes(` ${pid}\n`));
  return pid;
}

const silent = (ran: Ran): void => expect(ran).toMatchObject({ code: 0, stdout: '', stderr: '' });

function mark(home: Home, boot: string): void {
  home.write('state/stopped', `boot=${boot}\nat=2026-11-21T10:00:00.000Z\nby=alice\n`);
}

const thisBoot = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

describe('the check of cron', () => {
  it('says nothing and does nothing while the keeper makes progress', async () => {
    const home = newHome();
    const pid = await standIn(home);
    silent(await check(home));
    silent(await check(home));
    expect(isAlive(pid)).toBe(true);
    expect(starts(home)).toHaveLength(1);
    expect(home.read('log/_keeper.log')).toBe('');
  });

  it('starts a keeper where there is none, as its owner, in a session of its own, and is silent', async () => {
    const home = newHome();
    silent(await check(home));
    const pid = await successor(home, 1);
    expect(starts(home)[0]?.text).toBe('started by cron');
    expect(readQuietly(`/proc/${pid}/stat`).split(' ')[5]).toBe(String(pid));
    expect(home.read('log/_keeper.log')).toContain('starting a keeper');
  });

  it('starts one in place of a keeper that was killed, at once: its stamp is still fresh', async () => {
    const home = newHome();
    const old = await standIn(home);
    signal(old, 'SIGKILL');
    await home.until('its end', () => !isAlive(old));
    silent(await check(home, {}));
    expect(await successor(home, 2)).not.toBe(old);
  });

  it('kills a keeper that is there and makes no progress, and starts another (cfengine-fleet 1.8)', async () => {
    const home = newHome();
    const old = await standIn(home);
    signal(old, 'SIGSTOP');
    await home.until('its stamp is old', async () => {
      silent(await check(home));
      return starts(home).length > 1;
    });
    expect(isAlive(old)).toBe(false);
    expect(await successor(home, 2)).not.toBe(old);
    expect(home.read('log/_keeper.log')).toContain(`the keeper (pid ${old}) has made no progress`);
  });

  it('spares one that goes on at the second look: the machine was suspended', async () => {
    const home = newHome();
    const pid = await standIn(home);
    signal(pid, 'SIGSTOP');
    await home.until('its stamp is old', () => secondsOld(home) > 2);
    const looking = check(home, { UPKEEP_CHECK_STALE: '1', UPKEEP_CHECK_AGAIN: '3' });
    await home.until('the check waits', () =>
      home.processes().some((one) => readQuietly(`/proc/${one}/comm`) === 'sleep\n'),
    );
    signal(pid, 'SIGCONT');
    silent(await looking);
    expect(isAlive(pid)).toBe(true);
    expect(starts(home)).toHaveLength(1);
  });

  it('starts nothing while the mark of this boot says that it was stopped on purpose', async () => {
    const home = newHome();
    mark(home, thisBoot());
    silent(await check(home));
    mark(home, 'another-boot');
    silent(await check(home));
    await successor(home, 1);
    expect(starts(home)).toHaveLength(1);
  });

  it('starts one keeper when two checks run at once', async () => {
    const home = newHome();
    for (const ran of await Promise.all([1, 2, 3, 4].map(() => check(home)))) silent(ran);
    await successor(home, 1);
    expect(starts(home).map(({ text }) => text)).toEqual(['started by cron']);
  });

  it('never kills a stranger that got the pid of the stamp', async () => {
    const home = newHome();
    const stranger = home.spawn(['sleep', '1000']);
    home.write('run/lock', '');
    home.write('run/progress', `1.00 ${stranger.pid}\n`);
    silent(await check(home));
    await successor(home, 1);
    expect(isAlive(stranger.pid)).toBe(true);
  });

  it('leaves alone whoever holds the lock and has left no stamp yet: a keeper that starts, or `upkeep once`', async () => {
    const home = newHome();
    const pid = await standIn(home, 'no-stamp');
    home.write('run/progress', '1.00 1\n');
    silent(await check(home));
    expect(isAlive(pid)).toBe(true);
    expect(starts(home)).toHaveLength(1);
  });

  it('does not take a lock on another file with the same name for the keeper', async () => {
    const home = newHome();
    const other = newHome();
    await standIn(other);
    home.write('run/lock', '');
    silent(await check(home));
    await successor(home, 1);
  });

  it('is not misled by half a stamp, or by one from before a reboot', async () => {
    const home = newHome();
    const pid = await standIn(home, 'no-stamp');
    for (const text of ['', 'x', `99999999.00 ${pid}\n`]) {
      writeFileSync(home.at('run/progress'), text);
      const looking = check(home, { UPKEEP_CHECK_STALE: '1', UPKEEP_CHECK_AGAIN: '1' });
      // It would be renewed by now, as a living keeper does it.
      if (text.startsWith('9')) writeFileSync(home.at('run/progress'), `${uptime()} ${pid}\n`);
      silent(await looking);
    }
    expect(isAlive(pid)).toBe(true);
  });

  it('leaves its own lock to no keeper: the next check looks at the one that this has started', async () => {
    const home = newHome();
    silent(await check(home));
    const first = await successor(home, 1);
    signal(first, 'SIGSTOP');
    await home.until('it is replaced', async () => {
      silent(await check(home));
      return starts(home).length > 1;
    });
    expect(isAlive(first)).toBe(false);
  });

  it('starts a keeper whose log directory cannot be written', async () => {
    const home = newHome();
    home.write('log', 'a file');
    silent(await check(home));
    await successor(home, 1);
  });
});

const uptime = (): string => readFileSync('/proc/uptime', 'utf8').split(' ')[0] ?? '';
const secondsOld = (home: Home): number => Number(uptime()) - Number.parseFloat(home.read('run/progress'));
