// The promise: a restart whose new generation gets ready beside the old one loses no request, and one that comes to nothing leaves
// everything as it was, with the reason for who asked.

import { describe, expect, it } from 'vitest';
import { accept, ask, fault, handingOver, refuse, startLoad, stepsOf } from '../support/handing-over.js';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive } from '../support/running.js';

/** Ports of this process's own, below the range from which the kernel takes the others. */
let next = 11_000 + (process.pid % 800) * 10;

async function serving(
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly home: Home; readonly port: number }> {
  const home = newHome();
  const port = next++;
  home.configure({ web: handingOver(home, port, env) });
  await home.start();
  await home.running('web');
  return { home, port };
}

const events = (home: Home, generation: number): readonly string[] =>
  stepsOf(home).flatMap((step) => (step.generation === generation ? [step.event] : []));

const ended = (home: Home, pid: number): Promise<void> => home.until(`the end of ${pid}`, () => !isAlive(pid));

/** Until the old one has ended, either of them may answer. */
async function restart(home: Home): Promise<void> {
  const old = await home.running('web');
  expect(await home.upkeep('restart', 'web')).toMatchObject({ code: 0, stderr: '' });
  await ended(home, old);
}

describe('a restart beside the old generation', () => {
  it.each([
    ['at once', '0'],
    ['after a while', '1'],
  ])(
    'loses no request of clients that keep their connection, nor of others, where the new one is ready %s (graceful D1)',
    async (_, warmup) => {
      const { home, port } = await serving({ HO_WARMUP: warmup });
      const load = startLoad(port, { kept: 10, fresh: 10 });
      const pids = new Set([await home.running('web')]);
      for (let i = 0; i < 5; i++) {
        const before = load.answered();
        const { code, stderr } = await home.upkeep('restart', 'web');
        expect([code, stderr]).toEqual([0, '']);
        pids.add(await home.running('web'));
        await home.until('it serves', () => load.answered() > before + 40);
        // No more than one drains at a time, unless that is asked for.
        for (const pid of [...pids].slice(0, -1)) await ended(home, pid);
      }
      await load.end();
      expect(load.lost).toEqual([]);
      expect(pids.size).toBe(6);
      expect(events(home, 6)).toContain('accepting');
    },
  );

  it('gives the new generation what the old one knew, and counts on from there', async () => {
    const { home, port } = await serving({ HO_SIZE: '3000000' });
    for (let i = 1; i <= 5; i++) expect((await ask(port)).count).toBe(i);
    await restart(home);
    const { generation, count, bytes } = await ask(port);
    expect([generation, count]).toEqual([2, 6]);
    expect(bytes).toBeGreaterThan(3_000_000);
    const words = stepsOf(home).flatMap(({ event, generation: of, word }) =>
      event === 'told' && of === 2 ? [word] : [],
    );
    expect(words).toEqual([{ do: 'import', from: home.at('run/handover/web.d/pipe') }, { do: 'accept' }]);
  });

  it('works for a program that knows nothing of it but its sockets and READY=1 (graceful D16)', async () => {
    const { home, port } = await serving({ HO_CHANNEL: 'no' });
    const load = startLoad(port, { kept: 5, fresh: 5 });
    await restart(home);
    await load.end();
    expect(load.lost).toEqual([]);
    expect(await ask(port)).toMatchObject({ generation: 2, pid: await home.running('web') });
  });

  it('goes over the channel alone for a program that can send no datagrams', async () => {
    const { home, port } = await serving({ HO_SAY: 'channel' });
    await restart(home);
    expect(await ask(port)).toMatchObject({ generation: 2 });
  });
});

describe('a new generation that does not take over', () => {
  it('because it refuses leaves the old one as it was, and says why to who asked (graceful D2)', async () => {
    const { home, port } = await serving();
    const old = await home.running('web');
    expect(await ask(port)).toMatchObject({ pid: old, count: 1 });
    refuse(home, 'the tables are of 1997');
    const { code, stderr } = await home.upkeep('restart', 'web');
    expect(code).toBe(1);
    expect(stderr).toMatch(/the new generation refused: the tables are of 1997/);
    expect(await home.running('web')).toBe(old);
    expect(await ask(port)).toMatchObject({ generation: 1, pid: old, count: 2 });
    const tried = stepsOf(home).find(({ event }) => event === 'refused');
    await ended(home, tried?.pid ?? 0);
    // An attempt that came to nothing is no crash, and the next one is possible at once.
    expect((await home.service('web')).restarts.total).toBe(0);
    accept(home);
    await restart(home);
    expect(await ask(port)).toMatchObject({ count: 3 });
  });

  it.each([
    [
      'it ends before it has read a state of 10 MB (graceful D3)',
      'new:exit-before-read 3',
      /ended before it was ready: .*3/,
    ],
    ['it ends after it has read it', 'new:exit-after-read 0', /ended before it was ready: .*0/],
    [
      'the old one cannot write its state (graceful D5)',
      'old:cannot-export',
      /could not write its state: its exporter failed/,
    ],
    ['the state is torn', 'old:truncates', /refused: the state ends before its end mark/],
    ['the state is corrupt', 'old:corrupts', /refused: the state is corrupt/],
    ['the state is of a newer version', 'old:newer-schema', /refused: the state has a newer schema/],
  ])('because %s leaves the old one as it was', async (_, what, reason) => {
    const { home, port } = await serving({ HO_SIZE: '10000000' });
    const old = await home.running('web');
    fault(home, what);
    const load = startLoad(port, { kept: 2, fresh: 2 });
    const { code, stderr } = await home.upkeep('restart', 'web');
    expect(code).toBe(1);
    expect(stderr).toMatch(reason);
    const { pid, count } = await ask(port);
    expect(pid).toBe(old);
    // It does not stand still any more.
    await home.until('it counts', async () => (await ask(port)).count > count);
    await load.end();
    expect(load.lost).toEqual([]);
    fault(home);
    await restart(home);
    expect((await ask(port)).generation).toBeGreaterThan(1);
  });
});

describe('an old generation that dies while it hands over', () => {
  it.each([
    ['before it writes', 'old:dies-before-export'],
    ['while it writes', 'old:dies-mid-export'],
    ['after it has written, before the verdict', 'old:dies-after-export'],
  ])('%s, leaves a service that serves, and half a state to nobody (graceful D6)', async (_, what) => {
    const { home, port } = await serving({ HO_SIZE: '3000000', HO_WARMUP: '0.5' });
    const old = await home.running('web');
    await ask(port);
    fault(home, what);
    await home.upkeep('restart', 'web');
    fault(home);
    await ended(home, old);
    const pid = await home.running('web', old);
    await home.until('it answers', () => ask(port).then(({ pid: by }) => by === pid));
    const { count, bytes } = await ask(port);
    // All of it, or nothing.
    expect(bytes === 0 || bytes > 3_000_000).toBe(true);
    expect(count).toBeGreaterThan(0);
    await home.until('one process is left', () =>
      stepsOf(home)
        .filter((step) => isAlive(step.pid))
        .every((step) => step.pid === pid),
    );
    await restart(home);
  });
});

describe('a keeper that is killed', () => {
  it('before the new generation is ready leaves the old one serving, and no new one (graceful 2, 28; D12)', async () => {
    const home = newHome();
    const port = next++;
    home.configure({ web: handingOver(home, port, { HO_WARMUP: '3' }) });
    const keeper = await home.start();
    const old = await home.running('web');
    const asked = home.upkeep('restart', 'web');
    await home.until('a new one gets ready', () => events(home, 2).includes('imported'));
    await keeper.end('SIGKILL');
    expect((await asked).code).not.toBe(0);
    await home.until('the new one has gone', () => events(home, 2).includes('ends'));
    expect((await ask(port)).pid).toBe(old);
    await home.start();
    expect(await home.running('web')).toBe(old);
    await restart(home);
    expect((await ask(port)).pid).not.toBe(old);
  });

  it('while the old one drains leaves the new one serving, which is told once more that it may (graceful 2, 30; D12)', async () => {
    const home = newHome();
    const port = next++;
    home.configure({ web: handingOver(home, port) });
    const keeper = await home.start();
    const old = await home.running('web');
    fault(home, 'old:never-drains');
    expect((await home.upkeep('restart', 'web')).code).toBe(0);
    const fresh = await home.running('web', old);
    await keeper.end('SIGKILL');
    expect(isAlive(old)).toBe(true);
    fault(home);
    await home.start();
    expect(await home.running('web')).toBe(fresh);
    const told = (): number =>
      stepsOf(home).filter(({ pid, event, word }) => pid === fresh && event === 'told' && isAccept(word)).length;
    await home.until('it is told again', () => told() > 1);
    // And the old one that it is to finish: this time it listens.
    await ended(home, old);
    expect((await ask(port)).pid).toBe(fresh);
  });
});

const isAccept = (word: unknown): boolean => JSON.stringify(word) === '{"do":"accept"}';
