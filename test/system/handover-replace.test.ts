// The promise: a service that cannot live beside itself is stopped and started with its sockets and its state; the gap is told, and a
// state that the next one does not take is not thrown away.

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ask, fault, handingOver, stepsOf } from '../support/handing-over.js';
import { alone, events, serving } from '../support/handing-over-stage.js';
import type { Home } from '../support/keeper.js';
import { isAlive } from '../support/running.js';

/** flock(1) takes the lock or ends with 9, and becomes the program, which holds the lock until it ends. */
const exclusive = (home: Home): Readonly<Record<string, unknown>> => {
  const { run } = handingOver(home, 0) as { readonly run: readonly string[] };
  return {
    run: ['flock', '--nonblock', '--conflict-exit-code', '9', '--no-fork', home.at('serial'), ...run],
    handover: { mode: 'replace' },
    restart: { delay: '50ms', alwaysAfter: [75] },
  };
};

describe('a service with something that only one may hold', () => {
  it('is stopped and started with its state and its sockets, and the gap is told (graceful D14)', async () => {
    const { home, port, old } = await serving({ HO_SIZE: '300000' }, exclusive);
    for (let i = 1; i <= 3; i++) expect((await ask(port)).count).toBe(i);
    const asked = home.upkeep('restart', 'web');
    await home.until('nobody is there', () => !isAlive(old));
    // Who connects now waits in the kernel's queue.
    const queued = ask(port);
    const { code, stdout } = await asked;
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /^web {2}running \(pid \d+\); .* without a process; who connected meanwhile was queued; \S+ KiB of state was kept\n$/,
      ),
    ]);
    expect(await queued).toMatchObject({ generation: 2, count: 4 });
    expect((await ask(port)).bytes).toBeGreaterThan(300_000);
    expect(events(home, 1)).toContain('exported');
    // Taken: it is not given to a third.
    expect(existsSync(home.at('run/handover/web.d/state'))).toBe(false);
  });

  it('beside itself would be refused by its own lock, and the old one goes on: overlap is not for it (graceful 2, 27)', async () => {
    const { home, port, old } = await serving({}, (at) => ({ ...exclusive(at), handover: { mode: 'overlap' } }));
    const { code, stderr } = await home.upkeep('restart', 'web');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/ended before it was ready: code 9/)]);
    expect(await alone(home, port)).toBe(old);
  });

  it('that ends with the agreed code finds what it has left, uncounted', async () => {
    const { home, port, old } = await serving({}, exclusive);
    await ask(port);
    process.kill(old, 'SIGUSR2');
    await home.running('web', old);
    expect(await ask(port)).toMatchObject({ generation: 2, count: 2 });
    expect((await home.service('web')).restarts).toEqual({ total: 1, window: 0 });
  });
});

describe('a state in a file', () => {
  it.each([
    ['cut off', 'old:truncates'],
    ['corrupt', 'old:corrupts'],
    ['of a newer version', 'old:newer-schema'],
  ])('that is %s is refused, kept beside, and told; the next start begins without', async (_, what) => {
    const { home, port, keeper } = await serving({ HO_SIZE: '300000' }, exclusive);
    await ask(port);
    fault(home, what);
    expect((await home.upkeep('restart', 'web')).code).toBe(1);
    await alone(home, port);
    const kept = home.at('run/handover/web.d/state.refused');
    expect(readFileSync(kept).subarray(0, 8).toString()).toBe('UPKSTATE');
    await home.until('the log tells where it is', () =>
      keeper.said().includes(`web: the state that it did not take is kept in ${kept}; the next start begins without`),
    );
    expect(stepsOf(home).findLast(({ event }) => event === 'imported')).toMatchObject({ source: null });
    expect((await ask(port)).bytes).toBe(0);
  });
});
