// Seed 002's list on Debian's cfengine3: cf-execd, cf-monitord and cf-serverd, three lines each, none of
// them anybody's child.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alone, NAMES, PROGRAMS, pids, prepare } from '../support/sandbox-cfengine.js';
import { Keeper, runningAs, status, upkeep } from '../support/sandbox-keeper.js';
import { endAll } from '../support/sandbox-machine.js';

let keeper: Keeper;

beforeAll(async () => {
  await prepare();
  keeper = await Keeper.start();
});

afterAll(async () => {
  await keeper.stop();
  await endAll(...PROGRAMS);
});

describe('seed 002', () => {
  it('starts the three daemons of CFEngine', async () => {
    for (const name of NAMES) await alone(name);
    expect(upkeep('status').code).toBe(0);
  });

  it.each(NAMES)('keeps %s up, whatever happens to it', async (name) => {
    for (const signal of ['SIGKILL', 'SIGABRT', 'SIGKILL'] as const) {
      const old = (await alone(name)).pid;
      process.kill(old, signal);
      await alone(name, old);
      expect(status(name).lastDeath).toMatchObject({ pid: old, cause: 'signal', signal });
    }
  });

  it('takes charge of the same processes again after the keeper itself was killed', async () => {
    const before = await pids();
    await keeper.stop('SIGKILL');
    keeper = await Keeper.start();
    for (const [index, name] of NAMES.entries()) await runningAs(name, before[index] ?? 0);
    expect(status('cf-execd').state).toBe('running');
    expect(await pids()).toEqual(before);
  });
});
