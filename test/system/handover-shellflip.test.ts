// The example of the seed, under Upkeep and alone: four generations, a refusal, and the fourth goes on. Under systemd it is a root test.

import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { newHome } from '../support/keeper.js';
import { flipped, flipsItself, fourGenerations, SHELLFLIP, TOO_MANY } from '../support/shellflip.js';

/** One that nobody has just now. */
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

describe('the example of the seed under Upkeep', () => {
  it('counts four generations, and goes on with the fourth when the fifth refuses (graceful E1, E6, E8)', async () => {
    const home = newHome();
    const port = await freePort();
    const web = {
      run: [process.execPath, SHELLFLIP],
      sockets: { http: `127.0.0.1:${port}` },
      ready: { notify: true, timeout: '30s' },
      handover: { mode: 'overlap', drain: '20s' },
    };
    home.configure({ web });
    await home.start();
    let pid = await home.running('web');
    /** The one before has ended, so that nobody else can answer. */
    const replaced = async (): Promise<void> => {
      pid = await home.running('web', pid);
      await home.when('web', ({ draining }) => draining.length === 0);
    };
    const fourth = await fourGenerations(port, async (next) => {
      if (next !== 3) expect((await home.upkeep('restart', 'web')).code).toBe(0);
      const answer = next === 3 ? await flipsItself(port) : null;
      await replaced();
      if (answer !== null) expect(answer).toEqual({ pid });
    });
    expect([fourth.pid, (await home.service('web')).statusText]).toEqual([pid, 'generation 4']);
    expect(fourth.mode).toEqual({
      manager: 'upkeep',
      guarantees: { overlap: true, canRefuse: true, stateHandedOver: true, socketsHeld: true, watchdog: false },
    });
    const { code, stderr } = await home.upkeep('restart', 'web');
    expect([code, stderr]).toEqual([1, expect.stringMatching(new RegExp(`the new generation refused: ${TOO_MANY}`))]);
    expect(await flipped(port)).toMatchObject({ generation: 4, pid, requests: fourth.requests + 1 });
    // From inside it is the same, with the reason.
    expect((await flipsItself(port)).error).toMatch(TOO_MANY);
    expect(await flipped(port)).toMatchObject({ generation: 4, pid, requests: fourth.requests + 2 });
    // What was refused is in the way of nothing: with more generations allowed the next one takes over.
    home.configure({ web: { ...web, env: { REFUSE_FROM: '9' } } });
    await home.until('the refused one has ended', async () => (await home.service('web')).draining.length === 0);
    expect((await home.upkeep('apply')).code).toBe(0);
    await replaced();
    expect(await flipped(port)).toMatchObject({ generation: 5, pid, requests: fourth.requests + 3 });
  });
});

describe('the example of the seed alone', () => {
  it('counts four generations, and goes on with the fourth when the fifth refuses (graceful E1, E6, E8)', async () => {
    const home = newHome();
    const port = await freePort();
    const { said } = home.spawn([process.execPath, SHELLFLIP], { env: { PORT: String(port) } });
    const serves = (generation: number): Promise<void> =>
      home.until(
        () => `generation ${generation}\n${said()}`,
        () => said().includes(`generation ${generation} serves`),
      );
    await serves(1);
    const fourth = await fourGenerations(port, async (next) => {
      const { pid = 0 } = await flipsItself(port);
      await serves(next);
      // Those before have ended, so that nobody else can answer, or be in the way of another restart.
      await home.until('it is alone', () => String(home.processes()) === String(pid));
    });
    expect(fourth.mode).toEqual({
      manager: 'alone',
      guarantees: { overlap: true, canRefuse: true, stateHandedOver: true, socketsHeld: false, watchdog: false },
    });
    expect((await flipsItself(port)).error).toMatch(TOO_MANY);
    expect(await flipped(port)).toMatchObject({ generation: 4, pid: fourth.pid, requests: fourth.requests + 1 });
    await home.until('the refused one has ended', () => String(home.processes()) === String(fourth.pid));
  });
});
