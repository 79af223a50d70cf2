import { describe, expect, it } from 'vitest';
import { nextTime } from '../../src/config/cron.js';
import type { ServiceSpec } from '../../src/core/spec.js';
import { millis, minutes, seconds, wallTime } from '../../src/core/time.js';
import { heartbeat, supervised, watched } from '../support/builders.js';
import { drains, program, startsDaemon } from '../support/program.js';
import { Stage } from '../support/stage.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NIGHTLY = '0 4 * * *';

const nightly = (spread = 0, more: Parameters<typeof supervised>[0] = {}): ServiceSpec =>
  supervised({ ...more, restart: { ...more.restart, at: NIGHTLY, spread: millis(spread) } });

/** When it is four o'clock next, on the clock on the wall. */
function fourOClock(stage: Stage): number {
  const next = nextTime(NIGHTLY, wallTime(stage.clock.wall));
  if (next === null) throw new Error('it is never four');
  return next;
}

/** Until so long after, or before, the next four o'clock. */
const runToFour = (stage: Stage, after = 0): void => stage.run(fourOClock(stage) + after - stage.clock.wall);

const plannedAt = (stage: Stage, name = 'web'): number | null => stage.service(name).planned?.at ?? null;

describe('a restart by the calendar', () => {
  it('stops and starts it gracefully at its time, and is not counted', () => {
    const stage = Stage.with([nightly()]);
    stage.run(60_000);
    const first = stage.main('web');
    runToFour(stage, -1_000);
    expect(stage.main('web')).toBe(first);
    stage.run(10_000);
    expect(stage.main('web')).not.toBe(first);
    expect(stage.signals('web')).toEqual(['SIGTERM']);
    expect(stage.service('web')).toMatchObject({
      restarts: { total: 0, streak: 0 },
      lastDeath: { cause: 'requested' },
    });
    expect(stage.happened('web', 'stopping').map(({ what }) => what)).toEqual([{ type: 'stopping', why: 'planned' }]);
    expect(stage.happened('web', 'died')).toHaveLength(0);
  });

  it('comes every day', () => {
    const stage = Stage.with([nightly()]);
    stage.run(60_000);
    stage.run(3 * DAY);
    expect(stage.spawns('web')).toBe(4);
  });

  it('takes along what needs it', () => {
    const stage = Stage.with([nightly(0, { name: 'db' }), supervised({ name: 'app', needs: ['db'] })]);
    stage.run(60_000);
    runToFour(stage, 30_000);
    expect([stage.spawns('db'), stage.spawns('app')]).toEqual([2, 2]);
    expect(stage.state('app').name).toBe('running');
  });

  it('is drawn for each host within its spread, so that a fleet does not restart as one', () => {
    const shifts = Array.from({ length: 60 }, (_, seed) => {
      const stage = Stage.with([nightly(minutes(10))], { seed: seed + 1 });
      stage.run(60_000);
      return (plannedAt(stage) ?? 0) - fourOClock(stage);
    });
    expect(Math.min(...shifts)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...shifts)).toBeLessThan(600_000);
    expect(Math.min(...shifts)).toBeLessThan(120_000);
    expect(Math.max(...shifts)).toBeGreaterThan(480_000);
  });

  it('is skipped where the service is down, held or not wanted, and comes the day after', () => {
    for (const [wish, back] of [
      ['stop', 'start'],
      ['hold', 'unhold'],
    ] as const) {
      const stage = Stage.with([nightly()]);
      stage.run(60_000);
      stage.ask('web', wish);
      runToFour(stage, 60_000);
      const spawned = stage.spawns('web');
      stage.ask('web', back);
      stage.run(60_000);
      const started = wish === 'stop' ? spawned + 1 : spawned;
      expect(stage.spawns('web')).toBe(started);
      runToFour(stage, 60_000);
      expect(stage.spawns('web')).toBe(started + 1);
    }
  });

  it('is skipped while the host goes down or comes up', () => {
    for (const phase of ['ending', 'booting'] as const) {
      const stage = Stage.with([nightly()]);
      stage.run(60_000);
      stage.turnHost(phase);
      runToFour(stage, 60_000);
      expect(stage.mains('web')).toHaveLength(1);
      expect(stage.spawns('web')).toBe(1);
    }
  });

  it('is left out when its time passed long ago, because the machine slept', () => {
    const stage = Stage.with([nightly()]);
    stage.run(60_000);
    stage.clock.jumpWall(fourOClock(stage) + 11 * 60_000 - stage.clock.wall);
    stage.run(120_000);
    expect(stage.spawns('web')).toBe(1);
    runToFour(stage, 60_000);
    expect(stage.spawns('web')).toBe(2);
  });

  it('is left out when its time passed long ago, because no keeper was there; a little late it is done', () => {
    for (const [away, spawns] of [
      [5 * 60_000, 2],
      [HOUR, 1],
    ] as const) {
      const stage = Stage.with([nightly()]);
      stage.run(60_000);
      stage.killKeeper();
      runToFour(stage, away);
      stage.startKeeper();
      stage.run(60_000);
      expect(stage.spawns('web')).toBe(spawns);
      runToFour(stage, 60_000);
      expect(stage.spawns('web')).toBe(spawns + 1);
    }
  });

  it('keeps the time that was drawn when the keeper comes back, and asks again for one that was not answered', () => {
    const stage = Stage.with([nightly(minutes(10))]);
    stage.run(60_000);
    const drawn = plannedAt(stage);
    expect(drawn).not.toBeNull();
    stage.killKeeper();
    stage.startKeeper();
    stage.run(60_000);
    expect(plannedAt(stage)).toBe(drawn);

    const other = new Stage({ latency: () => 50 });
    other.add(nightly());
    other.run(10);
    expect(plannedAt(other)).toBeNull();
    other.killKeeper();
    other.startKeeper();
    other.run(100);
    expect(plannedAt(other)).toBe(fourOClock(other));
  });

  it('follows its definition: another time, or none', () => {
    const stage = Stage.with([nightly()]);
    stage.run(60_000);
    stage.apply([supervised({ restart: { at: '30 12 * * *' } })]);
    stage.run(100);
    expect(plannedAt(stage)).toBe(nextTime('30 12 * * *', wallTime(stage.clock.wall)));
    stage.apply([supervised()]);
    stage.run(2 * DAY);
    expect(stage.service('web').planned).toBeNull();
    expect(stage.spawns('web')).toBe(1);
  });

  it('restarts the members of a pool one after the other', () => {
    const specs = [1, 2, 3].map((index) =>
      supervised({
        name: `web@${index}`,
        pool: { name: 'web', index, of: 3 },
        restart: { at: NIGHTLY },
        ready: { probe: { type: 'alive', for: seconds(20) } },
      }),
    );
    const stage = Stage.with(specs);
    stage.run(60_000);
    runToFour(stage, -1_000);
    let least = 3;
    for (let s = 0; s < 120; s++) {
      stage.run(1_000);
      least = Math.min(least, specs.filter(({ name }) => stage.state(name).name === 'running').length);
    }
    expect(specs.map(({ name }) => stage.spawns(name))).toEqual([2, 2, 2]);
    expect(least).toBe(2);
  });

  it('of a watched daemon goes by its commands, and is none where nothing could start it again', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh', '-D'], program()));
    stage.bear('/usr/sbin/ssh -D', program());
    stage.add(watched({ restart: { at: NIGHTLY } }));
    stage.run(60_000);
    runToFour(stage, 60_000);
    expect(stage.spawns('ssh', 'start')).toBe(1);
    expect(stage.service('ssh').restarts.total).toBe(0);

    const foreign = new Stage();
    const daemon = foreign.bear('/usr/sbin/ssh -D', program());
    foreign.add(watched({ start: null, restart: { at: NIGHTLY } }));
    foreign.run(60_000);
    runToFour(foreign, 60_000);
    expect(daemon.received).toEqual([]);
  });

  it('gives way to an operator who stops it meanwhile', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(drains(8_000)));
    stage.add(nightly());
    stage.run(60_000);
    runToFour(stage, 2_000);
    expect(stage.state('web').name).toBe('stopping');
    stage.ask('web', 'stop');
    stage.run(60_000);
    expect(stage.state('web').name).toBe('stopped');
  });

  it('is carried to its end by the next keeper, uncounted', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(drains(8_000)));
    stage.add(nightly());
    stage.run(60_000);
    runToFour(stage, 2_000);
    stage.killKeeper();
    stage.run(1_000);
    stage.startKeeper();
    stage.run(60_000);
    expect(stage.state('web').name).toBe('running');
    expect(stage.spawns('web')).toBe(2);
    expect(stage.service('web').restarts.total).toBe(0);
  });
});

describe('a heartbeat by the calendar', () => {
  const hourly = heartbeat({
    every: { type: 'cron', expression: '15 * * * *' },
    grace: seconds(0),
    fails: { count: 1, of: 1 },
  });

  it('is asked at its times, a quarter past each hour', () => {
    const stage = Stage.with([supervised({ heartbeats: [hourly] })]);
    stage.run(5 * HOUR);
    expect(stage.questions('web')).toHaveLength(5);
    const walls = stage.questions('web').map((at) => stage.clock.wall - (stage.clock.instant - at));
    for (const wall of walls) expect(Math.abs((wall % HOUR) - 15 * 60_000)).toBeLessThan(100);
  });

  it('is acted on as any other', () => {
    const stage = Stage.with([supervised({ heartbeats: [hourly] })]);
    stage.run(60_000);
    stage.let('web', 'wrong');
    stage.run(HOUR);
    expect(stage.spawns('web')).toBe(2);
  });

  it('is asked on after a hold, a restart, a new keeper, a host that did not go down after all and an answer that never came', () => {
    let course: 'answered' | 'lost' = 'answered';
    const stage = Stage.with([supervised({ heartbeats: [hourly] })], { courseOf: () => ({ after: 5, how: course }) });
    const isAskedWithin = (length: number): boolean => {
      const asked = stage.questions('web').length;
      stage.run(length);
      return stage.questions('web').length > asked;
    };
    stage.run(60_000);
    stage.ask('web', 'hold');
    expect(isAskedWithin(2 * HOUR)).toBe(false);
    stage.ask('web', 'unhold');
    expect(isAskedWithin(HOUR)).toBe(true);
    stage.ask('web', 'restart');
    expect(isAskedWithin(HOUR)).toBe(true);
    stage.killKeeper();
    stage.startKeeper();
    expect(isAskedWithin(HOUR)).toBe(true);
    stage.turnHost('ending');
    expect(isAskedWithin(2 * HOUR)).toBe(false);
    stage.turnHost('up');
    expect(isAskedWithin(HOUR)).toBe(true);
    course = 'lost';
    expect(isAskedWithin(HOUR)).toBe(true);
    expect(isAskedWithin(HOUR)).toBe(true);
    stage.apply([supervised({ description: 'the web', heartbeats: [hourly] })]);
    expect(isAskedWithin(HOUR)).toBe(true);
    expect(stage.spawns('web')).toBe(2);
  });
});
