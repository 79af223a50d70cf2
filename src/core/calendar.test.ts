import { describe, expect, it } from 'vitest';
import { runningService, supervised, watched } from '../../test/support/builders.js';
import { arrange, plannedFor, plannedRestart, restartAsPlanned } from './calendar.js';
import { stay } from './move.js';
import type { ServiceSpec } from './spec.js';
import type { Service } from './state.js';
import { instant, type Moment, millis, minutes, type WallTime, wallTime } from './time.js';

const FOUR = 1_700_000_000_000;
const NIGHTLY = '0 4 * * *';

const at = (ms: number, random = 0): Moment => ({
  instant: instant(1_000_000 + ms),
  wall: wallTime(FOUR + ms),
  random,
  host: 'up',
  steadySince: instant(0),
});

const spec = supervised({ restart: { at: NIGHTLY, spread: minutes(10) } });
const planned = (time: number | null, of: ServiceSpec = spec): Service => ({
  ...runningService(of),
  planned: { expression: NIGHTLY, at: time === null ? null : wallTime(time) },
});
const answer = (next: WallTime | null, expression = NIGHTLY) =>
  ({ type: 'planned', service: spec.name, what: { type: 'restart' }, expression, next }) as const;

describe('the plan', () => {
  it('is asked for once when a definition has one, and again by a keeper that was not answered', () => {
    const fresh = arrange(null, stay(runningService(spec)), at(0));
    expect(fresh.effects).toMatchObject([{ type: 'plan', expression: NIGHTLY, after: FOUR }]);
    expect(arrange(fresh.service, stay(fresh.service), at(5)).effects).toEqual([]);
    expect(arrange(null, stay(fresh.service), at(5)).effects).toHaveLength(1);
    expect(arrange(null, stay(planned(FOUR + 5)), at(5)).effects).toEqual([]);
  });

  it('is dropped with its definition', () => {
    expect(arrange(null, stay(planned(FOUR, supervised())), at(0)).service.planned).toBeNull();
  });

  it('is moved by chance within the spread', () => {
    const hear = (random: number) => plannedRestart(planned(null), answer(wallTime(FOUR)), at(-1, random)).service;
    expect(hear(0).planned?.at).toBe(FOUR);
    expect(hear(0.5).planned?.at).toBe(FOUR + 300_000);
    expect(hear(0.999_999).planned?.at).toBeLessThan(FOUR + 600_000);
  });

  it('takes no answer about another expression, and none a second time', () => {
    const waiting = planned(null);
    expect(plannedRestart(waiting, answer(wallTime(FOUR), '0 5 * * *'), at(0)).service).toBe(waiting);
    const known = planned(FOUR + 86_400_000);
    expect(plannedRestart(known, answer(wallTime(FOUR)), at(1_000)).service).toBe(known);
  });

  it('that never comes is none', () => {
    expect(plannedRestart(planned(null), answer(null), at(0)).service.planned?.at).toBeNull();
    expect(restartAsPlanned(planned(null), at(0))).toBeNull();
  });
});

describe('its time', () => {
  it('is not before it has come', () => {
    expect(restartAsPlanned(planned(FOUR + 1), at(0))).toBeNull();
  });

  it('orders the next, whatever comes of this one', () => {
    const late = millis(11 * 60_000);
    for (const [service, moment] of [
      [planned(FOUR), at(0)],
      [planned(FOUR), at(late)],
      [{ ...planned(FOUR), state: { name: 'stopped', since: instant(0), why: 'requested' } }, at(0)],
      [planned(FOUR), { ...at(0), host: 'booting' }],
    ] as const satisfies readonly (readonly [Service, Moment])[]) {
      const move = restartAsPlanned(service, moment);
      expect(move?.effects).toContainEqual(expect.objectContaining({ type: 'plan', after: moment.wall }));
      expect(move?.service.planned?.at).toBeNull();
    }
  });

  it('is still good ten minutes later, and no more after that', () => {
    expect(restartAsPlanned(planned(FOUR), at(minutes(10)))?.service.state.name).toBe('stopping');
    expect(restartAsPlanned(planned(FOUR), at(minutes(10) + 1))?.service.state.name).toBe('running');
  });

  it('is shown only where something would come of it', () => {
    expect(plannedFor(planned(FOUR))).toBe(FOUR);
    expect(plannedFor(planned(FOUR, supervised({ desired: 'down' })))).toBeNull();
    expect(plannedFor(planned(FOUR, watched({ start: null })))).toBeNull();
  });
});
