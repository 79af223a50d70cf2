// `upkeep install --via systemd` with a real systemd: the keeper comes back by itself, and no service notices.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgetEverything, UPKEEP, writeConfig } from '../support/sandbox-keeper.js';
import { endAll, processes, type Ran, run, until } from '../support/sandbox-machine.js';
import { Systemd } from '../support/sandbox-systemd.js';

const UNIT = '/etc/systemd/system/upkeep.service';
const LINK = '/etc/systemd/system/multi-user.target.wants/upkeep.service';

interface Now {
  readonly keeper: { readonly pid: number; readonly owner: string | null };
  readonly services: readonly { readonly state: string; readonly process: { readonly pid: number } | null }[];
}

let systemd: Systemd;
let services: readonly number[];

const upkeep = (...args: readonly string[]): Ran => systemd.run(process.execPath, UPKEEP, ...args);
const systemctl = (...args: readonly string[]): Ran => systemd.run('systemctl', ...args);
const property = (name: string): string => systemctl('show', '-P', name, 'upkeep').stdout.trim();

/** What answers in there; null: nothing does. */
function now(): Now | null {
  const ran = upkeep('status', '--json');
  return ran.stdout === '' ? null : (JSON.parse(ran.stdout) as Now);
}

function keeperAfter(old: number, seconds = 30): Promise<number> {
  return until(
    `a keeper that is not ${old}`,
    () => {
      const keeper = now()?.keeper;
      return keeper !== undefined && keeper.pid !== old && keeper.owner === 'systemd' ? keeper.pid : undefined;
    },
    seconds,
  );
}

const keeperPid = (): number => now()?.keeper.pid ?? 0;

function servicePids(): Promise<readonly number[]> {
  return until('both services run', () => {
    const all = now()?.services ?? [];
    return all.length === 2 && all.every(({ state }) => state === 'running')
      ? all.map(({ process: main }) => main?.pid ?? 0)
      : undefined;
  });
}

/** Of the services, alive in there. */
const copies = (): number =>
  processes().filter(({ argv }) => argv[0] === 'sleep' && /^10000[12]$/.test(argv[1] ?? '')).length;

beforeAll(async () => {
  forgetEverything();
  await endAll('/usr/bin/sleep');
  writeConfig(`
defaults: { ready: { alive: 100ms } }
services: { one: { run: "sleep 100001" }, two: { run: "sleep 100002" } }
`);
  systemd = await Systemd.boot();
});

afterAll(async () => {
  await systemd.end();
});

describe('a keeper kept by systemd', () => {
  it('is what an install without --via chooses there, and its unit has no mistake', async () => {
    const ran = upkeep('install');
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(ran.stdout).toContain('--via systemd, the first that this host has');
    services = await servicePids();
    expect(now()?.keeper.owner).toBe('systemd');
    expect(systemctl('is-enabled', 'upkeep').stdout).toBe('enabled\n');
    const verified = systemd.run('systemd-analyze', 'verify', UNIT);
    // It finds fault with units of other packages too.
    const faults = `${verified.stdout}${verified.stderr}`.split('\n').filter((line) => line.includes('upkeep'));
    expect({ code: verified.code, faults }).toEqual({ code: 0, faults: [] });
    expect(property('MainPID')).toBe(String(keeperPid()));
  });

  it('is installed once, and by one owner (cfengine-fleet 1.8)', () => {
    expect(upkeep('install')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^already installed/) });
    expect(upkeep('install', '--via', 'guard')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('systemd keeps this keeper already'),
    });
    writeFileSync('/etc/cron.d/upkeep', '* * * * * root upkeep run\n');
    expect(upkeep('install')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('/etc/cron.d/upkeep is not ours'),
    });
    systemd.run('rm', '/etc/cron.d/upkeep');
  });

  it('comes back after kill -9, and no service notices (supervisors 32)', async () => {
    const old = keeperPid();
    systemd.run('kill', '-KILL', String(old));
    await keeperAfter(old);
    expect(await servicePids()).toEqual(services);
    expect(copies()).toBe(2);
  });

  it('changes no service at `systemctl restart` and at `systemctl reload`, which is an upgrade in the same process', async () => {
    const old = keeperPid();
    expect(systemctl('restart', 'upkeep')).toMatchObject({ code: 0 });
    const next = await keeperAfter(old);
    expect(await servicePids()).toEqual(services);
    expect(systemctl('reload', 'upkeep')).toMatchObject({ code: 0 });
    await until('the keeper answers again', () => keeperPid() === next);
    expect(await servicePids()).toEqual(services);
    expect(property('ActiveState')).toBe('active');
    // Of several listeners with one name the next keeper could take one that nobody reaches.
    expect(property('NFileDescriptorStore')).toBe('1');
    expect(copies()).toBe(2);
  });

  it('is replaced when it makes no progress', { timeout: 120_000 }, async () => {
    const old = keeperPid();
    systemd.run('kill', '-STOP', String(old));
    await until(
      'systemd has replaced it',
      () => property('MainPID') !== String(old) && property('MainPID') !== '0',
      60,
    );
    await keeperAfter(old);
    expect(await servicePids()).toEqual(services);
  });

  it('stays away after `upkeep shutdown`, comes back by what the status names, and no service notices', async () => {
    expect(upkeep('shutdown')).toMatchObject({ code: 0, stdout: expect.stringContaining('stays away for this boot') });
    await until('systemd knows of its end', () => property('ActiveState') === 'inactive');
    expect(property('ExecMainStatus')).toBe('100');
    expect(upkeep('status')).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/stopped on purpose by root at .*; `systemctl start upkeep` starts it/),
    });
    expect(existsSync('/var/lib/upkeep/stopped')).toBe(true);
    expect(systemctl('start', 'upkeep')).toMatchObject({ code: 0 });
    expect(await servicePids()).toEqual(services);
    expect(existsSync('/var/lib/upkeep/stopped')).toBe(false);
  });

  it('stops its services itself, in order, when the host goes down', async () => {
    const pid = keeperPid();
    systemd.run('systemctl', 'poweroff', '--no-block');
    await systemd.end('by itself');
    const said = run('journalctl', ['-D', '/var/log/journal', '--no-pager', '-o', 'cat', `_PID=${pid}`]).stdout;
    expect(said).toContain('ending; stopping the supervised services');
    expect(said).toMatch(/one: .*stopped/);
    systemd = await Systemd.boot();
    await until('systemd has started the keeper', () => systemctl('start', 'upkeep').code === 0);
    services = await servicePids();
  });

  it('is uninstalled without a trace, and the services go on', () => {
    expect(upkeep('uninstall')).toMatchObject({ code: 0, stdout: expect.stringContaining('the services go on') });
    expect([UNIT, LINK, '/var/lib/upkeep/owner.json'].filter((path) => existsSync(path))).toEqual([]);
    expect(property('LoadState')).toBe('not-found');
    expect(now()).toBeNull();
    expect(copies()).toBe(2);
    expect(readFileSync('/etc/upkeep/upkeep.yaml', 'utf8')).toContain('100001');
  });
});
