import { describe, expect, it } from 'vitest';
import { openKeeper, runCommand } from '../../test/support/command-line.js';
import { type FakeOptions, NOW } from '../../test/support/fake-keeper.js';

const channels = [
  {
    channel: 'admin',
    state: 'ok',
    waiting: 0,
    lastError: null,
    lastDelivered: new Date(NOW - 180_000).toISOString(),
  },
  {
    channel: 'page',
    state: 'lost',
    waiting: 7,
    lastError: 'page ended with \u001b[31mexit code 1',
    lastDelivered: null,
  },
  { channel: 'chat', state: 'unknown', waiting: 0, lastError: null, lastDelivered: null },
];

async function run(argv: string, options: FakeOptions | null) {
  const { code, terminal } = await runCommand(argv, options === null ? null : await openKeeper(options));
  return { code, out: terminal.printed(), err: terminal.complained() };
}

const answering = (delivery: unknown, talk: readonly string[] = []): FakeOptions => ({
  channels,
  govern: { 'notices/test': (body) => ({ talk, delivery, body }) },
});

describe('upkeep notice', () => {
  it('lists the channels and how they do', async () => {
    const { code, out } = await run('notice', { channels });
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'CHANNEL  STATE         WAITING  TOLD       LAST ERROR',
      'admin    ok            0        3 min ago',
      'page     lost          7        -          page ended with  [31mexit code 1',
      'chat     not used yet  0        -',
      '',
    ]);
  });

  it('prints the same as JSON', async () => {
    const { code, out } = await run('notice --json', { channels });
    expect([code, JSON.parse(out)]).toEqual([0, { version: 1, channels }]);
  });

  it('says how to declare one where there is none', async () => {
    expect((await run('notice', {})).out).toBe(
      'nobody is told of anything: there is no channel; `upkeep help notices` says how to declare one\n',
    );
  });

  it('ends with 4 without a keeper', async () => {
    expect((await run('notice --test admin', null)).code).toBe(4);
  });
});

describe('upkeep notice --test', () => {
  it('shows what is done, and what the server answered', async () => {
    const delivery = { type: 'delivered', answer: '250 2.0.0 Ok: queued as 4F2' };
    const { code, out } = await run(
      'notice --test admin',
      answering(delivery, ['connected to mail:587', '220 hi\u0007']),
    );
    expect(code).toBe(0);
    expect(out).toBe('connected to mail:587\n220 hi \nadmin has taken it: 250 2.0.0 Ok: queued as 4F2\n');
  });

  it('ends with 1 and the reason when it was not delivered', async () => {
    const { code, out, err } = await run(
      'notice --test page',
      answering({ type: 'later', reason: 'nobody answers' }, ['running page']),
    );
    expect([code, out, err]).toEqual([1, 'running page\n', 'upkeep: page did not take it: nobody answers\n']);
  });

  it('has all of it as JSON', async () => {
    const delivery = { type: 'refused', reason: '550 no such user' };
    const { code, out } = await run('notice --test admin --json', answering(delivery, ['RCPT TO']));
    expect([code, JSON.parse(out)]).toEqual([1, { version: 1, channel: 'admin', talk: ['RCPT TO'], delivery }]);
  });

  it('knows which channels there are', async () => {
    const { code, err } = await run('notice --test amdin', answering({ type: 'delivered', answer: '' }));
    expect([code, err]).toEqual([2, 'upkeep: there is no channel amdin; declared are admin, page, chat\n']);
  });
});

describe('the completion', () => {
  it('offers the channels', async () => {
    expect((await run('__complete notice --test p', { channels })).out).toBe('page\n');
  });
});
