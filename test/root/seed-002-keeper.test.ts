// Seed 002's real question: what when the watcher itself is gone? The daemons of CFEngine, kept by a keeper that a real cron keeps.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keeperAfter, keeperNow } from '../support/sandbox-installs.js';
import { forgetEverything, status, upkeep, writeConfig } from '../support/sandbox-keeper.js';
import { endAll, isAlive, ofProgram, run, type Seen, until } from '../support/sandbox-machine.js';

// See seed-002.test.ts for why so.
const POLICY = `
body common control { bundlesequence => { "nothing" }; }
body executor control { schedule => { "Min00" }; }
body server control { allowconnects => { "127.0.0.1" }; }
bundle agent nothing { }
bundle server access_rules { }
`;

const CONFIG = `
services:
  cf-execd:
    watch: /usr/bin/cf-execd
    start: /usr/bin/cf-execd
  cf-monitord:
    watch: /usr/bin/cf-monitord
    start: /usr/bin/cf-monitord --no-lock
  cf-serverd:
    watch: /usr/bin/cf-serverd
    start: /usr/bin/cf-serverd --no-lock
`;

const NAMES = ['cf-execd', 'cf-monitord', 'cf-serverd'] as const;
const PROGRAMS = NAMES.map((name) => `/usr/bin/${name}`);
const CRON = '/usr/sbin/cron';

/** cron looks once a minute; then Node has to start. */
const MINUTE = 90;

/** Where cron lives and all that it starts, the keeper too: as on a machine of little memory. */
const HIERARCHY = '/mnt/memory-seed-002';
const GROUP = `${HIERARCHY}/upkeep-seed-002-${process.pid}`;

mkdirSync(HIERARCHY, { recursive: true });
const hasMemory = run('mount', ['-t', 'cgroup', '-o', 'memory', 'memory', HIERARCHY]).code === 0;

/** The one process of this daemon, once Upkeep says that it runs as another than `old`. */
function alone(name: string, old = 0): Promise<Seen> {
  return until(`one ${name} that is not ${old}`, () => {
    const [only, second] = ofProgram(`/usr/bin/${name}`);
    const now = status(name);
    const isIt = second === undefined && only?.pid === now.process?.pid && now.state === 'running' && only?.pid !== old;
    return isIt ? only : undefined;
  });
}

const pids = (): Promise<readonly number[]> => Promise.all(NAMES.map(async (name) => (await alone(name)).pid));
const said = (): string => readFileSync('/var/log/upkeep/_keeper.log', 'utf8');

beforeAll(async () => {
  forgetEverything();
  await endAll(CRON, ...PROGRAMS);
  mkdirSync('/var/lib/cfengine3/inputs', { recursive: true });
  writeFileSync('/var/lib/cfengine3/inputs/promises.cf', POLICY, { mode: 0o600 });
  writeConfig(CONFIG);
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
