import { describe, expect, it } from 'vitest';
import { seconds } from '../../src/core/time.js';
import { command, supervised } from '../support/builders.js';
import { beat, beatOf, EVERY, served, web } from '../support/heartbeat-stage.js';
import { does, drains, exitsAfter, program } from '../support/program.js';
import { Stage } from '../support/stage.js';

describe('a new definition', () => {
  it('of something else leaves the questions under way alone', () => {
    const stage = served(web(), { courseOf: () => ({ after: 1_000, how: 'answered' }) });
    stage.runUntil(() => beatOf(stage).asked !== null);
    const before = beatOf(stage);
    stage.apply([web({}, { description: 'the web' })]);
    expect(beatOf(stage)).toEqual(before);
    expect(stage.effects.some(({ type }) => type === 'stopAsking')).toBe(false);
  });

  it('keeps what its heartbeats have answered, and gives new ones no new grace (monitors 14)', () => {
    const stage = served(web({ fails: { count: 5, of: 5 } }));
    stage.let('web', 'wrong');
    stage.run(20_000);
    const { counted, lastGood } = beatOf(stage);
    const other = beat({ name: 'other', grace: seconds(60), fails: { count: 1, of: 1 }, then: { type: 'notice' } });
    stage.apply([supervised({ heartbeats: [beat({ fails: { count: 6, of: 6 } }), other] })]);
    expect(beatOf(stage)).toMatchObject({ counted, lastGood });
    stage.run(EVERY + 100);
    expect(stage.happened('web', 'unhealthy').map(({ what }) => what.type === 'unhealthy' && what.heartbeat)).toEqual([
      'other',
    ]);
    expect(stage.spawns('web')).toBe(1);
  });

  it('that asks something else begins to count anew', () => {
    const stage = served(web({ fails: { count: 3, of: 3 } }));
    const failures = (): number => beatOf(stage).counted.filter((one) => one === 'failed').length;
    stage.let('web', 'wrong');
    stage.runUntil(() => failures() === 2);
    const { question } = beat();
    if (question.kind !== 'tcp') throw new Error('not tcp');
    stage.apply([web({ fails: { count: 3, of: 3 }, question: { ...question, port: 81 } })]);
    stage.runUntil(() => failures() === 2);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(0);
    stage.run(EVERY);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(1);
  });

  it('without heartbeats asks no more, and drops the answer that is on its way', () => {
    const stage = served(web(), { courseOf: () => ({ after: 1_000, how: 'deaf' }) });
    stage.runUntil(() => beatOf(stage).asked !== null);
    const asked = stage.questions('web').length;
    stage.apply([supervised()]);
    stage.run(60_000);
    expect(stage.questions('web')).toHaveLength(asked);
    expect(stage.service('web').health).toEqual([]);
    expect(stage.problems).toEqual([]);
  });
});

describe('a keeper that comes back', () => {
  it('gives every heartbeat a new grace, and restarts nothing because it was away', () => {
    const stage = served(web({ grace: seconds(20), fails: { count: 1, of: 1 } }));
    stage.let('web', 'wrong');
    stage.killKeeper();
    stage.run(300_000);
    stage.startKeeper();
    stage.run(19_000);
    expect(stage.spawns('web')).toBe(1);
    stage.run(10_000);
    expect(stage.spawns('web')).toBe(2);
  });

  it('tells nothing twice, and does nothing twice (monitors 29)', () => {
    const stage = served(web({ then: { type: 'exec', command: command('/bin/alarm', 5_000) } }));
    stage.host.install('/bin/alarm', program(exitsAfter(20, 0)));
    stage.let('web', 'wrong');
    stage.run(60_000);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(1);
    stage.killKeeper();
    stage.startKeeper();
    stage.run(600_000);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(1);
    expect(stage.effects.filter(({ type }) => type === 'react')).toHaveLength(1);
    stage.let('web', 'its work');
    stage.run(60_000);
    expect(stage.happened('web', 'healthy')).toHaveLength(1);
  });

  it('tells once that something cannot be asked, also across keepers', () => {
    const stage = served();
    stage.let('web', 'unreachable');
    stage.run(60_000);
    stage.killKeeper();
    stage.startKeeper();
    stage.run(60_000);
    expect(stage.happened('web', 'unasked')).toHaveLength(1);
  });

  it('carries a restart by a heartbeat to its end, counted once', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(drains(5_000)));
    stage.add(web());
    stage.run(60_000);
    stage.let('web', 'wrong');
    stage.runUntilState('web', 'stopping');
    stage.killKeeper();
    stage.run(2_000);
    stage.startKeeper();
    stage.run(60_000);
    expect(stage.state('web').name).toBe('running');
    expect(stage.spawns('web')).toBe(2);
    expect(stage.service('web')).toMatchObject({ restarts: { total: 1 }, lastDeath: { cause: 'heartbeat' } });
  });

  it('knows that it did its work for long, although answers are not recorded', () => {
    const spec = web({}, { restart: { limit: { count: 1, within: seconds(3600) }, slowEvery: seconds(60) } });
    const stage = new Stage();
    stage.host.install('/srv/web', program(does('wrong')));
    stage.add(spec);
    stage.run(120_000);
    expect(stage.service('web').restarts.pace).toBe('slow');
    stage.host.install('/srv/web', program());
    stage.run(7_200_000);
    stage.killKeeper();
    stage.startKeeper();
    stage.let('web', 'wrong');
    stage.runUntil(() => stage.service('web').lastDeath?.served !== 0);
    expect(stage.service('web').restarts).toMatchObject({ pace: 'normal', streak: 1 });
  });

  it('writes nothing down for a question and an answer that changes nothing', () => {
    const stage = served();
    const records: string[] = [];
    const { journal } = stage;
    const record = journal.record.bind(journal);
    journal.record = (services, removed, changes) => {
      records.push(...services.map(({ spec }) => spec.name));
      record(services, removed, changes);
    };
    const asked = stage.questions('web').length;
    stage.run(600_000);
    expect(stage.questions('web').length).toBeGreaterThan(asked + 100);
    expect(records).toEqual([]);
  });
});

describe('a keeper that stood still', () => {
  it('blames nobody for that time: the question that was out, and those in the grace after it, count for nothing (supervisors 22)', () => {
    const stage = served(web({ grace: seconds(20), fails: { count: 1, of: 1 } }), {
      courseOf: () => ({ after: 1_000, how: 'answered' }),
    });
    stage.runUntil(() => stage.kernel.askers.busyWith('web') > 0);
    stage.let('web', 'wrong');
    stage.stallWithFactsBehind(600_000);
    stage.run(15_000);
    expect(stage.spawns('web')).toBe(1);
    stage.let('web', 'its work');
    stage.run(600_000);
    expect(stage.spawns('web')).toBe(1);
    expect(stage.happened('web', 'unasked')).toHaveLength(0);
  });

  it('or a machine that slept, which is told to the keeper: the grace begins anew (supervisors 22)', () => {
    const stage = served(web({ grace: seconds(20), fails: { count: 1, of: 1 } }));
    stage.keeper.stoodStill();
    stage.let('web', 'wrong');
    stage.run(19_000);
    expect(stage.spawns('web')).toBe(1);
    stage.run(10_000);
    expect(stage.spawns('web')).toBe(2);
  });

  it('asks each heartbeat once then, and not for every time that it missed', () => {
    const stage = served();
    const asked = stage.questions('web').length;
    stage.clock.stall(600_000);
    stage.run(4_000);
    expect(stage.questions('web').length - asked).toBeLessThanOrEqual(2);
  });

  it('believes an answer that comes after the machine has slept, and one that never comes is not told of (supervisors 22)', () => {
    const stage = served(web(), { courseOf: () => ({ after: 1_000, how: 'lost' }) });
    const told = stage.happened('web', 'unasked').length;
    stage.clock.stall(600_000);
    stage.run(1_000);
    expect(stage.happened('web', 'unasked')).toHaveLength(told);
    expect(stage.spawns('web')).toBe(1);
  });
});
