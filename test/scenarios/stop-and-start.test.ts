import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../src/core/spec.js';
import { seconds } from '../../src/core/time.js';
import { command, ladder, rung, supervised, watched } from '../support/builders.js';
import {
  drains,
  ends,
  exitsAfter,
  forks,
  ignoresTerm,
  lives,
  program,
  readyAfter,
  sleepsInKernel,
  startsDaemon,
} from '../support/program.js';
import { Stage } from '../support/stage.js';

const MINUTE = 60_000;

function running(spec: ServiceSpec = supervised()): Stage {
  const stage = Stage.with([spec]);
  stage.runUntilState(spec.name, 'running');
  return stage;
}

describe('a restart', () => {
  it('asked for twice at once, with a start besides, leaves one process at every moment (supervisors 9)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(drains(300)));
    stage.add(supervised());
    stage.run(MINUTE);
    let most = 0;
    stage.onEffect = () => {
      most = Math.max(most, stage.mains('web').length);
    };
    stage.ask('web', 'restart');
    stage.ask('web', 'restart');
    stage.ask('web', 'start');
    for (let n = 0; n < 200; n++) {
      stage.run(10);
      most = Math.max(most, stage.mains('web').length);
    }
    expect(most).toBe(1);
    expect(stage.spawns('web')).toBe(2);
    expect(stage.state('web').name).toBe('running');
  });

  it('asked for in the middle of a start does not start beside it (supervisors 9)', () => {
    const stage = new Stage({ latency: () => 50 });
    stage.add(supervised());
    stage.ask('web', 'restart');
    stage.run(5000);
    expect(stage.spawns('web')).toBe(2);
    expect(stage.mains('web')).toHaveLength(1);
  });

  it('is not counted, and is told as requested', () => {
    const stage = running();
    stage.ask('web', 'restart');
    stage.run(2000);
    expect(stage.service('web').restarts).toMatchObject({ total: 0, window: [], streak: 0 });
    expect(stage.happened('web', 'died')).toHaveLength(0);
    expect(stage.service('web').lastDeath?.cause).toBe('requested');
  });

  it('asked for by the service itself is one like any other (supervisors 13)', () => {
    const stage = running();
    const old = stage.main('web');
    stage.post({
      type: 'asked',
      service: stage.service('web').spec.name,
      ask: { verb: 'restart', reason: null },
      by: { pid: old.ref.pid, name: 'web', uid: 0, user: 'root', grade: 'seen' },
    });
    stage.run(2000);
    expect(stage.main('web').ref).not.toEqual(old.ref);
  });

  it('of a watched daemon runs its own command where it has one, and no start beside it', () => {
    const stage = new Stage();
    const daemon = startsDaemon(['/usr/sbin/ssh'], program(lives));
    stage.host.install('/etc/init.d/ssh', daemon);
    stage.host.install('/etc/restart', Object.assign({}, daemon, { ends: { exe: '/usr/sbin/ssh', after: 2 } }));
    stage.add(watched({ restartCommand: command('/etc/restart ssh', 5000) }));
    stage.runUntilState('ssh', 'running');
    const old = stage.bearerOf('/usr/sbin/ssh');
    stage.ask('ssh', 'restart');
    stage.run(3000);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.bearerOf('/usr/sbin/ssh').ref).not.toEqual(old.ref);
    expect(stage.spawns('ssh', 'restart')).toBe(1);
    expect(stage.spawns('ssh', 'start')).toBe(1);
  });

  it('ends a start command that still goes on before its own command runs (supervisors 9)', () => {
    const stage = new Stage();
    const daemon = { after: 10, argv: ['/usr/sbin/ssh'], program: program(), pidFile: null };
    stage.host.install('/etc/init.d/ssh', program(lives, { daemons: [daemon] }));
    stage.host.install('/etc/restart', program(exitsAfter(30, 0), { daemons: [daemon] }, ends('/usr/sbin/ssh')));
    stage.add(watched({ restartCommand: command('/etc/restart ssh', 5000) }));
    stage.runUntilState('ssh', 'running');
    expect(stage.helpers('ssh', 'start')).toHaveLength(1);
    let beside = 0;
    stage.onEffect = (effect) => {
      if (effect.type === 'spawn' && effect.role === 'restart') beside = stage.helpers('ssh', 'start').length;
    };
    stage.ask('ssh', 'restart');
    stage.run(3000);
    expect(stage.spawns('ssh', 'restart')).toBe(1);
    expect(beside).toBe(0);
  });
});

describe('a stop', () => {
  it('is done only when the whole group is gone: a child that ignores SIGTERM is killed at the end of the wait (supervisors 10) (monitors 19)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(forks(program(ignoresTerm))));
    stage.add(supervised());
    stage.run(MINUTE);
    const { group } = stage.main('web');
    stage.ask('web', 'stop');
    stage.run(5000);
    expect(stage.mains('web')).toHaveLength(0);
    expect(stage.host.group(group)).toHaveLength(1);
    expect(stage.state('web').name).toBe('stopping');
    stage.run(6000);
    expect(stage.host.group(group)).toHaveLength(0);
    expect(stage.state('web').name).toBe('stopped');
  });

  it('climbs its ladder one rung after the other, to main or to the group as each says (monitors 19)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(ignoresTerm));
    stage.add(supervised({ stop: ladder(rung('SIGINT', 1000), rung('SIGTERM', 2000, 'group')) }));
    stage.run(MINUTE);
    stage.ask('web', 'stop');
    stage.run(500);
    expect(stage.signals('web')).toEqual(['SIGINT']);
    stage.run(1000);
    expect(stage.signals('web')).toEqual(['SIGINT', 'SIGTERM']);
    stage.run(2000);
    expect(stage.signals('web')).toEqual(['SIGINT', 'SIGTERM', 'SIGKILL']);
    expect(stage.state('web').name).toBe('stopped');
  });

  it('reaches a process that is stopped by SIGSTOP', () => {
    const stage = running();
    stage.kill(stage.main('web'), 'SIGSTOP');
    stage.ask('web', 'stop');
    stage.run(100);
    expect(stage.state('web').name).toBe('stopped');
    expect(stage.signals('web')).toEqual(['SIGTERM']);
  });

  it('in the middle of a launch is kept: what comes of the launch is ended (supervisors 11)', () => {
    const stage = new Stage({ latency: () => 100 });
    stage.add(supervised());
    stage.run(10);
    expect(stage.state('web')).toMatchObject({ name: 'starting', phase: 'launching' });
    stage.ask('web', 'stop');
    stage.run(2000);
    expect(stage.state('web').name).toBe('stopped');
    expect(stage.mains('web')).toHaveLength(0);
    expect(stage.spawns('web')).toBe(1);
  });

  it('while readiness is waited for ends the process (supervisors 11)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(readyAfter(null)));
    stage.add(supervised({ ready: { probe: { type: 'port', host: '127.0.0.1', port: 80 }, timeout: seconds(30) } }));
    stage.run(1000);
    stage.ask('web', 'stop');
    stage.run(1000);
    expect(stage.state('web').name).toBe('stopped');
    expect(stage.happened('web', 'startFailed')).toHaveLength(0);
  });

  it('while a start command runs ends what comes of it (supervisors 11)', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program(lives), { after: 500, exit: 600 }));
    stage.add(watched());
    stage.run(100);
    stage.ask('ssh', 'stop');
    stage.run(5000);
    expect(stage.state('ssh').name).toBe('stopped');
    expect(stage.host.living()).toHaveLength(0);
    expect(stage.spawns('ssh', 'start')).toBe(1);
  });

  it('does not wait for a start command that hangs (supervisors 11)', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', program(lives));
    stage.add(watched());
    stage.run(100);
    stage.ask('ssh', 'stop');
    stage.run(30_000);
    expect(stage.state('ssh').name).toBe('stopped');
    expect(stage.host.living()).toHaveLength(0);
  });

  it('of a process that hangs in the kernel is reported as stuck, and starts no second one (supervisors 11) (monitors 19)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(sleepsInKernel), program(lives));
    stage.add(supervised());
    stage.run(MINUTE);
    const stuck = stage.main('web');
    stage.ask('web', 'restart');
    stage.run(10 * MINUTE);
    expect(stage.happened('web', 'stuck')).toHaveLength(1);
    expect(stage.spawns('web')).toBe(1);
    stage.host.release(stuck);
    stage.run(2000);
    expect(stage.state('web').name).toBe('running');
    expect(stage.spawns('web')).toBe(2);
  });

  it('of a watched daemon is SIGTERM to the main process alone, and nothing more by itself', () => {
    const stage = new Stage();
    const main = stage.bear('/usr/sbin/ssh', program(ignoresTerm, forks(program(lives))));
    stage.add(watched());
    stage.runUntilState('ssh', 'running');
    stage.ask('ssh', 'stop');
    stage.run(5 * MINUTE);
    expect(stage.signals('ssh')).toEqual(['SIGTERM']);
    expect(main.life).toBe('alive');
    expect(stage.host.group(main.group).at(-1)?.received).toEqual([]);
    expect(stage.state('ssh')).toMatchObject({ name: 'stopping', phase: 'stuck' });
  });

  it('of a watched daemon runs its stop command where it has one', () => {
    const stage = new Stage();
    stage.bear('/usr/sbin/ssh', program());
    stage.host.install('/etc/stop', program(exitsAfter(30, 0), ends('/usr/sbin/ssh')));
    stage.add(watched({ stop: { type: 'command', command: command('/etc/stop ssh', 5000) } }));
    stage.runUntilState('ssh', 'running');
    stage.ask('ssh', 'stop');
    stage.run(1000);
    expect(stage.state('ssh').name).toBe('stopped');
    expect(stage.signals('ssh')).toEqual([]);
  });

  it('and then a start in the same moment ends in one running process (supervisors 9)', () => {
    const stage = running();
    stage.ask('web', 'stop');
    stage.ask('web', 'start');
    stage.run(3000);
    expect(stage.state('web').name).toBe('running');
    expect(stage.mains('web')).toHaveLength(1);
  });
});

describe('leftovers of the former run', () => {
  it('are ended before the next start, which waits for them (supervisors 12)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(forks(program(ignoresTerm))), program(lives));
    stage.add(supervised({ leftovers: 'stop' }));
    stage.run(MINUTE);
    const old = stage.main('web');
    stage.kill(old);
    stage.run(5000);
    expect(stage.state('web')).toMatchObject({ name: 'waiting', for: 'leftovers' });
    expect(stage.spawns('web')).toBe(1);
    stage.run(7000);
    expect(stage.host.group(old.group)).toHaveLength(0);
    expect(stage.state('web').name).toBe('running');
  });

  it('that hang in the kernel are reported as stuck, and no second run is started beside them (supervisors 11) (supervisors 12)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(forks(program(sleepsInKernel))), program(lives));
    stage.add(supervised());
    stage.run(MINUTE);
    const old = stage.main('web');
    const [, child] = stage.host.group(old.group);
    stage.kill(old);
    stage.run(5 * MINUTE);
    expect(stage.happened('web', 'stuck')).toHaveLength(1);
    expect(stage.spawns('web')).toBe(1);
    if (child === undefined) throw new Error('no child');
    stage.host.release(child);
    stage.run(2000);
    expect(stage.state('web').name).toBe('running');
  });
});

describe('a changed definition', () => {
  it('stops the old process by the old rules and starts the new one by the new (supervisors 13)', () => {
    const stage = running(supervised({ stop: ladder(rung('SIGINT', 1000)) }));
    const spec = supervised({ run: '/srv/web --new', stop: ladder(rung('SIGQUIT', 1000)) });
    stage.post({ type: 'changed', service: spec.name, spec });
    stage.run(3000);
    expect(stage.signals('web')).toEqual(['SIGINT']);
    expect(stage.main('web').argv).toEqual(['/srv/web', '--new']);
    stage.ask('web', 'stop');
    expect(stage.signals('web')).toEqual(['SIGINT', 'SIGQUIT']);
  });

  it('that changes only words touches no process (monitors 35)', () => {
    const stage = running();
    const old = stage.main('web').ref;
    const spec = supervised({ description: 'the web' });
    stage.post({ type: 'changed', service: spec.name, spec });
    stage.run(MINUTE);
    expect(stage.main('web').ref).toEqual(old);
    expect(stage.service('web').spec.description).toBe('the web');
    expect(stage.spawns('web')).toBe(1);
  });

  it('that removes a supervised service stops it and forgets it; a watched daemon is left alone', () => {
    const stage = Stage.with([supervised()]);
    const daemon = stage.bear('/usr/sbin/ssh', program());
    stage.add(watched());
    stage.runUntilState('ssh', 'running');
    for (const name of ['web', 'ssh']) stage.post({ type: 'removed', service: stage.service(name).spec.name });
    stage.run(2000);
    expect([...stage.keeper.services.keys()]).toEqual([]);
    expect(stage.journal.load()).toEqual([]);
    expect(stage.host.living()).toEqual([daemon]);
  });
});
