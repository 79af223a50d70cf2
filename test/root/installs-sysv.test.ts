// `upkeep install --via sysv` and `--via guard`: an init script and a guard bring the keeper back, and no service notices.

import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copies, freshGround, keeperAfter, keeperNow, leftovers, servicePids } from '../support/sandbox-installs.js';
import { upkeep } from '../support/sandbox-keeper.js';
import { endAll, isAlive, processes, run, service, until } from '../support/sandbox-machine.js';

let services: readonly number[];

const script = (verb: string): ReturnType<typeof run> => run('/etc/init.d/upkeep', [verb]);

const guards = (): readonly number[] =>
  processes()
    .filter(({ argv }) => argv[1]?.endsWith('/lib/guard.sh'))
    .map(({ pid }) => pid);

async function killKeeper(owner: string): Promise<void> {
  const old = keeperNow()?.pid ?? 0;
  process.kill(old, 'SIGKILL');
  expect(await keeperAfter(old, 30)).toMatchObject({ owner });
  expect(await servicePids()).toEqual(services);
  expect(copies()).toBe(2);
}

async function nobodyIsThere(): Promise<void> {
  await until('the end of keeper and guard', () => keeperNow() === null && guards().length === 0);
}

/** What was left behind is still all there: the same processes. */
const goOn = (): boolean => services.every(isAlive) && copies() === 2;

beforeAll(async () => {
  await endAll('/usr/sbin/cron');
  await freshGround();
});

afterAll(async () => {
  upkeep('uninstall');
  await endAll('/usr/bin/sleep');
});

describe('a keeper kept by its init script', () => {
  it('is started below a guard, and at every run level', async () => {
    const ran = upkeep('install', '--via', 'sysv');
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    services = await servicePids();
    expect(keeperNow()).toMatchObject({ owner: 'sysv' });
    expect(guards()).toHaveLength(1);
    for (const level of [2, 3, 4, 5])
      expect(readdirSync(`/etc/rc${level}.d`)).toContainEqual(expect.stringMatching(/^S\d\dupkeep$/));
    for (const level of [0, 1, 6])
      expect(readdirSync(`/etc/rc${level}.d`)).toContainEqual(expect.stringMatching(/^K\d\dupkeep$/));
    expect(script('status')).toMatchObject({ code: 0, stdout: `upkeep is running (guard ${guards()[0]})\n` });
  });

  it('comes back after kill -9, and no service notices (supervisors 32)', async () => {
    await killKeeper('sysv');
    await killKeeper('sysv');
  });

  it('is started once, however often it is started', async () => {
    const before = keeperNow();
    expect(service('upkeep', 'start')).toBe(0);
    expect(upkeep('install')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^already installed/) });
    expect(guards()).toHaveLength(1);
    expect(keeperNow()).toEqual(before);
  });

  it('changes no service at stop, start, restart and reload', async () => {
    expect(service('upkeep', 'stop')).toBe(0);
    await nobodyIsThere();
    expect(goOn()).toBe(true);
    expect(script('status')).toMatchObject({ code: 3, stdout: 'upkeep is not running\n' });
    expect(service('upkeep', 'start')).toBe(0);
    const { pid } = await keeperAfter(0, 30);
    expect(service('upkeep', 'restart')).toBe(0);
    const next = await keeperAfter(pid, 30);
    expect(script('reload')).toMatchObject({ code: 0 });
    await until('the same process answers', () => keeperNow()?.pid === next.pid);
    expect(await servicePids()).toEqual(services);
    expect(guards()).toHaveLength(1);
  });

  it('stays away after `upkeep shutdown`, and comes back by the command that the status names', async () => {
    expect(upkeep('shutdown')).toMatchObject({ code: 0, stdout: expect.stringContaining('stays away for this boot') });
    await nobodyIsThere();
    expect(upkeep('status')).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/stopped on purpose by root at .*; `service upkeep start` starts it/),
    });
    expect(service('upkeep', 'start')).toBe(0);
    expect(await servicePids()).toEqual(services);
  });

  it('is uninstalled without a trace, and the services go on', async () => {
    expect(upkeep('install', '--via', 'guard').stderr).toContain('sysv keeps this keeper already');
    expect(upkeep('uninstall')).toMatchObject({ code: 0 });
    await nobodyIsThere();
    expect(leftovers()).toEqual([]);
    expect(goOn()).toBe(true);
  });
});

describe('a keeper kept by a guard alone', () => {
  it('takes the services over, and says that nothing starts it at boot', async () => {
    const ran = upkeep('install');
    expect(ran, ran.stderr).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('nothing starts the guard at boot'),
    });
    expect(ran.stdout).toContain('--via guard, the first that this host has');
    expect(keeperNow()).toMatchObject({ owner: 'guard' });
    expect(await servicePids()).toEqual(services);
  });

  it('comes back after kill -9, and no service notices', async () => {
    await killKeeper('guard');
  });

  it('stays away after `upkeep shutdown`, until it is installed again', async () => {
    expect(upkeep('shutdown').code).toBe(0);
    await nobodyIsThere();
    expect(upkeep('install').code).toBe(0);
    expect(keeperNow()).toMatchObject({ owner: 'guard' });
    expect(await servicePids()).toEqual(services);
  });

  it('is uninstalled without a trace, and the services go on', async () => {
    expect(upkeep('uninstall')).toMatchObject({ code: 0 });
    await nobodyIsThere();
    expect(leftovers()).toEqual([]);
    expect(goOn()).toBe(true);
  });
});
