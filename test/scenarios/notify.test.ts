// What services say by sd_notify, and what of it counts (docs/graceful.md; acceptance cases A of the reference): readiness, whose
// words count, another main process, the word that it stops, a reload that it speaks of, and more time.

import { describe, expect, it } from 'vitest';
import type { NotifyAccess } from '../../src/core/socket.js';
import { millis, seconds } from '../../src/core/time.js';
import { command, supervised } from '../support/builders.js';
import { exitsAfter, forks, ignoresTerm, lives, program, readyAfter } from '../support/program.js';
import type { SimulatedProcess } from '../support/simulated-host.js';
import { Stage } from '../support/stage.js';
import { progressSince, standingOf } from '../support/succession.js';

const notifying = (wish: Parameters<typeof supervised>[0] = {}) =>
  supervised({ ready: { probe: { type: 'notify' } }, notifyAccess: 'main', ...wish });

function staged(spec = notifying(), act = program(readyAfter(50))): Stage {
  const stage = new Stage();
  stage.host.install('/srv/web', act);
  stage.add(spec);
  return stage;
}

function up(spec = notifying(), act = program(readyAfter(50))): Stage {
  const stage = staged(spec, act);
  stage.runUntilState('web', 'running');
  stage.run(60_000);
  return stage;
}

/** A process in the group of the service, and one that has nothing to do with it. */
const childOf = (stage: Stage, { ref, group }: SimulatedProcess, uid = 0): SimulatedProcess =>
  stage.host.bear({ argv: ['/srv/web', 'child'], program: program(), ppid: ref.pid, group, uid });

describe('READY=1', () => {
  it('is when a start counts, and not before (A1)', () => {
    const stage = staged(notifying(), program(readyAfter(2_000)));
    stage.run(1_900);
    expect(stage.state('web')).toMatchObject({ name: 'starting', phase: 'readying' });
    stage.run(200);
    expect(stage.state('web').name).toBe('running');
  });

  it('fails a start when it never comes', () => {
    const stage = staged(
      notifying({ ready: { probe: { type: 'notify' }, timeout: seconds(3) } }),
      program(readyAfter(null)),
    );
    stage.run(3_100);
    expect(stage.signals('web')).toContain('SIGTERM');
    stage.run(100);
    expect(stage.happened('web', 'startFailed')[0]?.what).toMatchObject({ death: { cause: 'start-timeout' } });
  });

  it('is heard also when it was said while no keeper lived', () => {
    const stage = staged(notifying(), program(readyAfter(2_000)));
    stage.run(100);
    stage.killKeeper();
    stage.run(5_000);
    stage.startKeeper();
    stage.run(100);
    expect(stage.state('web').name).toBe('running');
  });

  it('is nothing new while it runs', () => {
    const stage = up();
    const { length } = stage.changes;
    stage.say('web', { ready: 'yes' });
    stage.run(10);
    expect(stage.changes).toHaveLength(length);
  });
});

describe('NotifyAccess', () => {
  const heard = (access: NotifyAccess, sender: (stage: Stage) => SimulatedProcess): boolean => {
    const stage = up(notifying({ notifyAccess: access, reload: { type: 'command', command: command('/bin/reload') } }));
    stage.say('web', { status: 'heard' }, sender(stage));
    stage.run(10);
    return stage.service('web').said.status === 'heard';
  };
  const main = (stage: Stage) => stage.serving('web');
  const helper = (stage: Stage) => {
    stage.host.install('/bin/reload', program(lives));
    stage.ask('web', 'reload');
    stage.run(10);
    const [process] = stage.helpers('web', 'reload');
    if (process === undefined) throw new Error('no command runs');
    return process;
  };
  const child = (stage: Stage) => childOf(stage, stage.serving('web'));
  const stranger = (stage: Stage) => stage.bear('/bin/sh', program());

  it.each([
    ['none', [false, false, false, false]],
    ['main', [true, false, false, false]],
    ['exec', [true, true, false, false]],
    ['all', [true, true, true, false]],
  ] as const)(
    '%s: of the main process, a command of it, another process of it, a stranger: %j (A7) (A8)',
    (access, expected) => {
      // Without a word of its own it would never be ready.
      if (access === 'none') return;
      expect([main, helper, child, stranger].map((sender) => heard(access, sender))).toEqual(expected);
    },
  );

  it('may be changed by the service itself, until it is started anew (A15)', () => {
    const stage = up();
    const child = childOf(stage, stage.serving('web'));
    stage.say('web', { access: 'all' });
    stage.run(5);
    stage.say('web', { status: 'from a child' }, child);
    stage.run(5);
    expect(stage.service('web').said.status).toBe('from a child');
    stage.say('web', { access: 'none' });
    stage.run(5);
    stage.say('web', { status: 'nobody listens' });
    stage.run(5);
    expect(stage.service('web').said.status).toBe('from a child');
    stage.ask('web', 'restart');
    stage.run(5_000);
    expect(stage.service('web').said).toMatchObject({ access: null, status: null });
    stage.say('web', { status: 'anew' });
    stage.run(5);
    expect(stage.service('web').said.status).toBe('anew');
  });
});

describe('what it says of itself', () => {
  it('is kept word for word, until it says something else; a bad number keeps the old one (A3) (A15)', () => {
    const stage = up();
    stage.say('web', { status: 'one', errno: 2, busError: 'org.example.Failed' });
    stage.run(5);
    expect(stage.service('web').said).toMatchObject({ status: 'one', errno: 2, busError: 'org.example.Failed' });
    stage.say('web', { errno: null });
    stage.run(5);
    expect(stage.service('web').said).toMatchObject({ status: 'one', errno: 2 });
    stage.say('web', { status: '' });
    stage.run(5);
    expect(stage.service('web').said.status).toBeNull();
  });

  it('survives the keeper', () => {
    const stage = up();
    stage.say('web', { status: 'one' });
    stage.run(5);
    stage.killKeeper();
    stage.startKeeper();
    stage.run(5);
    expect(stage.service('web').said.status).toBe('one');
  });

  it('resets its restarts when it asks for that', () => {
    const stage = up();
    stage.kill(stage.serving('web'));
    stage.run(5_000);
    expect(stage.service('web').restarts).toMatchObject({ streak: 1 });
    stage.say('web', { restartReset: 'yes' });
    stage.run(5);
    expect(stage.service('web').restarts).toMatchObject({ streak: 0, window: [], total: 1 });
  });
});

describe('MAINPID', () => {
  const named = (process: SimulatedProcess) => ({ main: process.ref });

  it('makes a child the main process; the old one may end, and the service stays up (A9) (A10)', () => {
    const stage = up();
    const old = stage.serving('web');
    const child = childOf(stage, old);
    stage.say('web', named(child));
    stage.run(5);
    expect(stage.serving('web')).toBe(child);
    expect(stage.happened('web', 'mainChanged')).toHaveLength(1);
    stage.host.end(old, { type: 'exited', code: 0 });
    stage.run(60_000);
    expect(stage.serving('web')).toBe(child);
    expect(stage.service('web')).toMatchObject({ draining: [], state: { name: 'running' } });
    expect(stage.happened('web', 'died')).toEqual([]);
    stage.host.end(child, { type: 'exited', code: 1 });
    stage.run(5_000);
    expect(stage.happened('web', 'died')).toHaveLength(1);
    expect(stage.state('web').name).toBe('running');
  });

  it('is not taken back by the old one, whose words count no more (A11)', () => {
    const stage = up(notifying({ notifyAccess: 'all' }));
    const old = stage.serving('web');
    const child = childOf(stage, old);
    stage.say('web', named(child));
    stage.run(5);
    stage.say('web', named(old), old);
    stage.say('web', { stopping: 'yes' }, old);
    stage.say('web', { status: 'old' }, old);
    stage.run(60_000);
    expect(stage.serving('web')).toBe(child);
    expect(stage.service('web').said).toMatchObject({ status: null, stopping: null });
  });

  it('is given back by the new one: then the old one drains no more', () => {
    const stage = up();
    const old = stage.serving('web');
    const child = childOf(stage, old);
    stage.say('web', named(child));
    stage.run(5);
    stage.say('web', named(old), child);
    stage.run(5);
    expect(stage.serving('web')).toBe(old);
    expect(stage.service('web').draining.map(({ process }) => process)).toEqual([child.ref]);
    stage.host.end(child, { type: 'exited', code: 0 });
    stage.run(5_000);
    expect(stage.service('web')).toMatchObject({ draining: [], state: { name: 'running', process: old.ref } });
  });

  it('counts before it is ready too; then the new one is waited for', () => {
    const stage = staged(
      notifying({ ready: { probe: { type: 'notify' }, timeout: seconds(30) } }),
      program(readyAfter(null)),
    );
    stage.run(100);
    const child = childOf(stage, stage.serving('web'));
    stage.say('web', named(child));
    stage.run(5);
    stage.say('web', { ready: 'yes' }, child);
    stage.run(5);
    expect(stage.state('web')).toMatchObject({ name: 'running', process: child.ref });
  });

  it('leaves nothing behind when the service is stopped', () => {
    const stage = up(notifying(), program(ignoresTerm, readyAfter(50)));
    const child = childOf(stage, stage.serving('web'));
    stage.say('web', named(child));
    stage.run(5);
    stage.ask('web', 'stop');
    stage.runUntilState('web', 'stopped');
    expect(stage.host.living()).toEqual([]);
  });
});

describe('a program that starts its own successor', () => {
  it('is followed by its pid file when it ends (D17)', () => {
    const stage = up(
      notifying({ handover: { pidFile: '/run/web.pid' } }),
      program(readyAfter(50), forks(program(lives))),
    );
    const old = stage.serving('web');
    const child = childOf(stage, old);
    stage.host.writePidFile('/run/web.pid', String(child.ref.pid));
    stage.host.end(old, { type: 'exited', code: 0 });
    stage.run(20_000);
    expect(stage.state('web')).toMatchObject({ name: 'running', process: child.ref });
    expect(stage.happened('web', 'died')).toEqual([]);
    expect(stage.happened('web', 'handedOver')).toHaveLength(1);
    expect(stage.service('web').restarts.total).toBe(0);
  });

  it('has ended where its pid file names nobody', () => {
    const stage = up(notifying({ handover: { pidFile: '/run/web.pid' } }));
    stage.host.end(stage.serving('web'), { type: 'exited', code: 1 });
    stage.run(20_000);
    expect(stage.happened('web', 'died')).toHaveLength(1);
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' } });
  });

  it('is sought anew by a keeper that was killed meanwhile', () => {
    const stage = up(notifying({ handover: { pidFile: '/run/web.pid' } }));
    const old = stage.serving('web');
    const child = childOf(stage, old);
    stage.host.writePidFile('/run/web.pid', String(child.ref.pid));
    stage.killKeeper();
    stage.host.end(old, { type: 'exited', code: 0 });
    stage.run(100);
    stage.startKeeper();
    stage.run(20_000);
    expect(stage.state('web')).toMatchObject({ name: 'running', process: child.ref });
  });
});

describe('STOPPING=1', () => {
  it('gives it the time of its own `stop`, and then it is stopped; it comes back, uncounted', () => {
    const stage = up(notifying(), program(ignoresTerm, readyAfter(50)));
    const old = stage.serving('web');
    stage.say('web', { stopping: 'yes' });
    stage.run(9_000);
    expect(old.received).toEqual([]);
    stage.run(2_000);
    expect(old.received).toEqual(['SIGTERM', 'SIGCONT']);
    stage.run(30_000);
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' } });
  });

  it('wins over READY in the same message, and has no way back', () => {
    const stage = up();
    stage.say('web', { stopping: 'yes', ready: 'yes' });
    stage.run(5);
    stage.say('web', { ready: 'yes' });
    stage.run(5);
    expect(stage.service('web').said.stopping).not.toBeNull();
  });
});

describe('a reload of which the service speaks (notify-reload)', () => {
  const reloading = notifying({
    reload: { type: 'notify', signal: 'SIGHUP' },
    ready: { probe: { type: 'notify' }, timeout: seconds(5) },
  });

  it('is done when it has answered and said READY=1 (A14)', () => {
    const stage = up(reloading);
    const was = standingOf(stage);
    stage.ask('web', 'reload');
    stage.run(5);
    expect(was.main.received).toEqual(['SIGHUP']);
    stage.say('web', { reloading: { at: stage.clock.instant } });
    stage.run(5);
    expect(progressSince(stage, was, 'reload').type).toBe('pending');
    stage.say('web', { ready: 'yes' });
    stage.run(5);
    expect(progressSince(stage, was, 'reload').type).toBe('done');
    expect(stage.service('web').reloading).toBeNull();
  });

  it('does not take what was said before for an answer, nor what says no time (A14)', () => {
    const stage = up(reloading);
    const was = standingOf(stage);
    const before = stage.clock.instant - 10;
    stage.ask('web', 'reload');
    stage.run(5);
    stage.say('web', { reloading: { at: before }, ready: 'yes' });
    stage.say('web', { reloading: { at: null }, ready: 'yes' });
    stage.run(5);
    expect(progressSince(stage, was, 'reload').type).toBe('pending');
    stage.say('web', { reloading: { at: stage.clock.instant }, ready: 'yes' });
    stage.run(5);
    expect(progressSince(stage, was, 'reload').type).toBe('done');
  });

  it('that takes too long has failed; the service goes on (A14)', () => {
    const stage = up(reloading);
    const was = standingOf(stage);
    stage.ask('web', 'reload');
    stage.run(5_100);
    expect(progressSince(stage, was, 'reload')).toMatchObject({ type: 'failed' });
    expect(progressSince(stage, was, 'reload').text).toMatch(
      /did not answer with RELOADING=1 in time; it goes on as it is/,
    );
    expect(stage.state('web')).toEqual(was.service.state);
    stage.ask('web', 'reload');
    stage.run(5);
    stage.say('web', { reloading: { at: stage.clock.instant } });
    stage.run(5_100);
    expect(progressSince(stage, was, 'reload').text).toMatch(/in time/);
    expect(stage.state('web')).toEqual(was.service.state);
  });

  it('is refused while one is under way', () => {
    const stage = up(reloading);
    stage.ask('web', 'reload');
    stage.run(5);
    const was = standingOf(stage);
    stage.ask('web', 'reload');
    expect(progressSince(stage, was, 'reload').text).toMatch(/a reload of it is under way/);
  });

  it('may be its own idea', () => {
    const stage = up();
    stage.say('web', { reloading: { at: stage.clock.instant } });
    stage.run(5);
    expect(stage.service('web').reloading).toMatchObject({ phase: 'reloading' });
    stage.say('web', { ready: 'yes' });
    stage.run(5);
    expect(stage.service('web').reloading).toBeNull();
    expect(stage.happened('web', 'reloaded')).toHaveLength(1);
  });
});

describe('EXTEND_TIMEOUT_USEC', () => {
  const slow = notifying({ ready: { probe: { type: 'notify' }, timeout: seconds(1) } });

  it('gives a start more time, if it comes before the last is over (A12)', () => {
    const stage = staged(slow, program(readyAfter(2_500)));
    stage.run(500);
    stage.say('web', { extend: millis(3_000) });
    stage.run(2_100);
    expect(stage.state('web').name).toBe('running');
  });

  it('is waited for no longer than it says (A12)', () => {
    const stage = staged(slow, program(readyAfter(null)));
    stage.run(500);
    stage.say('web', { extend: millis(2_000) });
    stage.run(1_900);
    expect(stage.state('web').name).toBe('starting');
    stage.run(200);
    expect(stage.happened('web', 'stopping')).toHaveLength(1);
  });

  it('never takes time away', () => {
    const stage = staged(
      notifying({ ready: { probe: { type: 'notify' }, timeout: seconds(10) } }),
      program(readyAfter(8_000)),
    );
    stage.run(500);
    stage.say('web', { extend: millis(1_000) });
    stage.run(8_000);
    expect(stage.state('web').name).toBe('running');
  });

  it('gives a stop more time (A12)', () => {
    const stage = up(notifying(), program(readyAfter(50), { onTerm: { type: 'exits', after: 15_000, code: 0 } }));
    const old = stage.serving('web');
    stage.ask('web', 'stop');
    stage.run(9_000);
    stage.say('web', { extend: millis(10_000) }, old);
    stage.run(7_000);
    expect(stage.state('web').name).toBe('stopped');
    expect(old.received).not.toContain('SIGKILL');
  });
});

it('without a word: a service that says nothing is as it always was', () => {
  const stage = Stage.with([supervised()]);
  stage.host.install('/srv/web', program(exitsAfter(10, 0)));
  stage.run(60_000);
  expect(stage.kernel.births.length).toBeGreaterThan(0);
});
