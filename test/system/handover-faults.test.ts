// The promise: a new generation that does anything but take over costs nothing, and one that dies right after it has taken over costs
// what any crash costs.

import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ask, fault, startLoad, stepsOf } from '../support/handing-over.js';
import { acceptingOf, alone, ended, events, freePort, restart, serving } from '../support/handing-over-stage.js';
import { newHome } from '../support/keeper.js';
import { signal } from '../support/running.js';

const COUNTER = fileURLToPath(new URL('../../clients/node/test/support/counter.mjs', import.meta.url));

describe('a new generation', () => {
  it.each([
    ['never reads', 'new:never-reads', /its state was not handed over within 1 s/],
    ['is never ready', 'new:never-ready', /the new process was not ready within 2 s/],
    ['exits with 0 and without a word', 'new:exit-before-read 0', /ended before it was ready: code 0/],
    ['waits for an old one that never writes', 'old:never-writes', /its state was not handed over within 1 s/],
  ])(
    'that %s is ended, at its deadline at the latest, and the old one goes on as it was (graceful D4)',
    async (_, what, reason) => {
      const { home, port, old } = await serving(
        { HO_SIZE: '3000000' },
        { ready: { notify: true, timeout: '2s' }, handover: { mode: 'overlap', transfer: '1s', drain: '20s' } },
      );
      await ask(port);
      const load = startLoad(port, { kept: 2, fresh: 2 });
      fault(home, what);
      const { code, stderr } = await home.upkeep('restart', 'web');
      expect(code).toBe(1);
      expect(stderr).toMatch(reason);
      expect(await alone(home, port)).toBe(old);
      const { count } = await ask(port);
      await home.until('it counts', async () => (await ask(port)).count > count);
      await load.end();
      expect(load.lost).toEqual([]);
      expect((await home.service('web')).restarts.total).toBe(0);
      fault(home);
      expect(await restart(home, port)).not.toBe(old);
    },
  );

  it('that dies early five times in a row is followed by one that takes over: nothing sticks (graceful D11)', async () => {
    const { home, port, old } = await serving({ HO_SIZE: '3000000' });
    fault(home, 'new:exit-before-read 3');
    for (let i = 0; i < 5; i++) {
      const { code, stderr } = await home.upkeep('restart', 'web');
      expect([code, stderr]).toEqual([1, expect.stringMatching(/ended before it was ready: code 3/)]);
      expect(await alone(home, port)).toBe(old);
    }
    expect(await home.service('web')).toMatchObject({ restarts: { total: 0 }, draining: [] });
    fault(home);
    const before = (await ask(port)).count;
    expect(await restart(home, port)).not.toBe(old);
    expect((await ask(port)).count).toBeGreaterThan(before);
  });

  it.each(['0', '1'])(
    'that says READY and ends with %s at once leaves one process that serves, whichever of the two is heard of first (graceful 2, 11)',
    async (code) => {
      const { home, port } = await serving({}, { restart: { delay: '50ms' } });
      for (let i = 0; i < 5; i++) {
        await alone(home, port);
        fault(home, `new:exit-after-ready ${code}`);
        await home.upkeep('restart', 'web');
        fault(home);
        await alone(home, port);
      }
      expect(acceptingOf(home)).toHaveLength(1);
    },
  );

  it('that dies 100 ms after it took over is started again on the same sockets: never do two accept (graceful D13)', async () => {
    const { home, port, old } = await serving({}, { restart: { delay: '50ms' } });
    fault(home, 'new:dies-after-accept 0.1');
    const load = startLoad(port, { kept: 0, fresh: 4 });
    expect((await home.upkeep('restart', 'web')).code).toBe(0);
    await home.until('it has died', async () => (await home.service('web')).restarts.total === 1);
    fault(home);
    expect(await alone(home, port)).not.toBe(old);
    const before = load.answered();
    await home.until('it serves', () => load.answered() > before);
    await load.end();
    // Who was connected to the one that died is cut; nobody is refused.
    expect(load.lost.filter((words) => /ECONNREFUSED/.test(words))).toEqual([]);
    expect(events(home, 3)).toContain('accepting');
    const accepts = stepsOf(home).filter(({ event }) => event === 'accepting' || event === 'draining');
    expect(accepts.map(({ generation, event }) => `${generation} ${event}`)).toEqual([
      '1 accepting',
      expect.stringMatching(/^(1 draining|2 accepting)$/),
      expect.stringMatching(/^(1 draining|2 accepting)$/),
      '3 accepting',
    ]);
  });
});

describe('a state over the limit of the library', () => {
  const limited = (port: number, limit: string): object => ({
    run: [process.execPath, COUNTER],
    sockets: { http: `127.0.0.1:${port}` },
    ready: 'notify',
    handover: 'overlap',
    env: { BALLAST: '200000', STATE_LIMIT: limit },
  });

  it.each([
    ['of the one that writes it', '100000', '100000', /could not write its state: .*limit of 100000 bytes/],
    ['of the one that reads it', '300000', '100000', /the new generation refused: .*limit of 100000 bytes/],
  ])('%s ends the attempt, and the old one goes on', async (_, ofOld, ofNew, reason) => {
    const home = newHome();
    const port = freePort();
    home.configure({ web: limited(port, ofOld) });
    await home.start();
    const old = await home.running('web');
    home.configure({ web: limited(port, ofNew) });
    await home.upkeep(...(ofOld === ofNew ? ['restart', 'web'] : ['apply']));
    await home.until('it is told why', async () => reason.test((await home.upkeep('why', 'web')).stdout));
    expect(await home.running('web')).toBe(old);
    expect(await ask(port)).toMatchObject({ pid: old, count: 1, life: 'serving' });
  });
});

describe('both generations', () => {
  it.each([
    ['while the state goes over', 'new:never-reads', 'exporting', 1],
    ['while the new one looks at its state', '', 'imported', 2],
  ] as const)(
    'killed %s are followed by a third, that serves who connected meanwhile and is given no state (graceful D7)',
    async (_, what, event, of) => {
      const { home, port, old } = await serving({ HO_WARMUP: '2', HO_SIZE: '3000000' });
      await ask(port);
      fault(home, what);
      const asked = home.upkeep('restart', 'web');
      await home.until(`${event} in ${of}`, () => events(home, of).includes(event));
      const fresh = stepsOf(home).find(({ generation }) => generation === 2)?.pid ?? 0;
      for (const pid of [old, fresh]) signal(pid, 'SIGKILL');
      await Promise.all([ended(home, old), ended(home, fresh)]);
      fault(home);
      // Nobody lives who could accept it.
      const queued = ask(port);
      expect((await asked).code).toBe(1);
      const { pid, count, bytes } = await queued;
      expect([[old, fresh].includes(pid), count, bytes]).toEqual([false, 1, 0]);
      await alone(home, port);
      expect(stepsOf(home).findLast((step) => step.event === 'imported')).toMatchObject({ pid, source: null });
    },
  );
});
