import { describe, expect, it } from 'vitest';
import { laterOnWall, millis, seconds, wallTime } from '../../src/core/time.js';
import { supervised, watched } from '../support/builders.js';
import { exitsAfter, forks, ignoresTerm, lives, program, readyAfter, startsDaemon } from '../support/program.js';
import { Stage } from '../support/stage.js';

const MINUTE = 60_000;

function running(): Stage {
  const stage = Stage.with([supervised()]);
  stage.run(MINUTE);
  return stage;
}

/** What acts on the host. */
const acts = (stage: Stage, from: number) =>
  stage.effects
    .slice(from)
    .filter(({ type }) => type === 'spawn' || type === 'signal' || type === 'endRest' || type === 'endHelper');

describe('a hold', () => {
  it('acts on nothing: a death is recorded, nothing is started', () => {
    const stage = running();
    stage.ask('web', 'hold');
    const from = stage.effects.length;
    stage.kill(stage.main('web'));
    stage.run(10 * MINUTE);
    expect(stage.happened('web', 'died')).toHaveLength(1);
    expect(stage.state('web')).toMatchObject({ name: 'waiting', for: 'hold' });
    expect(acts(stage, from)).toEqual([]);
  });

  it('lets a start that was being made ready go on once it is over', () => {
    const stage = Stage.with([supervised({ directories: [{ path: '/run/web', mode: 0o755 }] })]);
    expect(stage.state('web')).toMatchObject({ name: 'starting', phase: 'preparing' });
    stage.ask('web', 'hold');
    stage.run(MINUTE);
    expect(stage.spawns('web')).toBe(0);
    stage.ask('web', 'unhold');
    stage.run(3000);
    expect(stage.state('web').name).toBe('running');
  });

  it('ends no leftovers either; `unhold` does, and then starts', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(forks(program(ignoresTerm))), program(lives));
    stage.add(supervised());
    stage.run(MINUTE);
    const old = stage.main('web');
    stage.ask('web', 'hold');
    stage.kill(old);
    stage.run(MINUTE);
    expect(stage.host.group(old.group)).toHaveLength(1);
    stage.ask('web', 'unhold');
    stage.run(3000);
    expect(stage.host.group(old.group)).toHaveLength(0);
    expect(stage.state('web').name).toBe('running');
  });

  it('ends a start, when it is over, that is not wanted any more', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(lives, readyAfter(null)));
    stage.add(supervised({ ready: { probe: { type: 'port', host: '127.0.0.1', port: 80 } } }));
    stage.run(1000);
    expect(stage.state('web').name).toBe('starting');
    stage.ask('web', 'hold');
    stage.post({
      type: 'changed',
      service: supervised().name,
      spec: supervised({ desired: 'down', ready: { probe: { type: 'port', host: '127.0.0.1', port: 80 } } }),
    });
    stage.run(1000);
    expect(stage.state('web').name).toBe('starting');
    stage.ask('web', 'unhold');
    stage.run(1000);
    expect(stage.state('web')).toMatchObject({ name: 'stopped', why: 'requested' });
    expect(stage.mains('web')).toHaveLength(0);
  });

  it('stops the delays: a back-off and a quiet try are not followed by a start', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(1, 1)));
    stage.add(supervised());
    stage.runUntilState('web', 'failed');
    stage.ask('web', 'hold');
    const from = stage.effects.length;
    stage.run(10 * MINUTE);
    expect(acts(stage, from)).toEqual([]);
    expect(stage.clock.wake).toBeNull();
  });

  it('judges no start: one that never becomes ready is left alone', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(readyAfter(null)));
    stage.add(supervised({ ready: { probe: { type: 'port', host: '127.0.0.1', port: 80 }, timeout: seconds(5) } }));
    stage.run(1000);
    stage.ask('web', 'hold');
    const from = stage.effects.length;
    stage.run(MINUTE);
    expect(acts(stage, from)).toEqual([]);
    expect(stage.mains('web')).toHaveLength(1);
  });

  it.each(['start', 'stop', 'restart', 'reload'] as const)('refuses %s, and says what would do', (verb) => {
    const stage = running();
    stage.ask('web', 'hold');
    const from = stage.effects.length;
    stage.ask('web', verb);
    expect(stage.happened('web', 'refused').at(-1)?.what).toMatchObject({
      verb,
      reason: 'it is on hold; `upkeep unhold web` first',
    });
    stage.run(MINUTE);
    expect(acts(stage, from)).toEqual([]);
  });

  it('lets a watched daemon come and go, and follows it', () => {
    const stage = new Stage();
    const first = stage.bear('/usr/sbin/ssh', program());
    stage.add(watched());
    stage.runUntilState('ssh', 'running');
    stage.ask('ssh', 'hold');
    stage.kill(first);
    stage.run(MINUTE);
    const second = stage.bear('/usr/sbin/ssh', program());
    stage.run(1000);
    expect(stage.state('ssh')).toMatchObject({ name: 'running', process: second.ref });
    expect(stage.spawns('ssh', 'start')).toBe(0);
  });

  it('with an end ends by itself, says so, and acts on what it finds', () => {
    const stage = running();
    stage.ask('web', {
      verb: 'hold',
      reason: 'upgrade',
      until: laterOnWall(wallTime(stage.clock.wall), millis(10 * MINUTE)),
    });
    stage.kill(stage.main('web'));
    stage.run(9 * MINUTE);
    expect(stage.mains('web')).toHaveLength(0);
    stage.run(2 * MINUTE);
    expect(stage.happened('web', 'holdEnded')).toHaveLength(1);
    expect(stage.state('web').name).toBe('running');
  });

  it('does not start what is wanted down when it ends', () => {
    const stage = running();
    stage.ask('web', 'stop');
    stage.run(5000);
    stage.ask('web', 'hold');
    stage.run(5000);
    stage.ask('web', 'unhold');
    stage.run(MINUTE);
    expect(stage.state('web')).toMatchObject({ name: 'stopped', why: 'requested' });
    expect(stage.spawns('web')).toBe(1);
  });
});

describe('an operator’s stop', () => {
  it('wins over the configuration for good, also over a new definition with the same `desired`', () => {
    const stage = running();
    stage.ask('web', 'stop');
    stage.run(5000);
    const spec = supervised({ run: '/srv/web --new' });
    stage.post({ type: 'changed', service: spec.name, spec });
    stage.run(10 * MINUTE);
    expect(stage.state('web').name).toBe('stopped');
    expect(stage.spawns('web')).toBe(1);
  });

  it('yields to a configuration that changes `desired` itself', () => {
    const stage = running();
    stage.ask('web', 'stop');
    stage.run(5000);
    for (const desired of ['down', 'up'] as const) {
      const spec = supervised({ desired });
      stage.post({ type: 'changed', service: spec.name, spec });
    }
    stage.run(5000);
    expect(stage.state('web').name).toBe('running');
    expect(stage.service('web').override).toBeNull();
  });

  it('with an end ends by itself and starts again, uncounted', () => {
    const stage = running();
    stage.ask('web', {
      verb: 'stop',
      reason: null,
      until: laterOnWall(wallTime(stage.clock.wall), millis(10 * MINUTE)),
      lasts: 'always',
    });
    stage.run(9 * MINUTE);
    expect(stage.state('web').name).toBe('stopped');
    stage.run(2 * MINUTE);
    expect(stage.happened('web', 'overrideEnded')).toHaveLength(1);
    expect(stage.state('web').name).toBe('running');
    expect(stage.service('web').restarts.total).toBe(0);
  });

  it('of a daemon that is just being looked for is done when it is found', () => {
    const stage = new Stage({ latency: () => 50 });
    const daemon = stage.bear('/usr/sbin/ssh', program());
    stage.add(watched());
    stage.ask('ssh', 'stop');
    stage.run(5000);
    expect(daemon.life).toBe('gone');
    expect(stage.state('ssh').name).toBe('stopped');
    expect(stage.spawns('ssh', 'start')).toBe(0);
  });
});

describe('an operator’s start', () => {
  it('brings up what the configuration wants down, and keeps it up', () => {
    const stage = Stage.with([supervised({ desired: 'down' })]);
    stage.run(MINUTE);
    expect(stage.spawns('web')).toBe(0);
    stage.ask('web', 'start');
    stage.run(MINUTE);
    stage.kill(stage.main('web'));
    stage.run(3000);
    expect(stage.state('web').name).toBe('running');
  });

  it('of what runs does nothing', () => {
    const stage = running();
    const from = stage.effects.length;
    stage.ask('web', 'start');
    stage.run(MINUTE);
    expect(acts(stage, from)).toEqual([]);
  });
});

describe('reset', () => {
  it('forgets failures and delays and tries now', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(1, 1)));
    stage.add(supervised({ restart: { then: 'give-up' } }));
    stage.runUntilState('web', 'failed');
    stage.host.install('/srv/web', program(lives));
    stage.ask('web', 'reset');
    stage.run(3000);
    expect(stage.state('web').name).toBe('running');
    expect(stage.service('web').restarts.window).toEqual([]);
  });

  it('starts nothing that is wanted down', () => {
    const stage = running();
    stage.ask('web', 'stop');
    stage.run(3000);
    stage.ask('web', 'reset');
    stage.run(MINUTE);
    expect(stage.state('web').name).toBe('stopped');
  });
});

describe('the host', () => {
  it('that goes down gets nothing started, and what runs is left to it', () => {
    const stage = Stage.with([supervised(), watched()]);
    stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program(lives)));
    stage.run(MINUTE);
    stage.turnHost('ending');
    const from = stage.effects.length;
    for (const process of stage.host.living()) stage.kill(process, 'SIGTERM');
    stage.run(MINUTE);
    expect(stage.effects.slice(from).filter(({ type }) => type === 'spawn')).toEqual([]);
    expect(stage.state('web')).toMatchObject({ name: 'waiting', for: 'shutdown' });
  });

  it('that is still booting gets nothing started until it has finished; what its own scripts started is found', () => {
    const stage = new Stage();
    stage.turnHost('booting');
    stage.add(supervised());
    stage.add(watched());
    stage.run(10_000);
    expect(stage.effects.filter(({ type }) => type === 'spawn')).toEqual([]);
    const daemon = stage.bear('/usr/sbin/ssh', program());
    stage.run(1000);
    stage.turnHost('up');
    stage.run(3000);
    expect(stage.state('ssh')).toMatchObject({ name: 'running', process: daemon.ref });
    expect(stage.spawns('ssh', 'start')).toBe(0);
    expect(stage.state('web').name).toBe('running');
  });
});
