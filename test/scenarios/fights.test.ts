// Somebody else stops what we start, again and again: by the clock, by a look every few seconds, or by hand.

import { describe, expect, it } from 'vitest';
import { messageOf } from '../../src/core/message.js';
import { outlookOf } from '../../src/core/outlook.js';
import type { ServiceSpec } from '../../src/core/spec.js';
import type { Service } from '../../src/core/state.js';
import { type ServiceStatus, statusOf } from '../../src/core/status.js';
import { seconds } from '../../src/core/time.js';
import { worldOf } from '../../src/core/world.js';
import { supervised, watched } from '../support/builders.js';
import { diesAfter, exitsAfter, lives, program, startsDaemon } from '../support/program.js';
import { Stage } from '../support/stage.js';

const MINUTE = 60_000;
const both: readonly ServiceSpec[] = [supervised(), watched({ name: 'web' })];

function stageWith(spec: ServiceSpec): Stage {
  const stage = new Stage();
  stage.host.install('/etc/init.d/web', startsDaemon(['/usr/sbin/web'], program(lives)));
  stage.add(spec);
  stage.run(10_000);
  return stage;
}

/** The main process, if it is up, is asked to end. */
function stop(stage: Stage, signal = 'SIGTERM'): void {
  const service = stage.service('web');
  if (service.state.name === 'running') stage.kill(service.state.process, signal);
}

/** From now on somebody stops it every so often; the answer makes him go away. */
function opponent(stage: Stage, every: number, signal = 'SIGTERM'): () => void {
  let goes: 'on' | 'away' = 'on';
  const come = (): void => {
    if (goes === 'away') return;
    if (stage.keeperLives === 'yes') stop(stage, signal);
    stage.clock.after(every, come);
  };
  stage.clock.after(every, come);
  return () => {
    goes = 'away';
  };
}

const fightOf = (stage: Stage): Service['opposition']['fight'] => stage.service('web').opposition.fight;
const isFighting = (stage: Stage): boolean => fightOf(stage) !== null;

function statusIn(stage: Stage): ServiceStatus {
  const outlook = outlookOf(worldOf(new Map([['web', stage.service('web')]])));
  const view = { now: stage.clock.now(), outlook, bootWall: 0, ticksPerSecond: 100, notEnforced: () => [] };
  return statusOf(stage.service('web'), view);
}

function lines(stage: Stage, type: 'fight' | 'fightEnded'): readonly string[] {
  return stage.happened('web', type).map((change) => messageOf(change, stage.service('web'))?.text ?? '');
}

describe.each(both.map((spec) => [spec.kind.type, spec] as const))('an opponent of a %s service', (_, spec) => {
  it.each([
    ['20 s', 20_000, 3],
    ['minute', MINUTE, 3],
    ['5 minutes', 5 * MINUTE, 4],
    ['30 minutes', 30 * MINUTE, 4],
  ])('that comes every %s is named, and left alone with it for 5 minutes', (_, every, times) => {
    const stage = stageWith(spec);
    opponent(stage, every);
    stage.runUntil(() => isFighting(stage), (times + 1) * every + 2 * MINUTE);
    expect(fightOf(stage)).toMatchObject({ times, how: 'SIGTERM', by: null, pause: 5 * MINUTE });
    expect(stage.state('web')).toMatchObject({ name: 'backoff' });
    expect(statusIn(stage)).toMatchObject({
      state: 'backoff',
      reason: expect.stringMatching(/^next try in 5 min: somebody stops it again and again, killed by SIGTERM/),
      next: { what: 'start', why: 'fight' },
      fight: { times, by: null, next: expect.any(String), text: expect.stringMatching(/^SIGTERM \d times in/) },
    });
    const before = stage.service('web').generation;
    stage.run(5 * MINUTE - 1000);
    expect(stage.service('web').generation).toBe(before);
    stage.run(2000);
    expect(stage.service('web').generation).toBe(before + 1);
    expect(stage.happened('web', 'fight')).toHaveLength(1);
  });

  it('is met with ever longer pauses, an hour at most, and each is said', () => {
    const stage = stageWith(spec);
    opponent(stage, MINUTE);
    stage.runUntil(() => isFighting(stage));
    const pauses: number[] = [];
    for (let n = 0; n < 6; n++) {
      pauses.push((fightOf(stage)?.pause ?? 0) / MINUTE);
      stage.runUntil(() => fightOf(stage)?.times === n + 4, 70 * MINUTE);
    }
    expect(pauses).toEqual([5, 10, 20, 40, 60, 60]);
    const told = lines(stage, 'fight');
    expect(told).toHaveLength(7);
    expect(told[0]).toMatch(
      /^web: somebody stops web again and again: SIGTERM 3 times in 2\d* \w+, each \d.* after we started it, .*by whom is not known; starting it in 5 min$/,
    );
    expect(told[1]).toMatch(/^web: somebody stops web still: SIGTERM 4 times in .*; starting it in 10 min$/);
  });

  it('that goes away is forgotten once the service was up long enough, and that is said once', () => {
    const stage = stageWith(spec);
    const goAway = opponent(stage, 20_000);
    stage.runUntil(() => isFighting(stage));
    goAway();
    stage.runUntil(() => stage.state('web').name === 'running');
    expect(statusIn(stage)).toMatchObject({ state: 'running', fight: { next: null, times: 3 } });
    stage.run(5 * MINUTE - 1000);
    expect(isFighting(stage)).toBe(true);
    stage.run(2000);
    expect(isFighting(stage)).toBe(false);
    stage.run(60 * MINUTE);
    expect(lines(stage, 'fightEnded')).toEqual([
      'web: nobody stops web any more, up for 5 min; it had been stopped 3 times',
    ]);
    expect(statusIn(stage).fight).toBeNull();
    // Nothing is held against the next one.
    stop(stage);
    stage.run(10_000);
    expect(stage.state('web').name).toBe('running');
  });

  it.each(['start', 'reset'] as const)('is forgotten when an operator says %s, and the pause is cut short', (verb) => {
    const stage = stageWith(spec);
    const goAway = opponent(stage, 20_000);
    stage.runUntil(() => isFighting(stage));
    goAway();
    stage.ask('web', verb);
    stage.run(5000);
    expect(stage.state('web').name).toBe('running');
    expect(isFighting(stage)).toBe(false);
    stop(stage);
    stage.run(10_000);
    expect(stage.state('web').name).toBe('running');
  });

  it('is not met while the service is on hold', () => {
    const stage = stageWith(spec);
    const goAway = opponent(stage, 20_000);
    stage.runUntil(() => isFighting(stage));
    stage.ask('web', 'hold');
    stage.run(120 * MINUTE);
    expect(stage.state('web')).toMatchObject({ name: 'waiting', for: 'hold' });
    expect(stage.happened('web', 'fight')).toHaveLength(1);
    goAway();
    stage.ask('web', 'unhold');
    stage.run(5000);
    expect(stage.state('web').name).toBe('running');
    stage.run(10 * MINUTE);
    expect(isFighting(stage)).toBe(false);
  });

  it('is known to the next keeper too: what was counted, the pause and its end', () => {
    const stage = stageWith(spec);
    const goAway = opponent(stage, 20_000);
    // Killed after each blow: each keeper has seen one.
    for (let seen = 1; !isFighting(stage); seen++) {
      expect(seen).toBeLessThan(6);
      const before = stage.service('web').opposition.blows.length;
      stage.runUntil(() => stage.service('web').opposition.blows.length > before || isFighting(stage));
      stage.killKeeper();
      stage.startKeeper();
    }
    goAway();
    const { deadline } = stage.state('web') as Extract<Service['state'], { name: 'backoff' }>;
    stage.killKeeper();
    stage.run(MINUTE);
    stage.startKeeper();
    stage.run(10);
    expect(stage.state('web')).toMatchObject({ name: 'backoff', deadline });
    expect(fightOf(stage)).toMatchObject({ times: 3 });
    stage.runUntil(() => stage.state('web').name === 'running');
    stage.killKeeper();
    stage.startKeeper();
    stage.run(6 * MINUTE);
    expect(isFighting(stage)).toBe(false);
    expect(stage.happened('web', 'fight')).toHaveLength(1);
    expect(stage.happened('web', 'fightEnded')).toHaveLength(1);
  });

  it('is nobody who stops it twice by hand, or now and then', () => {
    const stage = stageWith(spec);
    stage.run(10 * MINUTE);
    for (const pause of [20, 20, 700, 20, 800, 300, 1500, 900, 40]) {
      stop(stage);
      stage.run(pause * 1000);
      expect(stage.state('web').name).toBe('running');
    }
    expect(stage.happened('web', 'fight')).toHaveLength(0);
  });

  it.each(['SIGKILL', 'SIGSEGV', 'SIGABRT'] as const)('is nobody where it ends by %s', (signal) => {
    const stage = stageWith(spec);
    for (let n = 0; n < 30; n++) {
      const { state } = stage.service('web');
      const process = stage.host.living().find(({ ref }) => state.name === 'running' && ref.pid === state.process.pid);
      if (process !== undefined) stage.host.end(process, { type: 'signaled', signal, coreDumped: false });
      stage.run(40_000);
    }
    expect(stage.happened('web', 'died').length).toBeGreaterThan(20);
    expect(stage.happened('web', 'fight')).toHaveLength(0);
  });

  it('is no operator who restarts it, or sends it a signal, through us', () => {
    const stage = stageWith(spec);
    for (let n = 0; n < 5; n++) {
      stage.ask('web', 'restart');
      stage.run(30_000);
      stage.ask('web', { verb: 'signal', signal: 'SIGTERM' });
      stage.run(30_000);
    }
    expect(stage.happened('web', 'died')).toHaveLength(5);
    expect(stage.happened('web', 'fight')).toHaveLength(0);
  });

  it('is not the host that goes down', () => {
    const stage = stageWith(spec);
    stop(stage);
    stage.run(15_000);
    stop(stage);
    stage.run(15_000);
    stage.turnHost('ending');
    stop(stage);
    stage.run(15_000);
    expect(stage.state('web')).toMatchObject({ name: 'waiting', for: 'shutdown' });
    expect(isFighting(stage)).toBe(false);
  });

  it('never gets more restarts out of us than the limit allows', () => {
    const limited = { ...spec, restart: { ...spec.restart, limit: { count: 2, within: seconds(3600) } } };
    const stage = stageWith(limited);
    const goAway = opponent(stage, 20_000);
    stage.runUntil(() => stage.state('web').name === 'failed');
    // The quiet tries of the limit keep out of the fight too.
    const { generation } = stage.service('web');
    expect(generation).toBe(3);
    expect(isFighting(stage)).toBe(true);
    stage.run(4 * MINUTE);
    expect(stage.service('web').generation).toBe(generation);
    goAway();
    stage.run(60 * MINUTE);
    expect(stage.state('web').name).toBe('running');
  });
});

describe('a fight', () => {
  it('is not what a service does that ends by itself: with a code, by a crash, or before it was ready', () => {
    for (const ends of [
      exitsAfter(5000, 0),
      exitsAfter(5000, 1),
      diesAfter(5000, 'SIGSEGV', true),
      diesAfter(300, 'SIGTERM'),
    ]) {
      const stage = new Stage();
      stage.host.install('/srv/web', program(ends));
      stage.add(supervised());
      stage.run(60 * MINUTE);
      expect(stage.service('web').restarts.total).toBeGreaterThan(5);
      expect(stage.happened('web', 'fight')).toHaveLength(0);
    }
  });

  it('is not what somebody does who stops a daemon and starts it again himself', () => {
    const stage = stageWith(watched({ name: 'web' }));
    for (let n = 0; n < 10; n++) {
      stop(stage);
      stage.run(1000);
      stage.bear('/usr/sbin/web', program(lives));
      stage.run(59_000);
    }
    expect(stage.happened('web', 'handedOver')).toHaveLength(10);
    expect(stage.happened('web', 'fight')).toHaveLength(0);
  });

  it('is not fought over what others start: of ten ends of a daemon that came by another hand only ours count', () => {
    const stage = stageWith(watched({ name: 'web', start: null }));
    for (let n = 0; n < 5; n++) {
      stage.bear('/usr/sbin/web', program(lives));
      stage.run(20_000);
      stop(stage);
      stage.run(20_000);
    }
    expect(stage.happened('web', 'died')).toHaveLength(5);
    expect(stage.happened('web', 'fight')).toHaveLength(0);
  });

  it('may be fought by the protocol of an init script, after which a daemon exits with 0', () => {
    const stage = stageWith(watched({ name: 'web' }));
    for (let n = 0; n < 3; n++) {
      stage.host.end(stage.bearerOf('/usr/sbin/web'), { type: 'exited', code: 0 });
      stage.run(20_000);
    }
    expect(lines(stage, 'fight')).toEqual([expect.stringMatching(/: code 0 3 times in \d+ s, each/)]);
  });

  it('is none over an end that was agreed to mean: start me again', () => {
    const agreed = supervised({ restart: { alwaysAfter: [{ type: 'signal', signal: 'SIGTERM' }] } });
    const stage = stageWith(agreed);
    opponent(stage, 20_000);
    stage.run(20 * MINUTE);
    expect(stage.happened('web', 'fight')).toHaveLength(0);
  });

  it('looks like cron where it comes at full minutes', () => {
    const stage = stageWith(supervised());
    // The clock of the stage began at a full hour.
    stage.run(50_000);
    opponent(stage, 5 * MINUTE);
    stage.runUntil(() => isFighting(stage), 30 * MINUTE);
    expect(statusIn(stage).fight?.text).toBe(
      'SIGTERM 4 times in 15 min, each 5 min after we started it, every 5 min at the full minute (looks like cron), by whom is not known',
    );
  });

  it('does not hold up what comes of a crash in the middle of it', () => {
    const stage = stageWith(supervised());
    const goAway = opponent(stage, 20_000);
    stage.runUntil(() => isFighting(stage));
    goAway();
    stage.runUntil(() => stage.state('web').name === 'running');
    stage.kill(stage.main('web'), 'SIGSEGV');
    stage.run(3000);
    expect(stage.state('web').name).toBe('running');
    expect(statusIn(stage).reason).toMatch(/^running for/);
    expect(isFighting(stage)).toBe(true);
  });

  it('is over with a new definition that needs another process', () => {
    const stage = stageWith(supervised());
    const goAway = opponent(stage, 20_000);
    stage.runUntil(() => isFighting(stage));
    goAway();
    stage.host.install('/srv/other', program(lives));
    stage.post({ type: 'changed', service: supervised().name, spec: supervised({ run: '/srv/other' }) });
    stage.run(5000);
    expect(stage.state('web').name).toBe('running');
    expect(isFighting(stage)).toBe(false);
  });
});
