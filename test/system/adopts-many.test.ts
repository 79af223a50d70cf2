// The promise: with hundreds of services the keeper’s death is still nothing to them. How fast it is, the bench tells.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { ServiceStatus } from '../../src/core/status.js';
import { newHome } from '../support/keeper.js';

const COUNT = 300;

it('three hundred services do not notice that their keeper is killed, over and over, and each is adopted as it was', {
  timeout: 120_000,
}, async () => {
  const home = newHome();
  home.configure(Object.fromEntries(Array.from({ length: COUNT }, (_, i) => [`s${i}`, { run: 'sleep 1000' }])));
  let keeper = await home.start(['--leave']);
  let services: readonly ServiceStatus[] = [];
  const areUp = async (): Promise<boolean> => {
    services = (await home.status()).services;
    return services.filter(({ state }) => state === 'running').length === COUNT;
  };
  await home.until('all of them', areUp, 60);
  const pids = services.map(({ process }) => process?.pid ?? 0);
  const starts = pids.map((pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21]);
  for (let death = 0; death < 3; death += 1) {
    await keeper.end('SIGKILL');
    keeper = await home.start(['--leave']);
    // With its first answer, not some time later.
    expect(await areUp()).toBe(true);
    expect(services.map(({ process }) => process?.pid)).toEqual(pids);
    expect(services.every(({ restarts, lastDeath }) => restarts.total === 0 && lastDeath === null)).toBe(true);
  }
  expect(pids.map((pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21])).toEqual(starts);
  const living = home.processes().filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep\0'));
  expect(new Set(living)).toEqual(new Set(pids));
  expect(living).toHaveLength(COUNT);
});
