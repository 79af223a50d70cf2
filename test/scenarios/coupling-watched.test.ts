// Coupling over both kinds: daemons of others need ours and ours need theirs. What counts as an end of a watched daemon, and when.

import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../src/core/spec.js';
import { millis, seconds } from '../../src/core/time.js';
import { command, supervised, watched } from '../support/builders.js';
import { drains, exitsAfter, lives, program, readyAfter, startsDaemon } from '../support/program.js';
import { Stage } from '../support/stage.js';
import { actsSince, isUntouched, settle, waveIds, waves } from '../support/troupe.js';

const PID_FILE = '/run/db.pid';
const EXE = '/usr/sbin/db';

/** db is a daemon of somebody else's, with a pid file; the others are ours, and need it. */
function standing(others: readonly ServiceSpec[], wish: Parameters<typeof watched>[0] = {}): Stage {
  const stage = new Stage();
  stage.host.install('/etc/init.d/db', startsDaemon([EXE], program(lives), { pidFile: PID_FILE }));
  const daemon = stage.bear(EXE, program());
  stage.host.writePidFile(PID_FILE, String(daemon.ref.pid));
  const db = watched({ name: 'db', pattern: { pidFile: PID_FILE }, ...wish });
  stage.addAll([...others, db]);
  settle(stage, ['db', ...others.map(({ name }) => name)]);
  stage.run(60_000);
  return stage;
}

const app = supervised({ name: 'app', needs: ['db'] });
const helper = supervised({ name: 'helper', restartWith: ['db'] });

function rests(stage: Stage): void {
  stage.run(60_000);
  for (const { spec, state, wave } of stage.keeper.services.values()) {
    expect([spec.name, state.name]).toEqual([spec.name, 'running']);
    expect(wave).toBeNull();
  }
  expect(stage.problems).toEqual([]);
}

describe('a watched daemon that others are coupled to', () => {
  it('takes them with it when it is killed, and they come back after it, uncharged (supervisors 25)', () => {
    const stage = standing([app, helper]);
    const effects = stage.effects.length;
    stage.kill(stage.bearerOf(EXE));
    rests(stage);
    const acts = actsSince(stage, effects);
    expect(acts.indexOf('start db')).toBeLessThan(acts.indexOf('start app'));
    expect(acts.indexOf('start helper')).toBeLessThan(acts.indexOf('start db'));
    expect(['app', 'helper'].map((name) => stage.spawns(name))).toEqual([2, 2]);
    expect(stage.service('app').restarts.total).toBe(0);
  });

  it('moves nobody in the time in which a polite end may heal, and all when it has not', () => {
    const stage = standing([app]);
    const main = stage.main('app');
    stage.host.end(stage.bearerOf(EXE), { type: 'exited', code: 0 });
    stage.run(4_900);
    expect(stage.state('db')).toMatchObject({ name: 'waiting', for: 'settle' });
    expect(isUntouched(stage, 'app', main)).toBe(true);
    stage.run(200);
    expect(main.received).toContain('SIGTERM');
    rests(stage);
  });

  it('moves nobody when it hands over to another process', () => {
    const stage = standing([app, helper]);
    const mains = ['app', 'helper'].map((name) => stage.main(name));
    const old = stage.bearerOf(EXE);
    const next = stage.bear(EXE, program());
    stage.host.writePidFile(PID_FILE, String(next.ref.pid));
    stage.host.end(old, { type: 'exited', code: 0 });
    rests(stage);
    expect(stage.happened('db', 'handedOver')).toHaveLength(1);
    expect(waves(stage)).toEqual([]);
    expect(isUntouched(stage, 'app', mains[0] as never)).toBe(true);
    expect(isUntouched(stage, 'helper', mains[1] as never)).toBe(true);
  });

  it('was away, also when somebody else brings it back before we do: that end counts, once', () => {
    const stage = standing([app, helper], { pattern: { pidFile: null } });
    stage.host.end(stage.bearerOf(EXE), { type: 'exited', code: 0 });
    stage.run(3_000);
    stage.bear(`${EXE} --other`, program());
    rests(stage);
    expect(stage.happened('db', 'cameBack')).toHaveLength(1);
    expect(['app', 'helper'].map((name) => stage.spawns(name))).toEqual([2, 2]);
    expect(waves(stage)).toHaveLength(1);
    // And the next end begins another.
    stage.kill(stage.bearerOf(EXE));
    rests(stage);
    expect(['app', 'helper'].map((name) => stage.spawns(name))).toEqual([3, 3]);
  });

  it('leaves patient ones alone when somebody else brings it back', () => {
    const patient = supervised({ name: 'app', needs: [{ service: 'db', grace: seconds(5) }] });
    const stage = standing([patient], { pattern: { pidFile: null } });
    const main = stage.main('app');
    stage.host.end(stage.bearerOf(EXE), { type: 'exited', code: 0 });
    stage.run(3_000);
    stage.bear(`${EXE} --other`, program());
    rests(stage);
    expect(isUntouched(stage, 'app', main)).toBe(true);
    expect(stage.service('app').missing).toEqual([]);
  });

  it('is restarted by its own restart command after those that need it are down, and they come back, once', () => {
    const stage = standing([app, helper], { restartCommand: command('/etc/restart.d/db', 5_000) });
    stage.host.install(
      '/etc/restart.d/db',
      Object.assign({}, startsDaemon([EXE], program(lives), { pidFile: PID_FILE }), { ends: { exe: EXE, after: 2 } }),
    );
    stage.host.install('/srv/app', program(drains(500)));
    stage.ask('app', 'restart');
    rests(stage);
    stage.ask('db', 'restart');
    stage.run(400);
    expect(stage.spawns('db', 'restart')).toBe(0);
    rests(stage);
    expect(stage.spawns('db', 'restart')).toBe(1);
    expect(stage.spawns('app')).toBe(3);
    expect(stage.spawns('helper')).toBe(2);
    // The wave is over: the next end begins another.
    stage.kill(stage.bearerOf(EXE));
    rests(stage);
    expect(stage.spawns('app')).toBe(4);
    expect(stage.spawns('helper')).toBe(3);
  });
});

describe('a watched daemon whose start command ends after it is ready', () => {
  it('was not reloaded by that: nobody is restarted for it', () => {
    const keen = supervised({ name: 'app', needs: [{ service: 'db', onReload: 'restart' }] });
    const stage = standing([keen], { ready: { probe: { type: 'alive', for: millis(0) } } });
    stage.host.install('/etc/init.d/db', startsDaemon([EXE], program(lives), { pidFile: PID_FILE, exit: 500 }));
    stage.kill(stage.bearerOf(EXE));
    rests(stage);
    expect(stage.happened('db', 'reloaded')).toEqual([]);
    expect(stage.spawns('app')).toBe(2);
  });
});

describe('a watched daemon with a restart command', () => {
  it('is stopped, and started in its turn, where what it needs is restarted with it', () => {
    const stage = new Stage();
    stage.host.install('/srv/db', program(drains(300), readyAfter(20)));
    stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program(lives)));
    stage.bear('/usr/sbin/ssh', program());
    const restartCommand = command('/etc/restart.d/ssh', 5_000);
    stage.addAll([watched({ needs: ['db'], restartCommand }), supervised({ name: 'db' })]);
    settle(stage, ['ssh', 'db']);
    stage.run(60_000);
    const effects = stage.effects.length;
    stage.askAll(['ssh', 'db'], 'restart');
    rests(stage);
    expect(actsSince(stage, effects)).toEqual(['SIGTERM ssh', 'SIGTERM db', 'start db', 'start ssh']);
    expect(stage.spawns('ssh', 'restart')).toBe(0);
  });
});

describe('a watched daemon that needs ours', () => {
  it('is stopped before ours gets its signal, and started by its start command when ours is back', () => {
    const stage = new Stage();
    stage.host.install('/srv/db', program(lives, readyAfter(20)));
    stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program(lives)));
    stage.bear('/usr/sbin/ssh', program(drains(300)));
    stage.addAll([watched({ needs: ['db'] }), supervised({ name: 'db' })]);
    settle(stage, ['ssh', 'db']);
    stage.run(60_000);
    const effects = stage.effects.length;
    stage.ask('db', 'restart');
    rests(stage);
    expect(actsSince(stage, effects)).toEqual(['SIGTERM ssh', 'SIGTERM db', 'start db', 'start ssh']);
    expect(waveIds(stage)).toHaveLength(1);
  });

  it('that waits for ours and is brought up by another hand is taken as it is', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program(lives)));
    stage.addAll([watched({ needs: ['db'] }), supervised({ name: 'db', desired: 'down' })]);
    stage.run(5_000);
    expect(stage.state('ssh')).toMatchObject({ name: 'waiting', for: 'turn' });
    stage.bear('/usr/sbin/ssh', program());
    stage.run(1_000);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.spawns('ssh', 'start')).toBe(0);
  });
});

describe('a watched daemon whose start is broken off, to be started anew', () => {
  const atOnce = { probe: { type: 'alive', for: millis(0) } } as const;

  /** Up, killed, and its start command runs again. There are never two of it from then on. */
  function beginsAgain(stage: Stage, wish: Parameters<typeof watched>[0] = {}): void {
    stage.addAll([supervised({ name: 'disk', ready: atOnce }), watched({ name: 'db', needs: ['disk'], ...wish })]);
    settle(stage, ['disk', 'db']);
    const starts = stage.spawns('db', 'start');
    stage.host.onChange(() => expect(stage.host.living().filter(({ exe }) => exe === EXE).length).toBeLessThan(2));
    stage.host.removePidFile(PID_FILE);
    stage.kill(stage.bearerOf(EXE));
    stage.runUntil(() => stage.spawns('db', 'start') > starts);
  }

  it('is looked for after its start command has ended, and ended before it is started anew', () => {
    // A look that was taken before the daemon was there would arrive after the command that brought it up has ended.
    const stage = new Stage({ latency: (type) => (type === 'looked' ? 200 : 1) });
    stage.host.install('/etc/init.d/db', startsDaemon([EXE], program(lives), { after: 10, exit: 30 }));
    beginsAgain(stage);
    const starts = stage.spawns('db', 'start');
    stage.kill(stage.main('disk'));
    rests(stage);
    expect(stage.spawns('db', 'start')).toBe(starts + 1);
  });

  const late = startsDaemon([EXE], program(lives), { after: 10, exit: 30, pidFile: PID_FILE, pidFileAfter: 2_000 });
  const byPidFile = { pattern: { by: { type: 'pidFile' }, pidFile: PID_FILE } } as const;

  it.each([
    ['the end of what it needs', 5, (stage: Stage) => stage.kill(stage.main('disk'))],
    ['the end of what it needs', 500, (stage: Stage) => stage.kill(stage.main('disk'))],
    ["an operator's restart", 5, (stage: Stage) => stage.ask('db', 'restart')],
    ["an operator's restart", 500, (stage: Stage) => stage.ask('db', 'restart')],
  ] as const)('is waited for until it writes its pid file: %s after %i ms', (_, after, breakOff) => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/db', late);
    beginsAgain(stage, byPidFile);
    const starts = stage.spawns('db', 'start');
    stage.run(after);
    breakOff(stage);
    rests(stage);
    expect(stage.spawns('db', 'start')).toBe(starts + 1);
  });

  it('is started anew when nothing came of it in its time', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/db', late, program(exitsAfter(30, 0)), late);
    beginsAgain(stage, byPidFile);
    const starts = stage.spawns('db', 'start');
    stage.kill(stage.main('disk'));
    stage.run(29_000);
    expect(stage.spawns('db', 'start')).toBe(starts);
    rests(stage);
    expect(stage.spawns('db', 'start')).toBe(starts + 1);
  });

  it('is unknown, and started no third time, when two are there that could be it', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/db', startsDaemon([EXE], program(lives)), program(exitsAfter(30, 0)));
    stage.addAll([supervised({ name: 'disk', ready: atOnce }), watched({ name: 'db', needs: ['disk'] })]);
    settle(stage, ['disk', 'db']);
    const starts = stage.spawns('db', 'start');
    stage.kill(stage.bearerOf(EXE));
    stage.runUntil(() => stage.spawns('db', 'start') > starts);
    stage.kill(stage.main('disk'));
    for (const _ of ['one', 'other']) stage.bear(EXE, program());
    stage.run(60_000);
    expect(stage.state('db')).toMatchObject({ name: 'unknown', why: { type: 'ambiguous' } });
    expect(stage.spawns('db', 'start')).toBe(starts + 1);
  });

  it('does not keep waiting an operator who stops it', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/db', late, program(exitsAfter(30, 0)));
    beginsAgain(stage, byPidFile);
    stage.ask('db', 'restart');
    stage.run(100);
    expect(stage.state('db')).toMatchObject({ name: 'stopping', phase: 'finding' });
    stage.ask('db', 'stop');
    stage.run(100);
    expect(stage.state('db').name).toBe('stopped');
  });
});
