import { beforeEach, describe, expect, it } from 'vitest';
import { HandClock } from '../../test/support/hand-clock.js';
import type { Channel } from '../core/notice-spec.js';
import { wallTime } from '../core/time.js';
import type { Delivery } from '../notices/channel.js';
import type { Envelope } from '../notices/outbox-file.js';
import type { ToCourier } from '../notices/post.js';
import type { CourierEars } from './courier-life.js';
import { Dispatch } from './dispatch.js';

const channels: Readonly<Record<string, Channel>> = {
  admin: { type: 'file', path: '/a' },
  far: { type: 'syslog', facility: 'daemon', server: null },
};

const delivered: Delivery = { type: 'delivered', answer: 'yes' };
const later: Delivery = { type: 'later', reason: 'nobody answers' };

const envelope = (id: string, channel = 'admin'): Envelope => ({ id, channel, thread: null, time: wallTime(0) });

interface Courier {
  readonly ears: CourierEars;
  readonly told: ToCourier[];
  end: 'working' | 'dismissed' | 'killed';
}

let clock: HandClock;
let couriers: Courier[];
let said: string[];
let dispatch: Dispatch;

beforeEach(() => {
  clock = new HandClock();
  couriers = [];
  said = [];
  dispatch = new Dispatch({
    start: (_channels, ears) => {
      const courier: Courier = { ears, told: [], end: 'working' };
      couriers.push(courier);
      return {
        say: (message) => courier.told.push(message),
        dismiss: () => {
          courier.end = 'dismissed';
        },
        kill: () => {
          courier.end = 'killed';
        },
      };
    },
    clock,
    forget: (ids) => said.push(`forget ${ids.join(' ')}`),
    onLost: (channel, reason) => said.push(`lost ${channel}: ${reason}`),
    onBack: (channel) => said.push(`back ${channel}`),
    say: (line) => said.push(line),
  });
  dispatch.configure('web3', channels);
});

const courier = (): Courier => {
  const last = couriers.at(-1);
  if (last === undefined) throw new Error('no courier was started');
  return last;
};
const ready = (): void => courier().ears.hear({ type: 'ready' });
const sent = ({ told } = courier()): readonly string[] => told.flatMap((one) => (one.type === 'send' ? [one.id] : []));
const answer = (id: string, delivery: Delivery): void => courier().ears.hear({ type: 'result', id, delivery });
const stateOf = (channel: string) => dispatch.views().find((view) => view.channel === channel);

describe('the dispatch of letters', () => {
  it('starts no courier and sets no timer while nothing waits', () => {
    expect([couriers.length, clock.timers.size]).toEqual([0, 0]);
    expect(stateOf('admin')).toEqual({
      channel: 'admin',
      state: 'unknown',
      waiting: 0,
      lastError: null,
      lastDelivered: null,
    });
  });

  it('sends nothing before the courier has the outbox to itself', () => {
    dispatch.take([envelope('a')]);
    expect(courier().told).toEqual([{ type: 'channels', channels }]);
    ready();
    expect(sent()).toEqual(['a']);
  });

  it('sends one at a time on a channel, in order, and several channels side by side', () => {
    dispatch.take([envelope('a'), envelope('b'), envelope('x', 'far')]);
    ready();
    expect(sent()).toEqual(['a', 'x']);
    answer('a', delivered);
    expect(sent()).toEqual(['a', 'x', 'b']);
    expect(stateOf('far')?.waiting).toBe(1);
  });

  it('takes the same letter twice as one', () => {
    dispatch.take([envelope('a')]);
    dispatch.take([envelope('a')]);
    ready();
    answer('a', delivered);
    expect(sent()).toEqual(['a']);
  });

  it('tries a failed letter again before those behind it, after ten seconds, then twice as long, at most half an hour', () => {
    dispatch.take([envelope('a'), envelope('b')]);
    ready();
    const pauses: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      answer('a', later);
      const before = clock.ms;
      const count = couriers.reduce((sum, one) => sum + sent(one).length, 0);
      while (couriers.reduce((sum, one) => sum + sent(one).length, 0) === count) {
        clock.pass(1000);
        if (courier().told.length === 1) ready();
      }
      pauses.push((clock.ms - before) / 1000);
    }
    expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800]);
    expect(new Set(couriers.flatMap((one) => sent(one)))).toEqual(new Set(['a']));
    answer('a', delivered);
    expect(sent().at(-1)).toBe('b');
  });

  it('tells that a channel is lost at the third failure in a row, once, and that it is back', () => {
    dispatch.take([envelope('a')]);
    ready();
    answer('a', later);
    expect(stateOf('admin')?.state).toBe('failing');
    clock.pass(10_000);
    answer('a', later);
    expect([said, dispatch.problems()]).toEqual([[], []]);
    clock.pass(20_000);
    answer('a', later);
    expect(said).toEqual(['lost admin: nobody answers']);
    clock.pass(40_000);
    ready();
    answer('a', later);
    expect(said).toHaveLength(1);
    expect(dispatch.problems()).toEqual([
      'the channel admin has not worked for 70 s, 1 notice waits; `upkeep notice` says why',
    ]);
    clock.pass(80_000);
    ready();
    answer('a', delivered);
    expect(said.at(-1)).toBe('back admin');
    expect(stateOf('admin')).toMatchObject({
      state: 'ok',
      waiting: 0,
      lastError: null,
      lastDelivered: '1970-01-01T00:19:10.000Z',
    });
  });

  it('drops what was refused for good, tells it at once, and goes on with the next', () => {
    dispatch.take([envelope('a'), envelope('b'), envelope('c')]);
    ready();
    answer('a', { type: 'refused', reason: '550 no such user' });
    expect(said).toEqual([
      'a notice by the channel admin was refused and is dropped: 550 no such user',
      'lost admin: 550 no such user',
    ]);
    clock.pass(10_000);
    expect(sent()).toEqual(['a', 'b']);
    answer('b', later);
    expect(stateOf('admin')?.state).toBe('lost');
    clock.pass(20_000);
    answer('b', delivered);
    expect(said.slice(2)).toEqual(['back admin']);
    expect(stateOf('admin')).toMatchObject({ state: 'ok', waiting: 1 });
  });

  it('sends again what a courier was sending when it ended', () => {
    dispatch.take([envelope('a'), envelope('x', 'far')]);
    ready();
    answer('x', delivered);
    courier().ears.gone('killed by SIGSEGV');
    expect(stateOf('admin')?.lastError).toBe('the courier has ended (killed by SIGSEGV)');
    clock.pass(10_000);
    expect(couriers).toHaveLength(2);
    ready();
    expect(sent()).toEqual(['a']);
  });

  it('waits longer and longer for a courier that cannot be started, and says so once', () => {
    dispatch.take([envelope('a')]);
    const pauses: number[] = [];
    for (const count of [1, 2, 3, 4, 5]) {
      const before = clock.ms;
      courier().ears.gone('it cannot be started: spawn EAGAIN');
      while (couriers.length === count) clock.pass(1000);
      pauses.push((clock.ms - before) / 1000);
    }
    expect(pauses).toEqual([5, 10, 20, 40, 80]);
    expect(said).toEqual(['notices cannot be sent: it cannot be started: spawn EAGAIN; tried again after 5.0 s']);
    expect(dispatch.problems()).toEqual(['notices cannot be sent: it cannot be started: spawn EAGAIN']);
    ready();
    answer('a', delivered);
    expect(dispatch.problems()).toEqual([]);
  });

  it('kills a courier that is stopped or hangs, and sends by another', () => {
    dispatch.take([envelope('a')]);
    ready();
    clock.pass(75_000);
    expect(courier().end).toBe('killed');
    clock.pass(10_000);
    expect(couriers).toHaveLength(2);
    ready();
    expect(sent()).toEqual(['a']);
  });

  it('kills one that never begins', () => {
    dispatch.take([envelope('a')]);
    clock.pass(30_000);
    expect(courier().end).toBe('killed');
    expect(stateOf('admin')?.state).toBe('unknown');
  });

  it('hears nothing from a courier that was given up', () => {
    dispatch.take([envelope('a')]);
    ready();
    const [first] = couriers;
    clock.pass(75_000);
    first?.ears.gone('killed by SIGKILL');
    first?.ears.hear({ type: 'result', id: 'a', delivery: delivered });
    expect(stateOf('admin')?.waiting).toBe(1);
  });

  it('sends an idle courier away after half a minute, and has no timer then', () => {
    dispatch.take([envelope('a')]);
    ready();
    answer('a', delivered);
    clock.pass(29_000);
    expect(courier().end).toBe('working');
    clock.pass(1000);
    expect([courier().end, clock.timers.size]).toEqual(['dismissed', 0]);
  });

  it('uses changed definitions at once, by another courier, and sends again what was under way', () => {
    dispatch.take([envelope('a')]);
    ready();
    const changed: Readonly<Record<string, Channel>> = { ...channels, admin: { type: 'file', path: '/b' } };
    dispatch.configure('web3', changed);
    expect(couriers.map(({ end }) => end)).toEqual(['dismissed', 'working']);
    expect(courier().told).toEqual([{ type: 'channels', channels: changed }]);
    ready();
    expect(sent()).toEqual(['a']);
  });

  it('tries a channel at once whose definition was changed, and not the others', () => {
    dispatch.take([envelope('a'), envelope('x', 'far')]);
    ready();
    answer('a', later);
    answer('x', later);
    dispatch.configure('web3', { ...channels, admin: { type: 'file', path: '/b' } });
    ready();
    expect(sent()).toEqual(['a']);
  });

  it('drops letters for a channel that is no more, in one line', () => {
    dispatch.take([envelope('a', 'gone'), envelope('b', 'gone')]);
    expect(said).toEqual(['forget a b', 'there is no channel gone any more: 2 notices that waited for it are dropped']);
    dispatch.take([envelope('c')]);
    dispatch.configure('web3', {});
    expect(said.slice(2)).toEqual([
      'forget c',
      'there is no channel admin any more: 1 notice that waited for it is dropped',
    ]);
    expect(dispatch.views()).toEqual([]);
  });

  it('forgets what the outbox has dropped, and says how much', () => {
    dispatch.take([envelope('a'), envelope('b')]);
    dispatch.drop([envelope('a')]);
    ready();
    expect(sent()).toEqual(['b']);
    expect(said).toEqual(['too much waits for the channel admin: its 1 oldest notice was dropped']);
  });

  it('tests a channel, with what was said on the way, and tries again at once what waits for it', async () => {
    dispatch.take([envelope('a')]);
    ready();
    answer('a', later);
    const tested = dispatch.test('admin');
    expect(courier().told.at(-1)).toMatchObject({
      type: 'test',
      letter: { id: 'test-1', channel: 'admin', host: 'web3', notices: [{ label: 'KEEPER' }] },
    });
    courier().ears.hear({ type: 'talk', id: 'test-1', line: 'opening /a' });
    answer('test-1', delivered);
    expect(await tested).toEqual({ talk: ['opening /a'], delivery: delivered });
    expect(sent()).toEqual(['a', 'a']);
  });

  it('answers a test of a channel that there is not, of a courier that ends, and of a keeper that ends', async () => {
    expect((await dispatch.test('nobody')).delivery).toEqual({
      type: 'refused',
      reason: 'there is no channel nobody',
    });
    const first = dispatch.test('admin');
    ready();
    courier().ears.gone('exit code 1');
    expect((await first).delivery).toEqual({ type: 'later', reason: 'the courier has ended (exit code 1)' });
    const second = dispatch.test('admin');
    dispatch.close();
    expect((await second).delivery).toEqual({ type: 'later', reason: 'the keeper is ending' });
  });

  it('lets the courier finish what it is sending when the keeper ends', () => {
    dispatch.take([envelope('a')]);
    ready();
    dispatch.close();
    expect([courier().end, clock.timers.size]).toEqual(['dismissed', 0]);
  });
});
