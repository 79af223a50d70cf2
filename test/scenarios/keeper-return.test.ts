import { describe, expect, it } from 'vitest';
import { describeDeath } from '../../src/core/death.js';
import { seconds } from '../../src/core/time.js';
import { command, ladder, rung, supervised, watched } from '../support/builders.js';
import { ends, exitsAfter, forks, ignoresTerm, lives, program, readyAfter, startsDaemon } from '../support/program.js';
import { Stage } from '../support/stage.js';

const MINUTE = 60_000;
const both = [supervised(), watched()];

function stageWithBoth(): Stage {
  const stage = new Stage();
  stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program(lives)));
  for (const spec of both) stage.add(spec);
  stage.run(MINUTE);
  return stage;
}

/** kill -9, and a new keeper that long afterwards. */
function away(stage: Stage, length: number): void {
  stage.killKeeper();
  stage.run(length);
  stage.startKeeper();
}

describe('a keeper that was killed and comes back', () => {
  it('finds the same processes and starts no second copy (supervisors 32) (monitors 6)', () => {
    const stage = stageWithBoth();
    const before = stage.host.living().map(({ ref }) => ref);
    const generations = both.map(({ name }) => stage.service(name).generation);
    away(stage, 10_000);
    stage.run(MINUTE);
    expect(stage.host.living().map(({ ref }) => ref)).toEqual(before);
    expect(both.map(({ name }) => stage.service(name).generation)).toEqual(generations);
    for (const { name } of both) expect(stage.state(name).name).toBe('running');
  });

  it('keeps what it was told: counts, last death and history (supervisors 32) (monitors 6)', () => {
    const stage = stageWithBoth();
    stage.kill(stage.main('web'));
    stage.run(5000);
    const { restarts, lastDeath } = stage.service('web');
    expect(restarts.total).toBe(1);
    away(stage, 1000);
    expect(stage.service('web').restarts).toEqual(restarts);
    expect(stage.service('web').lastDeath).toEqual(lastDeath);
  });

  it('answers a death that happened meanwhile, and says that nobody was there (supervisors 32)', () => {
    const stage = stageWithBoth();
    stage.killKeeper();
    stage.kill(stage.main('web'));
    stage.run(1000);
    stage.startKeeper();
    stage.run(3000);
    const death = stage.service('web').lastDeath;
    expect(death).toMatchObject({ whileAway: 'yes', cause: 'gone' });
    expect(death === null ? '' : describeDeath(death)).toBe('ended, nobody saw how, while the keeper was away');
    expect(stage.state('web').name).toBe('running');
    expect(stage.service('web').restarts.total).toBe(1);
  });

  it('goes on seeing deaths of processes that it did not start itself', () => {
    const stage = stageWithBoth();
    away(stage, 1000);
    stage.run(MINUTE);
    stage.kill(stage.main('web'));
    stage.kill(stage.bearerOf('/usr/sbin/ssh'));
    stage.run(10);
    expect(stage.spawns('web')).toBe(2);
    expect(stage.spawns('ssh', 'start')).toBe(2);
  });

  it('waits on with a back-off where it was (monitors 6)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(1, 1)));
    stage.add(supervised());
    stage.runUntil(() => stage.spawns('web') === 8 && stage.state('web').name === 'backoff');
    const { state, restarts } = stage.service('web');
    away(stage, 1000);
    expect(stage.service('web').restarts).toEqual(restarts);
    expect(stage.state('web')).toEqual(state);
    expect(stage.spawns('web')).toBe(8);
    stage.runUntil(() => stage.spawns('web') === 9);
  });

  it('does not forget that the limit was reached (monitors 6)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(1, 1)));
    stage.add(supervised({ restart: { then: 'give-up' } }));
    stage.runUntilState('web', 'failed');
    away(stage, 1000);
    stage.run(10 * MINUTE);
    expect(stage.state('web').name).toBe('failed');
    expect(stage.spawns('web')).toBe(11);
  });

  it('does not start what an operator had stopped, nor touch what is on hold (monitors 18)', () => {
    const stage = stageWithBoth();
    stage.ask('web', 'stop');
    stage.ask('ssh', 'hold');
    stage.run(5000);
    stage.kill(stage.bearerOf('/usr/sbin/ssh'));
    away(stage, 5000);
    const effects = stage.effects.length;
    stage.run(10 * MINUTE);
    expect(stage.state('web').name).toBe('stopped');
    expect(stage.effects.slice(effects).filter(({ type }) => type === 'spawn' || type === 'signal')).toEqual([]);
  });

  it('does not take another process for the service’s when the PID was used again', () => {
    const stage = new Stage({ pids: 4, inodes: 'no' });
    stage.add(supervised());
    stage.run(MINUTE);
    const old = stage.main('web');
    stage.killKeeper();
    stage.kill(old);
    stage.run(100);
    let stranger = stage.bear('/bin/other', program());
    while (stranger.ref.pid !== old.ref.pid) {
      stage.kill(stranger);
      stranger = stage.bear('/bin/other', program());
    }
    stage.startKeeper();
    stage.run(5000);
    expect(stage.state('web').name).toBe('running');
    expect(stage.main('web').ref).not.toEqual(stranger.ref);
    expect(stranger.received).toEqual([]);
  });
});

describe('a keeper that is killed in the middle of', () => {
  // Every call of a port on the way is a place to die at: before the record, between the record and an effect, between two effects.
  const places = Array.from({ length: 12 }, (_, index) => index + 1);

  it.each(places)(
    'a restart (after call %i of its ports) leaves one process of each, and it is known (supervisors 32) (supervisors 9)',
    (calls) => {
      const stage = new Stage({ latency: () => -1 });
      stage.host.install('/srv/web', program(forks(program(ignoresTerm))));
      stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program(lives)));
      for (const spec of both) stage.add(spec);
      stage.run(MINUTE);
      stage.killKeeperAfter(calls);
      stage.kill(stage.main('web'));
      stage.kill(stage.bearerOf('/usr/sbin/ssh'));
      stage.run(500);
      if (stage.keeperLives === 'no') stage.startKeeper();
      else stage.cutFuse();
      stage.run(MINUTE);
      expect(stage.main('web').ref).toEqual(
        'process' in stage.state('web') ? (stage.state('web') as { process: unknown }).process : null,
      );
      expect(stage.state('ssh')).toMatchObject({ name: 'running', process: stage.bearerOf('/usr/sbin/ssh').ref });
    },
  );

  it.each(places)('a stop (after call %i of its ports) stops in the end (supervisors 32)', (calls) => {
    const stage = new Stage({ latency: () => -1 });
    stage.host.install('/srv/web', program(ignoresTerm, forks(program(ignoresTerm))));
    stage.add(supervised());
    stage.run(MINUTE);
    stage.killKeeperAfter(calls);
    stage.ask('web', 'stop');
    stage.run(15_000);
    const wasTold = stage.journal.of('web')?.override !== null;
    if (stage.keeperLives === 'no') stage.startKeeper();
    else stage.cutFuse();
    if (!wasTold) stage.ask('web', 'stop');
    stage.run(MINUTE);
    expect(stage.state('web').name).toBe('stopped');
    expect(stage.host.living()).toEqual([]);
  });

  it('a start command knows it again, and its daemon (supervisors 32)', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program(lives), { after: 2000, exit: 3000 }));
    stage.add(watched());
    stage.run(1000);
    away(stage, 500);
    stage.run(5000);
    expect(stage.spawns('ssh', 'start')).toBe(1);
    expect(stage.state('ssh').name).toBe('running');
  });

  it('a start command that does its work meanwhile does not run it twice (supervisors 32)', () => {
    const stage = new Stage({ latency: () => 5 });
    stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program(lives)));
    stage.add(watched());
    stage.run(6);
    expect(stage.spawns('ssh', 'start')).toBe(1);
    away(stage, 5000);
    stage.run(5000);
    expect(stage.spawns('ssh', 'start')).toBe(1);
    expect(stage.state('ssh').name).toBe('running');
  });

  it('a wait for readiness gives the service its time anew', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(readyAfter(12_000)));
    stage.add(supervised({ ready: { probe: { type: 'port', host: '127.0.0.1', port: 80 }, timeout: seconds(5) } }));
    stage.run(1000);
    away(stage, 10_000);
    stage.run(4000);
    expect(stage.state('web').name).toBe('running');
    expect(stage.spawns('web')).toBe(1);
  });

  it('a stop command runs it again when nothing is left of it', () => {
    const stage = new Stage({ latency: () => 5 });
    stage.bear('/usr/sbin/ssh', program());
    stage.host.install('/etc/stop', program(exitsAfter(30, 1)), program(exitsAfter(30, 0), ends('/usr/sbin/ssh')));
    stage.add(watched({ stop: { type: 'command', command: command('/etc/stop ssh', 5000) } }));
    stage.runUntilState('ssh', 'running');
    stage.ask('ssh', 'stop');
    stage.run(2);
    away(stage, 1000);
    stage.run(2000);
    expect(stage.state('ssh').name).toBe('stopped');
  });
});

it('a keeper that ends takes its supervised services with it and leaves watched daemons alone', () => {
  const stage = stageWithBoth();
  for (const { name } of both) stage.post({ type: 'keeperEnded', service: name });
  stage.run(5000);
  expect(stage.host.living().map(({ exe }) => exe)).toEqual(['/usr/sbin/ssh']);
});

it('what is older than a daemon that died while the keeper was away is not it: it is started again', () => {
  const stage = new Stage();
  const first = stage.bear('/usr/sbin/ssh', program(forks(program(lives), program(lives))));
  stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program()));
  stage.add(watched());
  stage.runUntilState('ssh', 'running');
  stage.kill(first);
  stage.runUntil(() => stage.spawns('ssh', 'start') === 1 && stage.state('ssh').name === 'running');
  const { state } = stage.service('ssh');
  if (state.name !== 'running') throw new Error('it does not run');
  stage.killKeeper();
  stage.kill(state.process);
  stage.startKeeper();
  stage.runUntil(() => stage.spawns('ssh', 'start') === 2 && stage.state('ssh').name === 'running');
});

it('a stranger that has the number in the pid file of a daemon that died meanwhile is not it (supervisors 32)', () => {
  const stage = new Stage({ pids: 3 });
  const file = '/run/ssh.pid';
  stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program(), { pidFile: file }));
  stage.add(watched({ pattern: { by: { type: 'pidFile' }, pidFile: file } }));
  stage.runUntilState('ssh', 'running');
  const { state } = stage.service('ssh');
  if (state.name !== 'running') throw new Error('it does not run');
  const { pid } = state.process;
  stage.killKeeper();
  stage.kill(state.process);
  let stranger = stage.bear('/usr/bin/other', program());
  for (; stranger.ref.pid !== pid; stranger = stage.bear('/usr/bin/other', program())) stage.kill(stranger);
  stage.startKeeper();
  stage.runUntil(() => stage.spawns('ssh', 'start') === 2 && stage.state('ssh').name === 'running');
  expect(stage.state('ssh')).not.toMatchObject({ process: stranger.ref });
  expect(stranger).toMatchObject({ life: 'alive', received: [] });
});

it('a stop goes on where it was: a rung lasts as long as it was to, and no shorter for the keeper’s death', () => {
  const stage = new Stage();
  stage.host.install('/srv/web', program(ignoresTerm));
  stage.add(supervised({ stop: ladder(rung('SIGTERM', 60_000)) }));
  stage.runUntilState('web', 'running');
  stage.ask('web', 'stop');
  stage.run(1000);
  away(stage, 1000);
  stage.run(50_000);
  expect(stage.signals('web')).not.toContain('SIGKILL');
  stage.runUntilState('web', 'stopped', 20_000);
  expect(stage.signals('web').at(-1)).toBe('SIGKILL');
});

it('a rung that was over while nobody was there is given a moment before the next', () => {
  const stage = new Stage();
  stage.host.install('/srv/web', program(ignoresTerm));
  stage.add(supervised({ stop: ladder(rung('SIGTERM', 2000)) }));
  stage.runUntilState('web', 'running');
  stage.ask('web', 'stop');
  away(stage, 60_000);
  stage.run(1500);
  expect(stage.signals('web')).not.toContain('SIGKILL');
  stage.runUntilState('web', 'stopped', 5000);
});

describe('what somebody else brought up while the keeper was away is found before its start command is run', () => {
  const returned = (stage: Stage): void => {
    stage.killKeeper();
    stage.run(60_000);
    stage.bear('/usr/sbin/ssh', program());
    stage.startKeeper();
    stage.run(10_000);
    expect(stage.state('ssh').name).toBe('running');
  };

  it('after its time to come back by itself', () => {
    const stage = new Stage({ latency: () => 400 });
    const daemon = stage.bear('/usr/sbin/ssh', program());
    stage.add(watched());
    stage.runUntilState('ssh', 'running');
    stage.kill(daemon, 'SIGTERM');
    stage.runUntilState('ssh', 'waiting');
    returned(stage);
    expect(stage.spawns('ssh', 'start')).toBe(0);
  });

  it('after a delay', () => {
    const stage = new Stage({ latency: () => 400 });
    stage.host.install('/etc/init.d/ssh', program(exitsAfter(10, 1)));
    stage.add(watched({ restart: { delay: seconds(20) } }));
    stage.runUntilState('ssh', 'backoff');
    const spawned = stage.spawns('ssh', 'start');
    returned(stage);
    expect(stage.spawns('ssh', 'start')).toBe(spawned);
  });

  it('after the boot that it waited for', () => {
    const stage = new Stage({ latency: () => 400 });
    stage.turnHost('booting');
    stage.add(watched());
    stage.runUntilState('ssh', 'waiting');
    stage.killKeeper();
    stage.turnHost('up');
    stage.bear('/usr/sbin/ssh', program());
    stage.startKeeper();
    stage.run(10_000);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.spawns('ssh', 'start')).toBe(0);
  });

  it('and when there is nothing it is run', () => {
    const stage = new Stage({ latency: () => 400 });
    stage.turnHost('booting');
    stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program()));
    stage.add(watched());
    stage.runUntilState('ssh', 'waiting');
    stage.killKeeper();
    stage.turnHost('up');
    stage.startKeeper();
    stage.runUntilState('ssh', 'running', 10_000);
    expect(stage.spawns('ssh', 'start')).toBe(1);
  });
});
