import { describe, expect, it } from 'vitest';
import { laterOnWall, millis, seconds, wallTime } from '../../src/core/time.js';
import { command, supervised, watched } from '../support/builders.js';
import { exitsAfter, lives, program, readyAfter, startsDaemon } from '../support/program.js';
import { Stage } from '../support/stage.js';

const HOUR = 3_600_000;
const jumps = [
  ['back an hour', -HOUR],
  ['forward an hour', HOUR],
  ['forward a day', 24 * HOUR],
] as const;

describe.each(jumps)('a wall clock set %s', (_, jump) => {
  it('restarts nothing and changes no uptime (supervisors 36) (monitors 8)', () => {
    const stage = Stage.with([supervised()]);
    stage.run(60_000);
    const since = stage.state('web').since;
    stage.clock.jumpWall(jump);
    stage.run(60_000);
    expect(stage.spawns('web')).toBe(1);
    expect(stage.state('web')).toMatchObject({ name: 'running', since });
  });

  it('neither lengthens nor shortens a back-off (supervisors 36) (monitors 8)', () => {
    const delays = [0, jump].map((by) => {
      const stage = new Stage();
      const crashing = program(exitsAfter(1, 1));
      stage.host.install('/srv/web', ...Array.from({ length: 6 }, () => crashing), program(lives));
      stage.add(supervised());
      stage.runUntil(() => stage.spawns('web') === 6 && stage.state('web').name === 'backoff');
      stage.clock.jumpWall(by);
      const from = stage.clock.instant;
      stage.runUntilState('web', 'starting');
      return stage.clock.instant - from;
    });
    expect(delays[0]).toBe(delays[1]);
  });

  it('loses no start deadline and no stop wait (supervisors 36) (monitors 8)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(readyAfter(null), { onTerm: { type: 'ignores' } }));
    stage.add(supervised({ ready: { probe: { type: 'port', host: '127.0.0.1', port: 80 }, timeout: seconds(5) } }));
    stage.run(1000);
    stage.clock.jumpWall(jump);
    stage.run(4500);
    expect(stage.state('web').name).toBe('stopping');
    stage.clock.jumpWall(-jump);
    stage.run(9000);
    expect(stage.signals('web')).toEqual(['SIGTERM']);
    stage.run(1000);
    expect(stage.signals('web')).toEqual(['SIGTERM', 'SIGKILL']);
  });

  it('leaves the window of the limit alone', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(1, 1)));
    stage.add(supervised({ restart: { then: 'give-up', limit: { count: 3, within: seconds(300) } } }));
    stage.run(250);
    stage.clock.jumpWall(jump);
    stage.runUntilState('web', 'failed');
    expect(stage.spawns('web')).toBe(4);
  });
});

describe('what an operator limits in time', () => {
  const stopFor = (stage: Stage, length: number) =>
    stage.ask('web', {
      verb: 'stop',
      reason: null,
      until: laterOnWall(wallTime(stage.clock.wall), millis(length)),
      lasts: 'always',
    });

  it('counts real time: a clock set forward ends it, within a minute', () => {
    const stage = Stage.with([supervised()]);
    stage.run(5000);
    stopFor(stage, 2 * HOUR);
    stage.run(5000);
    stage.clock.jumpWall(3 * HOUR);
    stage.run(65_000);
    expect(stage.state('web').name).toBe('running');
  });

  it('counts real time: a clock set back makes it last longer', () => {
    const stage = Stage.with([supervised()]);
    stage.run(5000);
    stopFor(stage, HOUR);
    stage.clock.jumpWall(-HOUR);
    stage.run(HOUR + 60_000);
    expect(stage.state('web').name).toBe('stopped');
    stage.run(HOUR);
    expect(stage.state('web').name).toBe('running');
  });
});

describe('a keeper that was held up', () => {
  it('does not take a service for late that became ready meanwhile', () => {
    const stage = new Stage({ latency: () => 5 });
    stage.host.install('/srv/web', program(readyAfter(3000)));
    stage.add(supervised({ ready: { probe: { type: 'port', host: '127.0.0.1', port: 80 }, timeout: seconds(5) } }));
    stage.run(1000);
    stage.stallWithFactsBehind(60_000);
    stage.run(1000);
    expect(stage.state('web').name).toBe('running');
    expect(stage.happened('web', 'startFailed')).toHaveLength(0);
  });

  it('begins the start deadline anew for one that is not ready yet', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(readyAfter(62_000)));
    stage.add(supervised({ ready: { probe: { type: 'port', host: '127.0.0.1', port: 80 }, timeout: seconds(5) } }));
    stage.run(1000);
    stage.stallWithFactsBehind(60_000);
    stage.run(3000);
    expect(stage.state('web').name).toBe('running');
    expect(stage.spawns('web')).toBe(1);
  });

  it('blames no service for a sleep of the machine that ended shortly before its deadline, once', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(readyAfter(9000)), program(readyAfter(60_000)));
    stage.add(supervised({ ready: { probe: { type: 'port', host: '127.0.0.1', port: 80 }, timeout: seconds(5) } }));
    stage.run(4500);
    stage.keeper.stoodStill();
    stage.run(4600);
    expect(stage.state('web').name).toBe('running');
    stage.kill(stage.main('web'));
    stage.run(4500);
    stage.keeper.stoodStill();
    stage.run(6000);
    expect(stage.happened('web', 'startFailed')).toHaveLength(1);
  });

  it('does not start a daemon a second time that came back by itself meanwhile', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program(lives)));
    const daemon = stage.bear('/usr/sbin/ssh', program());
    stage.add(watched({ start: command('/etc/init.d/ssh start') }));
    stage.runUntilState('ssh', 'running');
    stage.kill(daemon, 'SIGTERM');
    stage.run(1000);
    expect(stage.state('ssh')).toMatchObject({ name: 'waiting', for: 'settle' });
    stage.clock.after(2000, () => stage.bear('/usr/sbin/ssh', program()));
    stage.stallWithFactsBehind(20_000);
    stage.run(10_000);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.spawns('ssh', 'start')).toBe(0);
  });

  it('still answers every deadline in the end', () => {
    const stage = new Stage();
    stage.host.install(
      '/srv/web',
      program(exitsAfter(1, 1)),
      program(exitsAfter(1, 1)),
      program(exitsAfter(1, 1)),
      program(lives),
    );
    stage.add(supervised());
    stage.runUntil(() => stage.state('web').name === 'backoff');
    for (let n = 0; n < 5; n++) {
      stage.stallWithFactsBehind(10_000);
      stage.run(300);
    }
    stage.run(2000);
    expect(stage.state('web').name).toBe('running');
  });
});
