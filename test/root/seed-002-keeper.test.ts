// Seed 002's real question: what when the watcher itself is gone? The daemons of CFEngine, kept by a keeper that a real cron keeps.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alone, PROGRAMS, pids, prepare } from '../support/sandbox-cfengine.js';
import { keeperAfter, keeperNow } from '../support/sandbox-installs.js';
import { status, upkeep } from '../support/sandbox-keeper.js';
import { endAll, isAlive, run, until } from '../support/sandbox-machine.js';

const CRON = '/usr/sbin/cron';

/** cron looks once a minute; then Node has to start. */
const MINUTE = 90;

/** Where cron lives and all that it starts, the keeper too: as on a machine of little memory. */
const HIERARCHY = '/mnt/memory-seed-002';
const GROUP = `${HIERARCHY}/upkeep-seed-002-${process.pid}`;

mkdirSync(HIERARCHY, { recursive: true });
const hasMemory = run('mount', ['-t', 'cgroup', '-o', 'memory', 'memory', HIERARCHY]).code === 0;

const said = (): string => readFileSync('/var/log/upkeep/_keeper.log', 'utf8');

beforeAll(async () => {
  await prepare(CRON);
  if (hasMemory) mkdirSync(GROUP);
  run('/bin/sh', ['-c', `${hasMemory ? `echo $$ >${GROUP}/cgroup.procs;` : ''} exec ${CRON}`]);
});

afterAll(async () => {
  upkeep('uninstall');
  await endAll(CRON, ...PROGRAMS);
  if (hasMemory) {
    await until('an empty group', () => {
      // The keeper makes groups of its own below the one it lives in.
      run('find', [GROUP, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
      return !existsSync(GROUP);
    });
    run('umount', [HIERARCHY]);
  }
});

describe('seed 002, with the keeper kept by cron', () => {
  it('adds its line to cron, once, and keeps the three daemons', async () => {
    expect(upkeep('install', '--via', 'cron').code).toBe(0);
    await pids();
    expect(upkeep('install', '--via', 'cron').stdout).toMatch(/^already installed/);
    expect(upkeep('status').code).toBe(0);
  });

  it('comes back after kill -9: the same daemons, and the one that died meanwhile', { timeout: 150_000 }, async () => {
    const [execd = 0, ...others] = await pids();
    const old = keeperNow()?.pid ?? 0;
    process.kill(old, 'SIGKILL');
    process.kill(execd, 'SIGKILL');
    await keeperAfter(old, MINUTE);
    await alone('cf-execd', execd);
    expect((await pids()).slice(1)).toEqual(others);
    expect(status('cf-execd').lastDeath).toMatchObject({
      pid: execd,
      text: expect.stringMatching(/while the keeper was away$/),
    });
    expect(said()).toMatch(new RegExp(`the keeper before \\(pid ${old}\\) .*nobody saw how`));
    // Started by cron, from here on it lives where memory is short.
    if (hasMemory)
      expect(readFileSync(`${GROUP}/cgroup.procs`, 'utf8')).toMatch(new RegExp(`^${keeperNow()?.pid}$`, 'm'));
  });

  it.runIf(hasMemory)(
    'comes back after the kernel has killed it for want of memory, and says so',
    {
      timeout: 200_000,
    },
    async () => {
      const before = await pids();
      const old = keeperNow()?.pid ?? 0;
      const usage = Number(readFileSync(`${GROUP}/memory.usage_in_bytes`, 'utf8'));
      writeFileSync(`${GROUP}/memory.limit_in_bytes`, String(usage + (1 << 20)));
      await until('the kernel kills the keeper', () => {
        for (let i = 0; i < 8; i += 1) burden();
        return !isAlive(old);
      });
      writeFileSync(`${GROUP}/memory.limit_in_bytes`, '-1');
      await keeperAfter(old, MINUTE);
      expect(await pids()).toEqual(before);
      expect(said()).toMatch(new RegExp(`the keeper before \\(pid ${old}\\) .*out of memory`));
      expect(upkeep('status', '--keeper').stdout).toMatch(/out of memory/);
    },
  );
});

/** A request whose body the keeper has to hold. */
function burden(): void {
  const asked = request({ socketPath: '/run/upkeep/control.sock', method: 'POST', path: '/v1/plan' });
  asked.on('error', () => {});
  asked.on('response', (answer) => answer.resume());
  asked.end(JSON.stringify({ file: 'x'.repeat(1_000_000) }));
}
