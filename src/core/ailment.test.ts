import { describe, expect, it } from 'vitest';
import { command, heartbeat, runningService, supervised } from '../../test/support/builders.js';
import { ailment, ailmentOf, healthyFor } from './ailment.js';
import { type Beat, beginBeat } from './beat.js';
import type { HeartbeatSpec } from './heartbeat.js';
import type { Service } from './state.js';
import { instant, type Moment, millis, wallTime } from './time.js';

const at: Moment = { instant: instant(0), wall: wallTime(0), random: 0, host: 'up', steadySince: instant(0) };

const failing = (spec: HeartbeatSpec, lastGood: number | null): Beat => ({
  ...beginBeat(spec, undefined, instant(1_000), 0, at),
  verdict: 'failing',
  acted: 'yes',
  lastGood: lastGood === null ? null : instant(lastGood),
  answers: ['500', '501', '502', '503', '504', '505', '506'].map((detail) => ({
    result: 'failed',
    ms: millis(1),
    detail,
    time: wallTime(0),
  })),
});

const serving = (specs: readonly HeartbeatSpec[], health: readonly Beat[]): Service => ({
  ...runningService(supervised({ heartbeats: specs })),
  health,
});

const http = heartbeat({ name: 'http', fails: { count: 2, of: 2 } });
const many = heartbeat({ name: 'many', fails: { count: 7, of: 20 } });

describe('what is said against a service', () => {
  it('is the heartbeat that failed, and what it said last', () => {
    const service = serving([many, http], [beginBeat(many, undefined, instant(0), 0, at), failing(http, null)]);
    expect(ailment(service)).toBe('http (506)');
    expect(ailmentOf(service)).toMatchObject({ heartbeat: 'http', answers: [{ detail: '505' }, { detail: '506' }] });
  });

  it('holds no more than a few answers', () => {
    expect(ailmentOf(serving([many], [failing(many, null)]))?.answers).toHaveLength(5);
  });

  it('repeats nothing that a program printed', () => {
    const exec = heartbeat({
      name: 'exec',
      question: { kind: 'exec', command: command('/bin/check'), codes: 'upkeep' },
    });
    expect(ailment(serving([exec], [failing(exec, null)]))).toBe('exec');
  });

  it('is not the one that is only told of, however long that has failed', () => {
    const told = heartbeat({ name: 'told', then: { type: 'notice' } });
    expect(ailment(serving([told, http], [failing(told, null), failing(http, null)]))).toBe('http (506)');
    expect(ailment(serving([told], [failing(told, null)]))).toBeNull();
    expect(healthyFor(serving([told], [failing(told, null)]))).toBeNull();
  });

  it('is nothing while nothing was done about it', () => {
    expect(ailment(serving([http], [{ ...failing(http, null), acted: 'no' }]))).toBeNull();
  });
});

describe('how long it did its work', () => {
  it('is what the worst of its heartbeats says', () => {
    const both = [failing(http, 61_000), failing(many, 31_000)];
    expect(healthyFor(serving([http, many], both))).toBe(30_000);
    expect(healthyFor(serving([http, many], [failing(http, 61_000), failing(many, null)]))).toBe(0);
  });

  it('is not questioned where none is known to fail', () => {
    expect(healthyFor(serving([http], [beginBeat(http, undefined, instant(0), 0, at)]))).toBeNull();
    expect(healthyFor(serving([], []))).toBeNull();
  });
});
