// `upkeep install --via cron` with Debian's cron daemon: the keeper comes back by itself, and no service notices.

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copies, freshGround, keeperAfter, keeperNow, leftovers, servicePids } from '../support/sandbox-installs.js';
import { Keeper, upkeep } from '../support/sandbox-keeper.js';
import { endAll, isAlive, run, until } from '../support/sandbox-machine.js';

const FILE = '/etc/cron.d/upkeep';

/** cron looks once a minute; then Node has to start. */
const MINUTE = 90;

let services: readonly number[];

/** What cron would run now. */
function check(): ReturnType<typeof run> {
  const command = /^\* \* \* \* \* root (.*)$/m.exec(readFileSync(FILE, 'utf8'))?.[1] ?? '';
  return run('/bin/sh', ['-c', command], { env: { PATH: '/usr/bin:/bin' } });
}

async function noneAnswers(pid: number): Promise<void> {
  await until('its end', () => !isAlive(pid) && keeperNow() === null);
}

beforeAll(async () => {
  await endAll('/usr/sbin/cron');
  await freshGround();
  run('/usr/sbin/cron', []);
});

afterAll(async () => {
  upkeep('stop', '--all');
  upkeep('uninstall');
  await endAll('/usr/sbin/cron', '/usr/bin/sleep');
});

describe('a keeper kept by cron', () => {
  it('takes over the services of one that was started by hand', async () => {
    const byHand = await Keeper.start();
    services = await servicePids();
    const ran = upkeep('install');
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('/var/log/upkeep/_keeper.log') });
    expect(ran.stdout).toContain('--via cron, the first that this host has');
    expect(ran.stdout).toContain(`the keeper that runs (pid ${byHand.pid}) ends, and its services go on`);
    expect(keeperNow()).toMatchObject({ owner: 'cron' });
    expect(await servicePids()).toEqual(services);
    expect(statSync(FILE)).toMatchObject({ uid: 0, mode: 0o100644 });
  });

  it('is installed once: a second install changes nothing, another owner is refused (cfengine-fleet 1.8)', () => {
    const { mtimeMs } = statSync(FILE);
    expect(upkeep('install', '--via', 'cron')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^already installed/),
    });
    expect(statSync(FILE).mtimeMs).toBe(mtimeMs);
    for (const via of ['guard', 'sysv', 'systemd'])
      expect(upkeep('install', '--via', via)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('cron keeps this keeper already'),
      });
    expect(leftovers()).not.toContain('/etc/init.d/upkeep');
  });

  it('comes back after kill -9, and no service notices (supervisors 32)', { timeout: 150_000 }, async () => {
    const old = keeperNow()?.pid ?? 0;
    process.kill(old, 'SIGKILL');
    expect(await keeperAfter(old, MINUTE)).toMatchObject({ owner: 'cron' });
    expect(await servicePids()).toEqual(services);
    expect(copies()).toBe(2);
  });

  it('is replaced when it is there and makes no progress', { timeout: 150_000 }, async () => {
    // As cron would do it, with less patience.
    const text = readFileSync(FILE, 'utf8');
    writeFileSync(FILE, text.replace('SHELL=', 'UPKEEP_CHECK_STALE=5\nUPKEEP_CHECK_AGAIN=5\nSHELL='));
    const old = keeperNow()?.pid ?? 0;
    process.kill(old, 'SIGSTOP');
    await until('its end', () => !isAlive(old), 2 * MINUTE);
    expect(await keeperAfter(old, 30)).toMatchObject({ owner: 'cron' });
    expect(await servicePids()).toEqual(services);
    expect(readFileSync('/var/log/upkeep/_keeper.log', 'utf8')).toContain(
      `the keeper (pid ${old}) has made no progress`,
    );
    writeFileSync(FILE, text);
  });

  it('stays away after `upkeep shutdown`, and the status says who wanted that', async () => {
    const old = keeperNow()?.pid ?? 0;
    expect(upkeep('shutdown')).toMatchObject({ code: 0, stdout: expect.stringContaining('stays away for this boot') });
    await noneAnswers(old);
    expect(check()).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(upkeep('status')).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/it was stopped on purpose by root at .*; `upkeep install` starts it/),
    });
    expect(services.every(isAlive)).toBe(true);
  });

  it('is started again by the command that the status names', async () => {
    expect(upkeep('install').code).toBe(0);
    expect(keeperNow()).toMatchObject({ owner: 'cron' });
    expect(await servicePids()).toEqual(services);
  });

  it('is uninstalled without a trace, and the services go on', async () => {
    const old = keeperNow()?.pid ?? 0;
    expect(upkeep('uninstall', '--dry-run').stdout).toContain(`remove ${FILE}`);
    expect(upkeep('uninstall')).toMatchObject({ code: 0, stdout: expect.stringContaining('the services go on') });
    await noneAnswers(old);
    expect(leftovers()).toEqual([]);
    expect(services.every(isAlive)).toBe(true);
    expect(upkeep('uninstall')).toMatchObject({ code: 0, stdout: 'nothing is installed\n' });
  });
});
