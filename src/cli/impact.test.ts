import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { begin, openKeeper } from '../../test/support/command-line.js';
import { type FakeKeeper, running, stopped } from '../../test/support/fake-keeper.js';
import type { FakeTerminalOptions } from '../../test/support/fake-terminal.js';
import { instant, wallTime } from '../core/time.js';

const TERMINAL: FakeTerminalOptions = { columns: 100 };

async function shop(): Promise<FakeKeeper> {
  const keeper = await openKeeper();
  keeper.put(supervised({ name: 'db' }), running(1));
  keeper.put(supervised({ name: 'api', needs: ['db'] }), running(2));
  keeper.put(supervised({ name: 'web', needs: ['api'] }), running(3));
  keeper.put(supervised({ name: 'agent', restartWith: ['db'] }), running(4));
  return keeper;
}

describe('a stop of what others need', () => {
  it('says which go down with it, and asks a person (issue 5)', async () => {
    const keeper = await shop();
    const { ended, terminal } = begin('stop db', keeper, { ...TERMINAL, answer: 'y' });
    expect(await ended).toBe(0);
    expect(terminal.complained()).toBe(
      'upkeep: web, api go down too, and stop, in this order, before db does\nupkeep: agent is restarted too\n',
    );
    expect(terminal.questions).toEqual(['Stop them too? [y/N] ']);
    expect(keeper.asked.map(({ name }) => name)).toEqual(['db']);
  });

  it('names twenty of them, and counts the others', async () => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'db' }), running(1));
    for (let index = 1; index <= 30; index++)
      keeper.put(supervised({ name: `web${index}`, needs: ['db'] }), running(index + 1));
    const { ended, terminal } = begin('stop db', keeper, { ...TERMINAL, answer: '' });
    expect(await ended).toBe(1);
    expect(terminal.complained()).toMatch(/^upkeep: (?:web\d+, ){19}web\d+ and 10 others go down too/);
  });

  it('stops nothing where the person says no', async () => {
    const keeper = await shop();
    const { ended, terminal } = begin('stop api', keeper, { ...TERMINAL, answer: '' });
    expect(await ended).toBe(1);
    expect(terminal.questions).toEqual(['Stop it too? [y/N] ']);
    expect(terminal.complained()).toBe(
      'upkeep: web goes down too, and stops before api does\nupkeep: nothing was stopped\n',
    );
    expect(keeper.asked).toEqual([]);
  });

  it.each<[string, FakeTerminalOptions]>([
    ['stop db --yes', { ...TERMINAL, answer: 'n' }],
    ['stop db', {}],
    ['stop db --json', { ...TERMINAL, answer: 'n' }],
  ])('asks nobody, and says it all the same: %s', async (argv, options) => {
    const keeper = await shop();
    const { ended, terminal } = begin(argv, keeper, options);
    expect(await ended).toBe(0);
    expect(terminal.questions).toEqual([]);
    expect(terminal.complained()).toMatch(/^upkeep: web, api go down too/);
    expect(keeper.asked).toHaveLength(1);
  });

  it('asks nothing where all of them are named', async () => {
    const keeper = await shop();
    const { ended, terminal } = begin('stop --all', keeper, { ...TERMINAL, answer: 'n' });
    expect(await ended).toBe(0);
    expect(terminal.complained()).toBe('');
    expect(keeper.asked).toHaveLength(4);
  });
});

describe('a restart of what others need', () => {
  it('says what it moves, and asks nothing', async () => {
    const keeper = await shop();
    keeper.put(supervised({ name: 'web', needs: ['api'] }), running(3), {
      hold: { by: null, since: wallTime(0), until: null, reason: null },
    });
    const { ended, terminal } = begin('restart db', keeper, { ...TERMINAL, answer: 'n' });
    expect(await ended).toBe(0);
    expect(terminal.complained()).toBe(
      'upkeep: api, agent are restarted too\nupkeep: web is on hold, and left alone\n',
    );
    expect(terminal.questions).toEqual([]);
  });
});

describe('a start', () => {
  const turn = { name: 'waiting', since: instant(0), for: 'turn', why: 'requested', deadline: null } as const;

  it('ends with 1 and the reason where a person has to bring up what it waits for, and says that it goes on', async () => {
    const keeper = await openKeeper({ onAsk: (_ask, name, to) => to.move(name, turn) });
    keeper.put(supervised({ name: 'db', desired: 'down' }), stopped());
    keeper.put(supervised({ name: 'web', needs: ['db'] }), stopped());
    const { ended, terminal } = begin('start web', keeper);
    expect(await ended).toBe(1);
    expect(terminal.complained()).toBe(
      'upkeep: web: start failed: it waits for db: not wanted up; `upkeep start db`; it goes on waiting, and is started once db is ready\n',
    );
  });

  it('hears of another that is stopped meanwhile', async () => {
    const keeper = await openKeeper({ onAsk: (_ask, name, to) => to.move(name, turn) });
    keeper.put(supervised({ name: 'db' }), { ...turn, for: 'boot' });
    keeper.put(supervised({ name: 'web', needs: ['db'] }), stopped());
    const { ended } = begin('start web', keeper);
    await expect.poll(() => keeper.asked.length, { timeout: 10_000 }).toBe(1);
    keeper.move('db', stopped());
    expect(await ended).toBe(1);
  });

  it('of several is one ask: which of them is started first says nothing', async () => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'web', needs: ['db'] }), stopped());
    keeper.put(supervised({ name: 'db' }), stopped());
    const { ended } = begin('start web db', keeper);
    expect(await ended).toBe(0);
    expect(keeper.posts).toBe(1);
  });
});

describe('wait', () => {
  it('does not wait for a service that waits for a person', async () => {
    const keeper = await openKeeper();
    keeper.put(supervised({ name: 'db', desired: 'down' }), stopped());
    keeper.put(supervised({ name: 'web', needs: ['db'] }), {
      name: 'waiting',
      since: instant(0),
      for: 'turn',
      why: 'requested',
      deadline: null,
    });
    const { ended, terminal } = begin('wait web', keeper);
    expect(await ended).toBe(3);
    expect(terminal.complained()).toBe(
      'upkeep: web is not ready: waiting, waiting for db: not wanted up; `upkeep start db`\n',
    );
  });
});
