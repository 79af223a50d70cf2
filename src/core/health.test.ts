import { describe, expect, it } from 'vitest';
import { heartbeat, runningService, supervised } from '../../test/support/builders.js';
import { wakeTime } from './deadline.js';
import { askDue, hasNewStanding, healthDeadline, healthWallDeadline, isAwaited, tend } from './health.js';
import type { HeartbeatSpec } from './heartbeat.js';
import { go, stay } from './move.js';
import { asPid } from './process.js';
import type { Running, Service } from './state.js';
import { instant, type Moment, millis, seconds, wallTime } from './time.js';

const WALL = 1_700_000_000_000;
const at = (ms: number, random = 0.5): Moment => ({
  instant: instant(ms),
  wall: wallTime(WALL + ms),
  random,
  host: 'up',
  steadySince: instant(0),
});

const first = heartbeat({ name: 'first' });
const second = heartbeat({ name: 'second', every: { type: 'interval', every: seconds(10) } });
const nightly = heartbeat({ name: 'nightly', every: { type: 'cron', expression: '0 3 * * *' } });

const running = (...heartbeats: readonly HeartbeatSpec[]) =>
  tend(null, stay(runningService(supervised({ heartbeats }))), at(0));

const runningState = ({ state }: Service): Running => {
  if (state.name !== 'running') throw new Error(`it is ${state.name}`);
  return state;
};

describe('the heartbeats of a service', () => {
  it('begin with its process, each in its own phase', () => {
    const { service } = running(first, second);
    expect(service.health.map(({ name, due }) => [name, due])).toEqual([
      ['first', 15_000],
      ['second', 1_200],
    ]);
    expect(healthDeadline(service)).toBe(service.health[1]?.due);
  });

  it('that follow the calendar ask it first', () => {
    const { service, effects } = running(nightly);
    expect(effects).toMatchObject([{ type: 'plan', what: { type: 'heartbeat', name: 'nightly' }, after: WALL }]);
    expect([healthDeadline(service), healthWallDeadline(service)]).toEqual([null, null]);
    expect(wakeTime(service, at(0))).toBeNull();
  });

  it('fall silent with it, and what is under way is given up', () => {
    const { service } = running(first, nightly);
    const asked = askDue(service, runningState(service), at(15_000)).service;
    const down = go(asked, { name: 'stopped', since: instant(16_000), why: 'requested' });
    const silent = tend(asked, down, at(16_000));
    expect(silent.effects).toEqual([{ type: 'stopAsking', service: 'web' }]);
    expect(silent.service.health.every(({ due, asked: open }) => due === null && open === null)).toBe(true);
    expect(tend(silent.service, stay(silent.service), at(17_000)).effects).toEqual([]);
  });

  it('cost nothing where there are none', () => {
    const move = stay(runningService(supervised()));
    expect(tend(null, move, at(0))).toBe(move);
    expect(wakeTime(move.service, at(0))).toBeNull();
  });

  it('are all asked that are due, each with its own question', () => {
    const { service } = running(first, second);
    const { effects } = askDue(service, runningState(service), at(15_000));
    expect(effects).toMatchObject([
      { type: 'ask', heartbeat: { name: 'first' }, question: 1 },
      { type: 'ask', heartbeat: { name: 'second' }, question: 1 },
    ]);
  });

  it('leave nothing due behind while the host goes down', () => {
    const { service } = running(first, second);
    const passed = askDue(service, runningState(service), { ...at(15_000), host: 'ending' });
    expect(passed.effects).toEqual([]);
    expect(healthDeadline(passed.service)).toBeGreaterThan(15_000);
  });
});

describe('an answer is awaited', () => {
  const { service } = running(first);
  const asked = askDue(service, runningState(service), at(15_000)).service;
  const answer = { result: 'good', ms: millis(1), detail: '200' } as const;
  const { process } = runningState(asked);
  const fact = {
    type: 'answered',
    service: asked.spec.name,
    process,
    heartbeat: 'first',
    question: 1,
    answer,
  } as const;

  it('by the question that is under way, about the process that runs', () => {
    expect(isAwaited(asked, fact)).toBe(true);
    expect(isAwaited(service, fact)).toBe(false);
    expect(isAwaited(asked, { ...fact, question: 2 })).toBe(false);
    expect(isAwaited(asked, { ...fact, heartbeat: 'second' })).toBe(false);
    expect(isAwaited(asked, { ...fact, process: { ...process, pid: asPid(7) } })).toBe(false);
    expect(isAwaited(asked, { ...fact, process: { ...process, startTicks: 7 } })).toBe(false);
  });
});

describe('what has to survive the keeper', () => {
  const { service } = running(first);
  const withBeat = (change: Partial<Service['health'][number]>): Service => ({
    ...service,
    health: service.health.map((beat) => ({ ...beat, ...change })),
  });

  it('is what is said of it, and that it did its work for long; no question and no further answer', () => {
    const good = withBeat({ verdict: 'ok', lastGood: instant(5_000) });
    expect(hasNewStanding(service, good)).toBe(true);
    expect(hasNewStanding(good, withBeat({ verdict: 'ok', lastGood: instant(9_000), questions: 7 }))).toBe(false);
    const proven = withBeat({ verdict: 'ok', lastGood: instant(30_000) });
    expect(hasNewStanding(good, proven)).toBe(true);
    expect(hasNewStanding(proven, withBeat({ verdict: 'ok', lastGood: instant(90_000) }))).toBe(false);
  });
});
