// The 33 branches of the overlapped restart (graceful 2; their numbers in brackets) as far as the keeper decides them: the way
// that it is meant to go, and all that leads back to where it began. Deaths, stops and keepers are in handover-ends.test.ts.

import { describe, expect, it } from 'vitest';
import { silence } from '../../src/core/notification.js';
import { serviceName } from '../../src/core/spec.js';
import { millis, seconds } from '../../src/core/time.js';
import { command } from '../support/builders.js';
import { ended } from '../support/evidence.js';
import {
  diesAfter,
  drains,
  exitsAfter,
  forks,
  handsOver,
  ignoresTerm,
  lives,
  pings,
  program,
  readyAfter,
  refused,
} from '../support/program.js';
import {
  expectUndone,
  http,
  overlapping,
  polite,
  progressSince,
  reach,
  serving,
  standingOf,
  successorOf,
  thorough,
} from '../support/succession.js';

describe('an overlapped restart', () => {
  it('starts the new generation beside the old, hands the state over, and commits when it is ready (D1)', () => {
    const stage = serving(overlapping({ sockets: [http], fdStore: 4 }));
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(5);
    expect(stage.state('web')).toMatchObject({ name: 'handover', process: was.main.ref, generation: 2 });
    expect(stage.mains('web')).toHaveLength(2);
    expect(progressSince(stage, was)).toMatchObject({ type: 'pending' });
    stage.runUntilState('web', 'running');
    const now = stage.serving('web');
    expect(now.ref).not.toEqual(was.main.ref);
    expect(stage.service('web').generation).toBe(2);
    expect(progressSince(stage, was)).toMatchObject({ type: 'done' });
    expect(progressSince(stage, was).text).toMatch(`running (pid ${now.ref.pid})`);
    stage.run(100);
    expect(stage.mains('web')).toEqual([now]);
    expect(was.main.received).toEqual(['SIGTERM']);
    expect(stage.service('web').draining).toEqual([]);
    expect(stage.service('web').restarts.total).toBe(0);
    const told = stage.changes.slice(was.changes).map(({ what }) => what.type);
    expect(told).toEqual([
      'asked',
      'handingOver',
      'handoverPhase',
      'handoverPhase',
      'handoverPhase',
      'handoverPhase',
      'committed',
      'drained',
    ]);
    expect(stage.problems).toEqual([]);
  });

  it('records the new main one before anybody is told, and tells it to accept before the old one is told to drain', () => {
    const stage = serving();
    const was = standingOf(stage);
    const told: string[] = [];
    stage.onEffect = (effect) => {
      if (effect.type !== 'tell') return;
      const { state, generation } = stage.journal.of('web') ?? { state: null, generation: 0 };
      told.push(`${effect.word.type} ${effect.process.pid === was.main.ref.pid ? 'old' : 'new'}`);
      expect([state?.name, generation]).toEqual(['running', 2]);
    };
    stage.ask('web', 'restart');
    stage.run(1_000);
    expect(told).toEqual(['accept new', 'drain old']);
  });

  it('never has two that accept, and the old one stands still only while its state goes over', () => {
    const stage = serving();
    const seen = new Set<string>();
    const old = stage.serving('web');
    stage.clock.afterEach = () => {
      const accepting = stage.kernel.speech.accepting('web');
      expect(accepting.length).toBeLessThanOrEqual(1);
      const { state } = stage.service('web');
      if (stage.kernel.speech.isStill(old.ref) && old.life === 'alive')
        seen.add(state.name === 'handover' ? state.phase : state.name);
    };
    stage.ask('web', 'restart');
    stage.run(1_000);
    // What stands still stays so until it is told to drain: what it would change is nobody's any more.
    expect([...seen]).toEqual(['transfer', 'verdict']);
  });

  it('works for a program that knows LISTEN_FDS and READY=1 alone (D16)', () => {
    const stage = serving(overlapping({ sockets: [http] }), program(readyAfter(30)));
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(1_000);
    expect(stage.service('web').generation).toBe(2);
    expect(stage.mains('web')).toHaveLength(1);
    expect(was.main.life).toBe('gone');
    expect(stage.effects.filter(({ type }) => type === 'export')).toEqual([]);
  });

  it('counts by time alone where nothing else is said: alive for so long is ready', () => {
    const stage = serving(overlapping({ ready: { probe: { type: 'alive', for: seconds(1) } } }), program());
    stage.ask('web', 'restart');
    stage.run(999);
    expect(stage.state('web').name).toBe('handover');
    stage.run(50);
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' } });
  });

  it('runs the commands around a start for the new generation alone, with its number', () => {
    const hooks = { beforeStart: [command('/srv/pre')], afterStart: [command('/srv/post')] };
    const stage = serving(
      overlapping({ hooks: { ...hooks, beforeStop: [command('/srv/bye')], afterStop: [command('/srv/gone')] } }),
    );
    const from = stage.effects.length;
    stage.ask('web', 'restart');
    stage.run(5_000);
    const roles = stage.effects
      .slice(from)
      .flatMap((it) => (it.type === 'spawn' ? [`${it.role} ${it.generation}`] : []));
    expect(roles).toEqual(['beforeStart 2', 'main 2', 'afterStart 2']);
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' } });
  });

  it('replaces again and again, each time by the next number', () => {
    const stage = serving(overlapping({ handover: { mode: 'overlap', drain: seconds(5) } }));
    for (let n = 2; n <= 21; n++) {
      stage.ask('web', 'restart');
      stage.run(1_000);
      expect(stage.service('web')).toMatchObject({ generation: n, state: { name: 'running' } });
    }
    expect(stage.mains('web')).toHaveLength(1);
    expect(stage.service('web').restarts.total).toBe(0);
  });

  it('is what reload does where there is no `reload`', () => {
    const stage = serving();
    const was = standingOf(stage);
    stage.ask('web', 'reload');
    stage.run(1_000);
    expect(stage.service('web').generation).toBe(2);
    expect(progressSince(stage, was, 'reload').type).toBe('done');
  });

  it('begins nothing while it starts: then there is nothing that could go on serving', () => {
    const stage = serving();
    stage.kill(stage.serving('web'));
    stage.runUntilState('web', 'starting');
    stage.ask('web', 'restart');
    expect(stage.state('web').name).toBe('stopping');
    stage.run(10_000);
    expect(stage.mains('web')).toHaveLength(1);
    expect(stage.state('web').name).toBe('running');
  });
});

describe('an overlapped restart that comes to nothing leaves the old generation as it was', () => {
  it('when a command before the start fails (2-1)', () => {
    const stage = serving(overlapping({ hooks: { beforeStart: [command('/srv/pre')] } }));
    stage.host.install('/srv/pre', program(exitsAfter(10, 3)));
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(100);
    expectUndone(stage, was, /its beforeStart command exited with code 3/);
    expect(stage.spawns('web')).toBe(1);
  });

  it('when a command before the start hangs, or cannot be started', () => {
    const stage = serving(overlapping({ hooks: { beforeStart: [command('/srv/pre', 500)] } }));
    stage.host.install('/srv/pre', program(ignoresTerm));
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(600);
    expectUndone(stage, was, /its beforeStart command did not end in time/);
    expect(stage.helpers('web', 'beforeStart')).toHaveLength(1);

    const other = serving(overlapping({ hooks: { beforeStart: [command('/srv/pre')] } }));
    other.host.install('/srv/pre', program(refused('ENOENT')));
    const before = standingOf(other);
    other.ask('web', 'restart');
    other.run(100);
    expectUndone(other, before, /cannot execute: ENOENT/);
  });

  it('when it cannot be prepared', () => {
    const stage = serving(overlapping({ directories: [{ path: '/run/web', mode: 0o755 }] }));
    stage.host.files.set('/run/web', { type: 'file', uid: 0, holder: null });
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(100);
    expectUndone(stage, was, /is there and is no directory/);
  });

  it.each(['ENOENT', 'EACCES', 'EMFILE'])('when the new one cannot be executed: %s (2-2)', (errno) => {
    const stage = serving(overlapping({ sockets: [http] }), polite, [program(refused(errno))]);
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(100);
    expectUndone(stage, was, errno);
  });

  it('when the new one dies before it has read anything (2-3) (D3)', () => {
    const stage = serving(overlapping(), polite, [program(handsOver(), readyAfter(50), exitsAfter(10, 3))]);
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(30);
    expectUndone(stage, was, /ended before it was ready: code 3/);
  });

  it('when the new one dies in the middle of the state (2-4)', () => {
    const stage = serving(overlapping(), polite, [program(handsOver(), readyAfter(10), diesAfter(20, 'SIGSEGV'))]);
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(15);
    expect(stage.state('web')).toMatchObject({ name: 'handover', phase: 'transfer' });
    stage.run(15);
    expectUndone(stage, was, /ended before it was ready: SIGSEGV/);
  });

  it('when the old one cannot write its state: it goes on, the new one is ended (2-5) (D5)', () => {
    const stage = serving(overlapping(), program(handsOver({ exports: { after: 20, as: 'failed' } }), readyAfter(50)));
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(200);
    expectUndone(stage, was, /the old generation could not write its state: No space left on device/);
  });

  it('when the state is not handed over in time, and asks the watchdog of the old one to wait that long (2-6) (2-22)', () => {
    const stuck = program(handsOver({ exports: { after: 0, as: 'never' } }), readyAfter(50), pings(1_000));
    const stage = serving(
      overlapping({ watchdog: seconds(3), handover: { mode: 'overlap', transfer: seconds(10) } }),
      stuck,
    );
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(10_000);
    expect(stage.state('web')).toMatchObject({ name: 'handover', phase: 'transfer' });
    stage.run(100);
    expectUndone(stage, was, /its state was not handed over within 10 s/);
    expect(stage.happened('web', 'watchdogMissed')).toEqual([]);
  });

  it('when the new one refuses, for a state that is corrupt or newer than it knows (2-7) (2-8) (2-33) (D2)', () => {
    const stage = serving(overlapping(), polite, [program(handsOver({ verdict: 'refused' }), readyAfter(50))]);
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(200);
    expectUndone(stage, was, /the new generation refused: its state is of a newer schema; the old generation goes on/);
  });

  it('when the new one exits with 0 and without a word (2-9)', () => {
    const stage = serving(overlapping(), polite, [program(handsOver(), readyAfter(50), exitsAfter(20, 0))]);
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(40);
    expectUndone(stage, was, /ended before it was ready: code 0/);
  });

  it('when the new one lives and never says a word: its group is ended with it (2-10) (D4)', () => {
    const deaf = program(ignoresTerm, readyAfter(null), forks(program(ignoresTerm)));
    const stage = serving(overlapping({ ready: { probe: { type: 'notify' }, timeout: seconds(5) } }), polite, [deaf]);
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(4_900);
    expect(stage.state('web').name).toBe('handover');
    stage.run(200);
    const successor = stage.mains('web').find(({ ref }) => ref.pid !== was.main.ref.pid);
    expectUndone(stage, was, /was not ready within 5 s/);
    expect(stage.host.group(successor?.ref.pid ?? 0)).toEqual([]);
  });

  it('unless it asks for more time, each time before the last is over (2-10)', () => {
    const late = program(handsOver({ wants: 'nothing' }), readyAfter(8_000));
    const stage = serving(overlapping({ ready: { probe: { type: 'notify' }, timeout: seconds(5) } }), polite, [late]);
    stage.ask('web', 'restart');
    stage.run(3_000);
    const { state } = stage.service('web');
    const successor = state.name === 'handover' && state.successor !== null ? stage.host.find(state.successor) : null;
    if (successor === null) throw new Error('there is no successor');
    stage.say('web', { extend: millis(6_000) }, successor);
    stage.run(5_500);
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' } });
  });

  it('when the new one says READY and ends while its commands after the start run: the end wins (2-11)', () => {
    const stage = serving(overlapping({ hooks: { afterStart: [command('/srv/post')] } }));
    stage.host.install('/srv/post', program(exitsAfter(1_000, 0)));
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.runUntil(() => stage.helpers('web', 'afterStart').length === 1);
    const successor = stage.mains('web').find(({ ref }) => ref.pid !== was.main.ref.pid);
    if (successor === undefined) throw new Error('there is no successor');
    stage.host.end(successor, { type: 'exited', code: 0 });
    stage.run(5);
    expectUndone(stage, was, /ended before it was ready: code 0/);
    expect(stage.helpers('web', 'afterStart')).toEqual([]);
  });

  it.each(['notified', 'becameReady'] as const)(
    'when the new one %s and ends in the same moment, whichever is heard of first: the end wins (2-11)',
    (type) => {
      const stage = serving(overlapping(), polite, [program(lives, readyAfter(null))]);
      const was = standingOf(stage);
      reach(stage, 'warming');
      const successor = successorOf(stage);
      const [service, { ref: process }] = [was.service.spec.name, successor];
      const sender = { process, uid: 0, isMember: 'yes', kinOf: null } as const;
      stage.host.end(successor, { type: 'exited', code: 0 });
      stage.together([
        type === 'becameReady'
          ? { type, service, process }
          : { type, service, sender, says: { ...silence, ready: 'yes' }, batch: null },
        { type: 'exited', service, process, evidence: ended({ type: 'exited', code: 0 }), away: 'no' },
      ]);
      expectUndone(stage, was, /ended before it was ready: code 0/);
    },
  );

  it('when a command after the start fails', () => {
    const stage = serving(overlapping({ hooks: { afterStart: [command('/srv/post')] } }));
    stage.host.install('/srv/post', program(exitsAfter(10, 1)));
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(500);
    expectUndone(stage, was, /its afterStart command exited with code 1/);
  });

  it("and what the new one says after that is nobody's word any more (2-12)", () => {
    const stage = serving(overlapping({ fdStore: 4 }), polite, [
      program(ignoresTerm, handsOver({ verdict: 'refused' }), readyAfter(50)),
    ]);
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(200);
    const dismissed = stage.mains('web').find(({ ref }) => ref.pid !== was.main.ref.pid);
    if (dismissed === undefined) throw new Error('it has ended already');
    stage.say('web', { ready: 'yes', status: 'late', store: { type: 'store', name: 'x', poll: 'yes' } }, dismissed, 1);
    stage.hear('web', dismissed, { type: 'wantsState' });
    stage.run(10);
    expectUndone(stage, was, /refused/);
  });

  it('and what it has stored meanwhile is not kept', () => {
    const stage = serving(overlapping({ fdStore: 4 }), polite, [program(lives, readyAfter(null))]);
    stage.say('web', { store: { type: 'store', name: 'kept', poll: 'yes' } }, undefined, 1);
    stage.run(10);
    const was = standingOf(stage);
    expect(was.stored).toEqual(['kept']);
    stage.ask('web', 'restart');
    stage.run(100);
    const successor = stage.mains('web').find(({ ref }) => ref.pid !== was.main.ref.pid);
    stage.say('web', { store: { type: 'store', name: 'new', poll: 'yes' } }, successor, 2);
    stage.say('web', { store: { type: 'remove', name: 'kept' } }, successor);
    stage.run(10);
    expect(stage.kernel.keeping.apart('web')).toBe(1);
    expect(stage.kernel.keeping.stored('web')).toEqual(['kept']);
    stage.run(31_000);
    expectUndone(stage, was, /was not ready/);
  });

  it('five times in a row, and the sixth succeeds (D11)', () => {
    const early = program(exitsAfter(5, 1), readyAfter(null));
    const stage = serving(overlapping(), polite, [early, early, early, early, early, polite]);
    for (let n = 0; n < 5; n++) {
      stage.ask('web', 'restart');
      stage.run(1_000);
      expect(stage.service('web')).toMatchObject({ generation: 1, state: { name: 'running' } });
    }
    expect(stage.happened('web', 'handoverRefused')).toHaveLength(5);
    stage.ask('web', 'restart');
    stage.run(1_000);
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' } });
    expect(stage.service('web').restarts.total).toBe(0);
  });

  it('when the memory for the new one is not there: it is never started without its state behind its back (2-32)', () => {
    const stage = serving(overlapping());
    stage.kernel.spawnErrors.push('ENOMEM');
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(50);
    expectUndone(stage, was, /ENOMEM/);
  });
});

it('takes nothing for an answer that is told a second time', () => {
  const stage = serving(thorough(), polite);
  reach(stage, 'verdict');
  const successor = successorOf(stage);
  const doubled = { service: serviceName('web'), role: 'main', generation: 2 } as const;
  const before = stage.service('web');
  stage.post({ type: 'spawned', ...doubled, process: successor.ref });
  stage.post({ type: 'spawnFailed', ...doubled, errno: 'ENOENT', detail: 'no such file' });
  stage.post({ type: 'prepared', service: doubled.service, generation: 2, problem: 'too late' });
  stage.hear('web', successor, { type: 'wantsState' });
  stage.hear('web', stage.serving('web'), { type: 'exported', bytes: 7 });
  stage.run(2);
  expect(stage.service('web')).toEqual(before);
  stage.say('web', { ready: 'yes' }, successor);
  stage.say('web', { ready: 'yes' }, successor);
  stage.run(1_000);
  expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' } });
  expect(stage.helpers('web', 'afterStart')).toEqual([]);
  expect(stage.happened('web', 'committed')).toHaveLength(1);
});

describe('a second request', () => {
  it('is refused while one is under way, with what to do (2-17) (D8)', () => {
    const stage = serving();
    stage.ask('web', 'restart');
    stage.run(5);
    const before = standingOf(stage);
    stage.ask('web', 'restart');
    expect(progressSince(stage, before)).toMatchObject({ type: 'failed' });
    expect(progressSince(stage, before).text).toMatch(/a hand-over is under way/);
    stage.run(1_000);
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' } });
    expect(stage.spawns('web')).toBe(2);
  });

  it('is refused while as many old generations drain as may, and granted below that (2-18) (D8)', () => {
    const slow = program(handsOver(), readyAfter(50), drains(30_000));
    const stage = serving(overlapping({ handover: { mode: 'overlap', maxDraining: 2 } }), slow);
    for (const generation of [2, 3]) {
      stage.ask('web', 'restart');
      stage.run(1_000);
      expect(stage.service('web').generation).toBe(generation);
    }
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    expect(progressSince(stage, was).text).toMatch(/2 old generations of it .* still finish/);
    stage.run(40_000);
    expect(stage.service('web').draining).toEqual([]);
    stage.ask('web', 'restart');
    stage.run(1_000);
    expect(stage.service('web').generation).toBe(4);
  });

  it('is granted while a dismissed one still ends: it is none that drains', () => {
    const stubborn = program(handsOver({ verdict: 'refused' }), readyAfter(50), ignoresTerm);
    const stage = serving(overlapping(), polite, [stubborn, polite]);
    stage.ask('web', 'restart');
    stage.run(200);
    expect(stage.service('web').draining).toHaveLength(1);
    stage.ask('web', 'restart');
    stage.run(1_000);
    expect(stage.service('web')).toMatchObject({ generation: 3, state: { name: 'running' } });
  });
});

describe('an old generation that drains', () => {
  it('has its time, then its group gets SIGTERM, then SIGKILL; the new one is untouched (2-20) (2-21) (D10)', () => {
    const busy = program(handsOver(), readyAfter(50), ignoresTerm, forks(program(ignoresTerm)));
    const stage = serving(overlapping({ handover: { mode: 'overlap', drain: seconds(60) } }), busy, [polite]);
    const old = stage.serving('web');
    stage.ask('web', 'restart');
    stage.run(1_000);
    const now = stage.serving('web');
    stage.run(58_000);
    expect(old.received).toEqual(['SIGTERM', 'SIGCONT']);
    stage.run(2_000);
    expect(old.received).toEqual(['SIGTERM', 'SIGCONT', 'SIGTERM', 'SIGCONT']);
    stage.run(5_000);
    expect(old.life).toBe('gone');
    expect(stage.host.group(old.ref.pid)).toEqual([]);
    expect(now.received).toEqual([]);
    stage.run(10_000);
    expect(stage.service('web').draining).toEqual([]);
    expect(stage.happened('web', 'drained')[0]?.what).toMatchObject({ cut: 'yes' });
    expect(stage.state('web')).toMatchObject({ name: 'running', process: now.ref });
  });

  it('ends the rest of its group when its main process has ended by itself', () => {
    const father = program(handsOver(), readyAfter(50), drains(500), forks(program(lives)));
    const stage = serving(overlapping(), father, [polite]);
    const old = stage.serving('web');
    stage.ask('web', 'restart');
    stage.run(5_000);
    expect(stage.host.group(old.ref.pid)).toEqual([]);
    expect(stage.service('web').draining).toEqual([]);
    expect(stage.happened('web', 'drained')[0]?.what).toMatchObject({ cut: 'no' });
  });

  it('may take for ever where `drain` is none', () => {
    const stage = serving(
      overlapping({ handover: { mode: 'overlap', drain: null } }),
      program(handsOver(), readyAfter(50), ignoresTerm),
      [polite],
    );
    const old = stage.serving('web');
    stage.ask('web', 'restart');
    stage.run(86_400_000);
    expect(old.life).toBe('alive');
    expect(stage.service('web').draining).toHaveLength(1);
  });

  it('gets the first signal of its own `stop`', () => {
    const stop = { type: 'ladder', rungs: [{ signal: 'SIGQUIT', wait: seconds(5), to: 'main' }] } as const;
    const stage = serving(overlapping({ stop }));
    const old = stage.serving('web');
    stage.ask('web', 'restart');
    stage.run(1_000);
    expect(old.received).toEqual(['SIGQUIT']);
  });

  it('changes nothing of the service by what it says (2-24) (D15) (A11)', () => {
    const stage = serving(
      overlapping({ notifyAccess: 'all', fdStore: 4, watchdog: seconds(10) }),
      program(handsOver(), readyAfter(50), drains(20_000), pings(1_000)),
    );
    const old = stage.serving('web');
    stage.ask('web', 'restart');
    stage.run(1_000);
    const before = stage.service('web');
    stage.say('web', { status: 'finishing' }, old);
    stage.say('web', { stopping: 'yes' }, old);
    stage.say('web', { main: old.ref }, old);
    stage.say('web', { store: { type: 'store', name: 'x', poll: 'yes' } }, old, 7);
    stage.say('web', { watchdog: 'trigger' }, old);
    stage.run(20);
    const after = stage.service('web');
    expect({ ...after, watchdog: null }).toEqual({ ...before, watchdog: null });
    expect(stage.kernel.keeping.stored('web')).toEqual([]);
    stage.run(60_000);
    expect(stage.state('web').name).toBe('running');
  });
});
