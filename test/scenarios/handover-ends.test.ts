// Who dies in the middle of a hand-over, and who calls it off: either process, both, an operator, a configuration, the host, the
// keeper. Numbers in brackets are the branches of graceful 2; how a hand-over itself goes is in handover.test.ts.

import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../src/core/spec.js';
import { seconds } from '../../src/core/time.js';
import { command, heartbeat, supervised } from '../support/builders.js';
import { drains, exitsAfter, handsOver, ignoresTerm, program, readyAfter } from '../support/program.js';
import type { Stage } from '../support/stage.js';
import {
  expectUndone,
  http,
  overlapping,
  phases,
  polite,
  progressSince,
  reach,
  serving,
  standingOf,
  successorOf,
  thorough,
} from '../support/succession.js';

/** It runs, alone, with nobody left of other generations. */
function expectWhole(stage: Stage, generation: number, name = 'web'): void {
  expect(stage.problems).toEqual([]);
  expect(stage.service(name)).toMatchObject({ generation, draining: [], unborn: [], state: { name: 'running' } });
  const main = stage.serving(name);
  expect(stage.mains(name)).toEqual([main]);
  expect(stage.kernel.speech.accepting(name)).toEqual([main]);
  expect(stage.kernel.keeping.apart(name)).toBe(0);
}

function expectNothingLeft(stage: Stage): void {
  expect(stage.problems).toEqual([]);
  expect(stage.host.living().map(({ argv, ref }) => `${ref.pid} ${argv.join(' ')}`)).toEqual([]);
}

describe('the old generation dies', () => {
  it('before the new one has asked for its state: that one goes on alone, and the death counts (2-13) (D6)', () => {
    const slow = program(handsOver(), readyAfter(500));
    const stage = serving(thorough(), polite, [slow]);
    const was = standingOf(stage);
    reach(stage, 'warming');
    stage.kill(was.main);
    stage.run(10);
    expect(stage.state('web')).toMatchObject({ name: 'starting', phase: 'readying' });
    stage.run(5_000);
    expectWhole(stage, 2);
    expect(stage.service('web').restarts.total).toBe(1);
    expect(stage.happened('web', 'died')).toHaveLength(1);
    expect(stage.kernel.keeping.areOpen(stage.service('web').spec)).toBe(true);
  });

  it('in the middle of its state: what was written is given to nobody, and it is started anew (2-13) (D6)', () => {
    const stage = serving(thorough());
    const was = standingOf(stage);
    reach(stage, 'transfer');
    stage.kill(was.main);
    stage.run(10_000);
    expectWhole(stage, 3);
    expect(stage.service('web').restarts.total).toBe(1);
    expect(progressSince(stage, was).type).toBe('failed');
  });

  it.each(['verdict', 'after'] as const)(
    'after its state was handed over, in %s: the new one takes over (2-14) (D6)',
    (phase) => {
      const stage = serving(thorough());
      reach(stage, phase);
      stage.kill(stage.serving('web'));
      stage.run(10_000);
      expectWhole(stage, 2);
      expect(stage.service('web').restarts.total).toBe(1);
      expect(stage.service('web').draining).toEqual([]);
      // Its command after the start has run once for this generation.
      const posts = stage.effects.filter(
        (it) => it.type === 'spawn' && it.role === 'afterStart' && it.generation === 2,
      );
      expect(posts).toHaveLength(1);
    },
  );

  it('after its state was handed over, and the new one refuses it: started anew, without it (2-14)', () => {
    const picky = program(handsOver({ verdict: 'refused' }), readyAfter(50));
    const stage = serving(thorough(), polite, [picky, polite]);
    reach(stage, 'verdict');
    stage.kill(stage.serving('web'));
    stage.run(60_000);
    expectWhole(stage, 3);
  });

  it.each(['preparing', 'before', 'launching'] as const)('in %s: an end like any other', (phase) => {
    const stage = serving(thorough());
    reach(stage, phase);
    stage.kill(stage.serving('web'));
    stage.run(10_000);
    expectWhole(stage, 2);
    expect(stage.service('web').restarts.total).toBe(1);
  });

  it('and what it told of itself goes with it, what the new one told stays', () => {
    const stage = serving(overlapping({ notifyAccess: 'main' }), program(handsOver(), readyAfter(100)));
    stage.say('web', { status: 'old' });
    reach(stage, 'warming');
    stage.say('web', { status: 'new' }, successorOf(stage));
    stage.run(5);
    expect(stage.service('web').said.status).toBe('old');
    stage.kill(stage.serving('web'));
    stage.run(5_000);
    expect(stage.service('web').said.status).toBe('new');
  });

  it.each(phases)('and the new one with it, in %s: the ordinary rule, with sockets and store (2-15) (D7)', (phase) => {
    const stage = serving(thorough());
    stage.say('web', { store: { type: 'store', name: 'kept', poll: 'yes' } }, undefined, 1);
    stage.run(5);
    reach(stage, phase);
    for (const process of stage.mains('web')) stage.kill(process);
    stage.run(60_000);
    expect(stage.state('web').name).toBe('running');
    expectWhole(stage, stage.service('web').generation);
    // Where the new one had become a start of its own, that has failed too.
    expect(stage.service('web').restarts.total).toBeLessThanOrEqual(2);
    expect(stage.kernel.keeping.stored('web')).toEqual(['kept']);
    expect(stage.kernel.speech.stateFiles.has('web')).toBe(false);
  });
});

describe('the new generation dies after it took over', () => {
  it('while the old one drains: started anew, and the old one is never asked back (2-16) (D13)', () => {
    const slow = program(handsOver(), readyAfter(50), drains(20_000));
    const stage = serving(thorough(), slow);
    const old = stage.serving('web');
    reach(stage, 'after');
    stage.runUntilState('web', 'running');
    stage.run(100);
    stage.kill(stage.serving('web'));
    stage.run(5_000);
    expect(stage.service('web')).toMatchObject({ generation: 3, state: { name: 'running' } });
    expect(stage.service('web').restarts.total).toBe(1);
    expect(stage.kernel.speech.accepting('web')).toEqual([stage.serving('web')]);
    expect(old.life).toBe('alive');
    stage.run(30_000);
    expectWhole(stage, 3);
  });
});

describe('a stop in a hand-over', () => {
  it.each(phases)(
    'in %s leaves nothing: the new one is ended, the old one stopped by its rules (2-19) (D9)',
    (phase) => {
      const stage = serving(thorough());
      const was = standingOf(stage);
      reach(stage, phase);
      stage.ask('web', 'stop');
      stage.run(60_000);
      expect(stage.state('web')).toMatchObject({ name: 'stopped', why: 'requested' });
      expectNothingLeft(stage);
      expect(progressSince(stage, was).type).toBe('failed');
      expect(stage.kernel.keeping.areOpen(stage.service('web').spec)).toBe(false);
      stage.ask('web', 'start');
      stage.run(5_000);
      expect(stage.state('web').name).toBe('running');
    },
  );

  it.each(phases)('in %s is waited for, however stubborn the new one is', (phase) => {
    const stage = serving(thorough(), polite, [program(handsOver(), readyAfter(50), ignoresTerm)]);
    reach(stage, phase);
    stage.ask('web', 'stop');
    stage.runUntilState('web', 'stopped');
    expectNothingLeft(stage);
  });

  it.each(phases)('that is the removal of the service, in %s', (phase) => {
    const stage = serving(thorough());
    reach(stage, phase);
    stage.apply([]);
    stage.runUntil(() => !stage.keeper.services.has('web'));
    expectNothingLeft(stage);
  });

  it.each(phases)('that is the end of the keeper, in %s', (phase) => {
    const stage = serving(thorough());
    reach(stage, phase);
    stage.end();
    stage.runUntilState('web', 'stopped');
    expectNothingLeft(stage);
  });

  it('while old generations drain ends them too, at once', () => {
    const slow = program(handsOver(), readyAfter(50), ignoresTerm);
    const stage = serving(thorough({ handover: { mode: 'overlap', drain: null, maxDraining: 3 } }), slow);
    for (let n = 0; n < 3; n++) {
      stage.ask('web', 'restart');
      stage.run(1_000);
    }
    expect(stage.service('web').draining).toHaveLength(3);
    stage.ask('web', 'stop');
    stage.run(30_000);
    expect(stage.state('web').name).toBe('stopped');
    expectNothingLeft(stage);
  });

  it('of one that is down by its policy, while its old generation drains, waits for that', () => {
    const slow = program(handsOver(), readyAfter(50), ignoresTerm);
    const stage = serving(
      overlapping({ restart: { when: 'never' }, handover: { mode: 'overlap', drain: null } }),
      slow,
    );
    stage.ask('web', 'restart');
    stage.run(1_000);
    stage.host.end(stage.serving('web'), { type: 'exited', code: 0 });
    stage.run(5_000);
    expect(stage.state('web')).toMatchObject({ name: 'stopped', why: 'policy' });
    expect(stage.service('web').draining).toHaveLength(1);
    stage.apply([]);
    stage.runUntil(() => !stage.keeper.services.has('web'));
    expectNothingLeft(stage);
  });
});

describe('a hold in a hand-over', () => {
  it.each(phases)('in %s calls it off: nothing takes over on its own behind a hold', (phase) => {
    const stage = serving(thorough());
    const was = standingOf(stage);
    reach(stage, phase);
    stage.ask('web', 'hold');
    stage.run(20_000);
    expect(stage.state('web')).toEqual(was.service.state);
    expect(progressSince(stage, was).text).toMatch(/it is put on hold/);
    stage.ask('web', 'unhold');
    stage.run(30_000);
    expectWhole(stage, 1);
  });
});

describe('a host that goes down', () => {
  it.each(phases)('in %s calls it off: nothing is started any more', (phase) => {
    const stage = serving(thorough());
    const was = standingOf(stage);
    reach(stage, phase);
    stage.turnHost('ending');
    stage.run(20_000);
    expect(stage.state('web')).toEqual(was.service.state);
    expectWhole(stage, 1);
  });
});

describe('a keeper that is killed in a hand-over', () => {
  it.each(phases)('in %s: the old one goes on, nothing is left of the new one (2-28) (D12)', (phase) => {
    const stage = serving(thorough());
    const was = standingOf(stage);
    reach(stage, phase);
    stage.killKeeper();
    stage.run(500);
    expect(was.main.life).toBe('alive');
    stage.startKeeper();
    stage.run(20_000);
    expect(stage.state('web')).toMatchObject({
      name: 'running',
      process: was.main.ref,
      since: was.service.state.since,
    });
    expectWhole(stage, 1);
    expect(stage.service('web').restarts).toEqual(was.service.restarts);
    expectNotTouched(was.main.received);
    stage.ask('web', 'restart');
    stage.run(5_000);
    expect(stage.service('web').state.name).toBe('running');
    expect(stage.serving('web').ref).not.toEqual(was.main.ref);
  });

  const expectNotTouched = (received: readonly string[]): void => expect(received).toEqual([]);

  it.each(Array.from({ length: 40 }, (_, index) => index + 1))(
    'at its %s. call: one that serves, and nothing besides (2-28) (2-29) (2-30) (D12)',
    (calls) => {
      const patient = program(handsOver({ orphaned: 'waits' }), readyAfter(50));
      const stage = serving(thorough(), patient);
      stage.killKeeperAfter(calls);
      stage.ask('web', 'restart');
      stage.run(2_000);
      if (stage.keeperLives === 'yes') stage.killKeeper();
      stage.startKeeper();
      stage.run(90_000);
      expectWhole(stage, stage.service('web').generation);
      expect(stage.service('web').restarts.total).toBe(0);
      expect(stage.helpers('web', 'beforeStart')).toEqual([]);
      expect(stage.helpers('web', 'afterStart')).toEqual([]);
    },
  );

  it('between the record and the words: the next one says them (2-29)', () => {
    const stage = serving(overlapping(), program(handsOver({ orphaned: 'waits' }), readyAfter(50)));
    const was = standingOf(stage);
    stage.onEffect = (effect) => {
      if (effect.type === 'tell' && effect.word.type === 'accept' && stage.keeperLives === 'yes') stage.killKeeper();
    };
    stage.ask('web', 'restart');
    stage.run(1_000);
    expect(stage.keeperLives).toBe('no');
    stage.onEffect = () => {};
    stage.startKeeper();
    stage.run(5_000);
    expectWhole(stage, 2);
    expect(was.main.life).toBe('gone');
    expect(stage.service('web').restarts.total).toBe(0);
  });

  it('while the old one drains: it ends by its own deadline, under the next one (2-30)', () => {
    const slow = program(handsOver(), readyAfter(50), ignoresTerm);
    const stage = serving(overlapping({ handover: { mode: 'overlap', drain: seconds(20) } }), slow);
    const old = stage.serving('web');
    stage.ask('web', 'restart');
    stage.run(10_000);
    const now = stage.serving('web');
    stage.killKeeper();
    stage.run(2_000);
    stage.startKeeper();
    stage.run(7_000);
    expect(old.life).toBe('alive');
    stage.run(10_000);
    expect(old.life).toBe('gone');
    expect(stage.serving('web')).toBe(now);
    expect(now.received).toEqual([]);
    expectWhole(stage, 2);
  });

  it('while a dismissed one ends: that one ends all the same', () => {
    const stubborn = program(handsOver({ verdict: 'refused' }), readyAfter(50), ignoresTerm);
    const stage = serving(overlapping(), polite, [stubborn]);
    stage.ask('web', 'restart');
    stage.run(200);
    stage.killKeeper();
    stage.run(1_000);
    stage.startKeeper();
    stage.run(15_000);
    expectWhole(stage, 1);
  });
});

describe('an apply', () => {
  const other = (spec: ServiceSpec, argument: string): ServiceSpec =>
    spec.kind.type === 'supervised' ? { ...spec, kind: { ...spec.kind, run: command(`/srv/web ${argument}`) } } : spec;

  it('replaces what needs another process beside it, under the new definition', () => {
    const spec = thorough();
    const stage = serving(spec);
    stage.apply([other(spec, 'new')]);
    expect(stage.state('web').name).toBe('handover');
    stage.run(5_000);
    expectWhole(stage, 2);
    expect(stage.serving('web').argv).toEqual(['/srv/web', 'new']);
    expect(stage.service('web')).toMatchObject({ next: null, spec: other(spec, 'new') });
  });

  it('that is refused leaves the old one under its old definition', () => {
    const spec = thorough();
    const stage = serving(spec, polite, [program(handsOver({ verdict: 'refused' }), readyAfter(50))]);
    const was = standingOf(stage);
    stage.apply([other(spec, 'new')]);
    stage.run(1_000);
    expectUndone(stage, was, /refused/);
  });

  it.each(phases)('in %s of a hand-over begins it anew by the latest definition', (phase) => {
    const spec = thorough();
    const stage = serving(spec);
    reach(stage, phase);
    stage.apply([other(spec, 'newer')]);
    stage.run(20_000);
    expect(stage.serving('web').argv).toEqual(['/srv/web', 'newer']);
    expectWhole(stage, stage.service('web').generation);
    expect(stage.service('web').restarts.total).toBe(0);
  });

  it.each(phases)('that is taken back, in %s, leaves the old one as it is', (phase) => {
    const spec = thorough();
    const stage = serving(spec);
    const was = standingOf(stage);
    stage.apply([other(spec, 'new')]);
    for (let n = 0; n < 1_000; n++) {
      const { state } = stage.service('web');
      if (state.name === 'handover' && state.phase === phase) break;
      stage.run(1);
    }
    stage.apply([spec]);
    stage.run(20_000);
    expect(stage.state('web')).toEqual(was.service.state);
    expectWhole(stage, 1);
  });

  it('of what is live at once does not disturb a hand-over', () => {
    const spec = thorough();
    const stage = serving(spec);
    reach(stage, 'warming');
    stage.apply([{ ...spec, description: 'told apart' }]);
    stage.run(5_000);
    expectWhole(stage, 2);
    expect(stage.service('web').spec.description).toBe('told apart');
  });

  it('waits for its turn where as many old generations drain as may (D8)', () => {
    const slow = program(handsOver(), readyAfter(50), drains(20_000));
    const spec = thorough();
    const stage = serving(spec, slow);
    stage.ask('web', 'restart');
    stage.run(1_000);
    stage.apply([other(spec, 'new')]);
    expect(stage.service('web')).toMatchObject({ enrolled: 'changed', state: { name: 'running' } });
    stage.run(10_000);
    expect(stage.serving('web').argv).toEqual(['/srv/web']);
    stage.run(15_000);
    expect(stage.serving('web').argv).toEqual(['/srv/web', 'new']);
    expect(stage.service('web')).toMatchObject({ generation: 3, enrolled: null });
  });
});

describe('a restart by stop and start', () => {
  const replaced = (wish: Parameters<typeof supervised>[0] = {}) =>
    supervised({ ready: { probe: { type: 'notify' } }, notifyAccess: 'main', sockets: [http], fdStore: 4, ...wish });

  it('has its state written first, and keeps sockets and store (D14)', () => {
    const stage = serving(replaced());
    stage.say('web', { store: { type: 'store', name: 'kept', poll: 'yes' } }, undefined, 1);
    stage.run(5);
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(10);
    expect(stage.state('web')).toMatchObject({ name: 'stopping', phase: 'exporting' });
    expect(was.main.received).toEqual([]);
    stage.run(15);
    expect(stage.kernel.speech.stateFiles.has('web')).toBe(true);
    stage.run(5_000);
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' } });
    expect(stage.kernel.keeping.stored('web')).toEqual(['kept']);
    expect(stage.kernel.keeping.areOpen(stage.service('web').spec)).toBe(true);
  });

  it('is refused where its state cannot be written: it goes on as it was (2-32)', () => {
    const stage = serving(replaced(), program(handsOver({ exports: { after: 20, as: 'failed' } }), readyAfter(50)));
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(1_000);
    expect(stage.state('web')).toEqual(was.service.state);
    expect(stage.service('web').restarts).toEqual(was.service.restarts);
    expect(was.main.received).toEqual([]);
    expect(progressSince(stage, was)).toMatchObject({ type: 'failed' });
    expect(progressSince(stage, was).text).toMatch(/its state could not be written: No space left on device/);
  });

  it('does not ask one for its state that has said that it is stopping, and is ended for not doing it', () => {
    const torn = program(handsOver({ exports: { after: 20, as: 'failed' } }), readyAfter(50));
    const stage = serving(replaced(), torn);
    stage.say('web', { stopping: 'yes' });
    stage.run(60_000);
    expect(stage.happened('web', 'handoverRefused')).toEqual([]);
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' } });
  });

  it('that is refused is no new life for its heartbeats', () => {
    const beats = [heartbeat({ then: { type: 'notice' }, fails: { count: 1, of: 1 } })];
    const torn = program(handsOver({ exports: { after: 20, as: 'failed' } }), readyAfter(50));
    const stage = serving(replaced({ heartbeats: beats }), torn);
    stage.let('web', 'wrong');
    stage.run(60_000);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(1);
    stage.ask('web', 'restart');
    stage.run(120_000);
    expect(stage.happened('web', 'handoverRefused')).toHaveLength(1);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(1);
  });

  it('gives up on it after the time for that', () => {
    const stage = serving(replaced(), program(handsOver({ exports: { after: 0, as: 'never' } }), readyAfter(50)));
    const was = standingOf(stage);
    stage.ask('web', 'restart');
    stage.run(10_100);
    expect(stage.state('web')).toEqual(was.service.state);
    expect(stage.kernel.speech.isStill(was.main.ref)).toBe(false);
  });

  it('asks nothing of it where it is to stay down', () => {
    const stage = serving(replaced());
    stage.ask('web', 'stop');
    stage.run(5_000);
    expect(stage.effects.filter(({ type }) => type === 'export')).toEqual([]);
    expect(stage.state('web').name).toBe('stopped');
    expect(stage.kernel.keeping.areOpen(stage.service('web').spec)).toBe(false);
  });

  it('gives nobody what was half written when it died', () => {
    const stage = serving(replaced(), program(handsOver({ exports: { after: 0, as: 'never' } }), readyAfter(50)));
    stage.kernel.speech.stateFiles.add('web');
    stage.ask('web', 'restart');
    stage.run(10);
    stage.kill(stage.serving('web'));
    stage.run(5_000);
    expect(stage.kernel.speech.stateFiles.has('web')).toBe(false);
    expect(stage.state('web').name).toBe('running');
  });

  it('goes on after a keeper was killed in the middle of it', () => {
    const stage = serving(replaced());
    stage.ask('web', 'restart');
    stage.run(10);
    stage.killKeeper();
    stage.run(100);
    stage.startKeeper();
    stage.run(10_000);
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' } });
    expect(stage.mains('web')).toHaveLength(1);
  });

  it('is at once and uncounted after an agreed exit code, and keeps sockets, store and state', () => {
    const stage = serving(replaced({ restart: { alwaysAfter: [{ type: 'code', code: 75 }], when: 'never' } }));
    stage.say('web', { store: { type: 'store', name: 'kept', poll: 'yes' } }, undefined, 1);
    stage.run(5);
    const from = stage.effects.length;
    for (let n = 2; n <= 21; n++) {
      stage.host.end(stage.serving('web'), { type: 'exited', code: 75 });
      stage.run(500);
      expect(stage.service('web')).toMatchObject({ generation: n, state: { name: 'running' } });
    }
    expect(stage.service('web').restarts.window).toEqual([]);
    expect(stage.kernel.keeping.stored('web')).toEqual(['kept']);
    const letGo = stage.effects
      .slice(from)
      .filter(({ type }) => type === 'closeSockets' || type === 'emptyStore' || type === 'endExport');
    expect(letGo).toEqual([]);
  });
});

it('is refused in a start that never came: exits at once, by the rules', () => {
  const stage = serving(
    overlapping({ restart: { limit: { count: 3, within: seconds(300) }, then: 'give-up' } }),
    polite,
    [program(exitsAfter(5, 1), readyAfter(null))],
  );
  stage.kill(stage.serving('web'));
  stage.run(60_000);
  expect(stage.state('web').name).toBe('failed');
  expect(stage.service('web').draining).toEqual([]);
});
