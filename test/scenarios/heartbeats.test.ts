import { describe, expect, it } from 'vitest';
import type { Answer } from '../../src/core/question.js';
import { serviceName } from '../../src/core/spec.js';
import { millis, seconds } from '../../src/core/time.js';
import { supervised, watched } from '../support/builders.js';
import { answerLate, asksOf, beat, beatOf, EVERY, served, web } from '../support/heartbeat-stage.js';
import { drains, program } from '../support/program.js';
import { answeredSoon } from '../support/simulated-askers.js';
import { Stage } from '../support/stage.js';

describe('a heartbeat is asked', () => {
  it('on its schedule while the service runs, and not before it is ready', () => {
    const stage = Stage.with([web({}, { ready: { probe: { type: 'alive', for: seconds(20) } } })]);
    stage.run(19_000);
    expect(stage.state('web').name).toBe('starting');
    expect(stage.questions('web')).toHaveLength(0);
    stage.run(61_000);
    const times = stage.questions('web');
    expect(times.length).toBe(12);
    for (const [index, at] of times.slice(1).entries()) expect(at - (times[index] ?? 0)).toBe(EVERY);
  });

  it('never while the service is stopping, down or waiting for a delay', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(drains(8_000)));
    stage.add(web({}, { restart: { delay: seconds(60) } }));
    stage.runUntilState('web', 'running');
    stage.run(20_000);
    const asked = stage.questions('web').length;
    stage.ask('web', 'stop');
    stage.run(7_000);
    expect(stage.state('web').name).toBe('stopping');
    stage.run(60_000);
    expect(stage.state('web').name).toBe('stopped');
    expect(stage.questions('web')).toHaveLength(asked);
    stage.ask('web', 'start');
    stage.runUntilState('web', 'running');
    stage.kill(stage.main('web'));
    stage.run(20_000);
    expect(stage.state('web').name).toBe('backoff');
    expect(stage.questions('web')).toHaveLength(asked);
  });

  it('never under a hold, and again in its own time when that ends', () => {
    const stage = served();
    const asked = stage.questions('web').length;
    stage.ask('web', 'hold');
    stage.run(60_000);
    expect(stage.questions('web')).toHaveLength(asked);
    stage.ask('web', 'unhold');
    stage.run(EVERY);
    expect(stage.questions('web')).toHaveLength(asked + 1);
  });

  it('never while the host goes down, and the keeper has nothing to do for it; again when it does not after all', () => {
    const stage = served();
    stage.turnHost('ending');
    const asked = stage.questions('web').length;
    stage.let('web', 'wrong');
    stage.run(60_000);
    expect(stage.questions('web')).toHaveLength(asked);
    stage.turnHost('up');
    stage.run(60_000);
    expect(stage.questions('web').length).toBeGreaterThan(asked);
  });

  it('of a watched daemon that runs although nobody wants it: never', () => {
    const stage = new Stage();
    stage.bear('/usr/sbin/ssh -D', program());
    stage.add(watched({ desired: 'down', heartbeats: [beat()] }));
    stage.run(60_000);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.questions('ssh')).toHaveLength(0);
  });

  it('one question at a time: one that hangs delays the next of its own, and of no other (monitors 7)', () => {
    const hangs = beat({ name: 'hangs', timeout: seconds(12), then: { type: 'notice' } });
    const quick = beat({ name: 'quick', then: { type: 'notice' } });
    const stage = served(supervised({ heartbeats: [hangs, quick] }), {
      courseOf: ({ heartbeat: { name } }) => (name === 'hangs' ? { after: 12_000, how: 'answered' } : answeredSoon),
    });
    const times = (name: string): readonly string[] =>
      asksOf(stage).flatMap((ask) => (ask.heartbeat.name === name ? [name] : []));
    expect(times('quick').length).toBe(24);
    expect(times('hangs').length).toBe(8);
  });
});

describe('an answer', () => {
  it('about an earlier process is dropped', () => {
    const stage = served(web({ fails: { count: 1, of: 1 } }), { courseOf: () => ({ after: 1_900, how: 'deaf' }) });
    stage.runUntil(() => stage.kernel.askers.busyWith('web') > 0);
    const old = asksOf(stage).at(-1);
    stage.kill(stage.main('web'));
    stage.runUntilState('web', 'running');
    stage.run(1_000);
    if (old === undefined) throw new Error('nothing was asked');
    const { process, question } = old;
    const before = stage.service('web');
    const answer: Answer = { result: 'failed', ms: millis(1), detail: 'refused' };
    stage.post({ type: 'answered', service: serviceName('web'), process, heartbeat: 'tcp', question, answer });
    expect(stage.service('web')).toBe(before);
    stage.run(60_000);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(0);
  });

  it('that comes twice counts once', () => {
    const stage = served(web({ fails: { count: 3, of: 3 }, every: { type: 'interval', every: seconds(60) } }), {
      courseOf: () => ({ after: 5, how: 'twice' }),
    });
    stage.let('web', 'wrong');
    stage.run(119_000);
    expect(beatOf(stage).counted.filter((one) => one === 'failed')).toHaveLength(2);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(0);
  });

  it('that comes when nobody waits for it any more is dropped', () => {
    const stage = served();
    stage.runUntil(() => beatOf(stage).asked === null);
    const before = stage.service('web');
    answerLate(stage, 'failed');
    expect(stage.service('web')).toBe(before);
  });

  it('that never comes is none: it could not be asked, which is told once, and the next question goes out (monitors 11)', () => {
    const stage = served();
    let lost: 'lost' | 'answered' = 'lost';
    const deaf = served(web(), { courseOf: () => ({ after: 5, how: lost }) });
    expect(stage.happened('web', 'unasked')).toHaveLength(0);
    const told = deaf.happened('web', 'unasked');
    expect(told.map(({ what }) => what.type === 'unasked' && what.reason)).toEqual([
      'whoever was to ask did not come back',
    ]);
    expect(deaf.questions('web').length).toBeGreaterThan(5);
    expect(deaf.spawns('web')).toBe(1);
    lost = 'answered';
    deaf.run(30_000);
    expect(deaf.happened('web', 'askable')).toHaveLength(1);
    expect(beatOf(deaf).verdict).toBe('ok');
  });

  it('that it could not be asked restarts nothing, however often it comes, and is told once (monitors 11)', () => {
    // Seed 003: a worker that ends with 125 has found out nothing about the service.
    const stage = served(web({ every: { type: 'interval', every: seconds(30) }, fails: { count: 1, of: 1 } }));
    stage.let('web', 'unreachable');
    stage.run(3_600_000);
    expect(stage.spawns('web')).toBe(1);
    expect(stage.happened('web', 'unasked')).toHaveLength(1);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(0);
    stage.let('web', 'its work');
    stage.run(60_000);
    expect(stage.happened('web', 'askable')).toHaveLength(1);
  });
});
describe('under a hold', () => {
  it('an answer is noted and nothing is done; afterwards the next failure is acted on', () => {
    const stage = served(web({ fails: { count: 1, of: 1 } }), { courseOf: () => ({ after: 1_000, how: 'answered' }) });
    stage.let('web', 'wrong');
    stage.runUntil(() => stage.kernel.askers.busyWith('web') > 0);
    stage.ask('web', 'hold');
    stage.run(60_000);
    expect(beatOf(stage).answers.at(-1)?.result).toBe('failed');
    expect(stage.happened('web', 'unhealthy')).toHaveLength(0);
    stage.ask('web', 'unhold');
    stage.run(900);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(0);
    stage.run(10_000);
    expect(stage.spawns('web')).toBe(2);
  });

  it('what was noted is forgotten when it is good afterwards', () => {
    const stage = served(web({ fails: { count: 1, of: 2 } }), { courseOf: () => ({ after: 1_000, how: 'answered' }) });
    stage.let('web', 'wrong');
    stage.runUntil(() => stage.kernel.askers.busyWith('web') > 0);
    stage.ask('web', 'hold');
    stage.run(60_000);
    stage.let('web', 'its work');
    stage.ask('web', 'unhold');
    stage.run(60_000);
    expect(stage.spawns('web')).toBe(1);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(0);
  });
});
