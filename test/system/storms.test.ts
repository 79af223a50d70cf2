// The promise: when everything dies at once, every death is recorded and answered, and nothing is left over.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { readQuietly, signal } from '../support/running.js';

const COUNT = 50;
const ROUNDS = 10;
const names = Array.from({ length: COUNT }, (_, i) => `s${i}`);

const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** The children of a process, as their states: Z is a zombie. */
function childrenOf(pid: number): readonly string[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((word) => word !== '');
  return children.map((child) => /\) (\w)/.exec(readQuietly(`/proc/${child}/stat`))?.[1] ?? 'gone');
}

async function allRunning(home: Home, restarts: number): Promise<readonly number[]> {
  await home.until(`${COUNT} running after ${restarts} restarts each`, async () => {
    const { services } = await home.status();
    return services.every((service) => service.state === 'running' && service.restarts.total === restarts);
  });
  return (await home.status()).services.map(({ process }) => process?.pid ?? 0);
}

describe(`${COUNT} services that are killed in the same moment`, () => {
  it('are recorded and restarted one by one, ten times, with no zombie and no descriptor more (supervisors 2, monitors 2)', async () => {
    const home = newHome();
    const restart = { delay: '0s', backoff: { max: '0s' }, limit: 'none' };
    home.configure(
      Object.fromEntries(names.map((name) => [name, { run: 'sleep 1000', restart, ready: { alive: '0s' } }])),
    );
    const keeper = await home.start();
    let pids = await allRunning(home, 0);
    await home.recorded();
    const before = descriptors(keeper.pid);
    for (let round = 1; round <= ROUNDS; round += 1) {
      const dead = pids;
      for (const pid of dead) signal(pid, 'SIGKILL');
      pids = await allRunning(home, round);
      expect(new Set([...pids, ...dead]).size).toBe(2 * COUNT);
      const { services } = await home.status();
      const deaths = services.map(({ lastDeath }) => [lastDeath?.pid, lastDeath?.text]);
      expect(deaths).toEqual(dead.map((pid) => [pid, expect.stringMatching(/^killed by SIGKILL/)]));
    }
    await home.until('an end of all zombies', () => !childrenOf(keeper.pid).includes('Z'));
    expect(childrenOf(keeper.pid)).toHaveLength(COUNT);
    await home.until(`as few descriptors as before, ${before}`, () => descriptors(keeper.pid) <= before);
    const told = (): number => keeper.said().match(/ is not running, restarting.*: killed by SIGKILL\n/g)?.length ?? 0;
    await expect.poll(told, { timeout: 10_000 }).toBe(COUNT * ROUNDS);
    const incidents = new Set((await home.status()).services.map(({ lastDeath }) => lastDeath?.incident));
    expect(incidents.size).toBe(COUNT);
  });
});

describe('a service that ends at once for ever', () => {
  it('costs neither descriptors nor zombies, and the command answers meanwhile (monitors 15, 16)', async () => {
    const home = newHome();
    const restart = { delay: '0s', backoff: { max: '0s' }, limit: 'none' };
    home.configure({ loop: { run: 'false', restart }, web: { run: 'sleep 1000' } });
    const keeper = await home.start();
    await home.running('web');
    await home.recorded();
    const before = descriptors(keeper.pid);
    const { restarts } = await home.service('loop');
    await home.when('loop', (is) => is.restarts.total > restarts.total + 50);
    expect((await home.upkeep('status')).code).toBeGreaterThan(2);
    expect((await home.upkeep('stop', 'loop')).code).toBe(0);
    await home.until('its end', () => childrenOf(keeper.pid).length === 1);
    await home.until('as few descriptors as before', () => descriptors(keeper.pid) <= before);
  });
});
