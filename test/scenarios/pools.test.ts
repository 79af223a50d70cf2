import { describe, expect, it } from 'vitest';
import { type Progress, progressOf } from '../../src/core/operation.js';
import { outlookOf } from '../../src/core/outlook.js';
import type { ServiceSpec } from '../../src/core/spec.js';
import { seconds } from '../../src/core/time.js';
import { worldOf } from '../../src/core/world.js';
import { members, supervised } from '../support/builders.js';
import { drains, exitsAfter, program, readyAfter, sleepsInKernel } from '../support/program.js';
import { Stage } from '../support/stage.js';

const MINUTE = 60_000;
const names = (of: number, name = 'web'): readonly string[] => members(name, of).map((spec) => spec.name);

function running(specs: readonly ServiceSpec[]): Stage {
  const stage = Stage.with(specs);
  stage.runUntil(() => specs.every(({ name }) => stage.state(name).name === 'running'));
  return stage;
}

/** In which order they were started since, and the fewest that served at any moment. */
function watch(stage: Stage, all: readonly string[]): { readonly order: string[]; readonly fewest: () => number } {
  const order: string[] = [];
  let fewest = all.length;
  const count = (): void => {
    fewest = Math.min(fewest, all.filter((name) => stage.state(name).name === 'running').length);
  };
  stage.onEffect = (effect) => {
    if (stage.keeperLives === 'yes') count();
    if (effect.type === 'spawn') order.push(effect.spec.name);
  };
  return { order, fewest: () => fewest };
}

/** Until nobody moves or waits for its turn any more. */
function settle(stage: Stage, all: readonly string[]): void {
  stage.runUntil(() =>
    all.every((name) => {
      const { state, enrolled } = stage.service(name);
      return enrolled === null && state.name !== 'stopping' && state.name !== 'starting' && state.name !== 'waiting';
    }),
  );
}

const generations = (stage: Stage, all: readonly string[]): readonly number[] =>
  all.map((name) => stage.service(name).generation);

/** What came of a restart that was asked for when that many changes had happened. */
function progress(stage: Stage, name: string, since: number): Progress {
  const { services } = stage.keeper;
  const mine = stage.changes.slice(since).filter(({ service }) => service === name);
  return progressOf('restart', mine, stage.service(name), stage.clock.now(), outlookOf(worldOf(services)));
}

describe('a pool', () => {
  it('is restarted one member at a time in their order, the next when the one before is ready', () => {
    const stage = running(members('web', 4));
    const watched = watch(stage, names(4));
    stage.askAll(names(4), 'restart');
    settle(stage, names(4));
    expect(watched.order).toEqual(names(4));
    expect(watched.fewest()).toBe(3);
    expect(generations(stage, names(4))).toEqual([2, 2, 2, 2]);
    expect(stage.service('web@1').restarts.total).toBe(0);
  });

  it('has a number for each member, not a letter: the tenth comes after the ninth', () => {
    const stage = running(members('web', 11));
    const watched = watch(stage, names(11));
    stage.askAll([...names(11)].reverse(), 'restart');
    settle(stage, names(11));
    expect(watched.order).toEqual(names(11));
    expect(watched.fewest()).toBe(10);
  });

  it('is waited for, member by member', () => {
    const stage = running(members('web', 2));
    const since = stage.changes.length;
    stage.askAll(names(2), 'restart');
    stage.run(10);
    expect(progress(stage, 'web@2', since)).toEqual({ type: 'pending', text: 'waiting for its turn' });
    settle(stage, names(2));
    expect(progress(stage, 'web@2', since).type).toBe('done');
  });

  it('whose members are all down is started at once: there is nothing to spare', () => {
    const stage = running(members('web', 3));
    stage.askAll(names(3), 'stop');
    stage.run(MINUTE);
    stage.askAll(names(3), 'restart');
    stage.run(10);
    expect(names(3).map((name) => stage.state(name).name)).toEqual(['starting', 'starting', 'starting']);
  });

  it('of which one member is asked to restart restarts that one at once', () => {
    const stage = running(members('web', 3));
    stage.host.install('/srv/web@1', program(exitsAfter(1, 1)));
    stage.kill(stage.main('web@1'));
    stage.runUntilState('web@1', 'backoff');
    stage.ask('web@3', 'restart');
    expect(stage.state('web@3').name).toBe('stopping');
  });

  it('takes another definition one member at a time, each stopped under the old one', () => {
    const stage = running(members('web', 4));
    const watched = watch(stage, names(4));
    stage.apply(members('web', 4, { run: '/srv/new' }));
    expect(names(4).map((name) => stage.service(name).enrolled)).toEqual([null, 'changed', 'changed', 'changed']);
    settle(stage, names(4));
    expect(watched.order).toEqual(names(4));
    expect(watched.fewest()).toBe(3);
    expect(names(4).map((name) => stage.main(name).exe)).toEqual(Array(4).fill('/srv/new'));
  });

  it('keeps its other members under their old definition when the first does not start under the new one', () => {
    const stage = running(members('web', 4));
    stage.host.install('/srv/broken', program(exitsAfter(1, 3)));
    const old = generations(stage, names(4)).slice(1);
    stage.apply(members('web', 4, { run: '/srv/broken' }));
    stage.run(10 * MINUTE);
    expect(generations(stage, names(4)).slice(1)).toEqual(old);
    expect(stage.service('web@2')).toMatchObject({ enrolled: null, spec: { kind: { run: { argv: ['/srv/web@2'] } } } });
    expect(stage.happened('web@2', 'rollEnded').map(({ what }) => what)).toEqual([
      { type: 'rollEnded', reason: expect.stringMatching(/^web@1 did not start: .*code 3/) },
    ]);
    expect(stage.happened('web@1', 'rollEnded')).toHaveLength(0);
  });

  it('that was stopped short by a broken definition takes the mended one, and one that is taken back moves one member alone', () => {
    const stage = running(members('web', 3));
    stage.host.install('/srv/broken', program(exitsAfter(1, 3)));
    stage.apply(members('web', 3, { run: '/srv/broken' }));
    stage.run(1000);
    stage.apply(members('web', 3));
    settle(stage, names(3));
    stage.runUntilState('web@1', 'running');
    expect(generations(stage, names(3)).slice(1)).toEqual([1, 1]);
    stage.apply(members('web', 3, { run: '/srv/broken' }));
    stage.run(1000);
    stage.apply(members('web', 3, { run: '/srv/good' }));
    settle(stage, names(3));
    expect(names(3).map((name) => stage.main(name).exe)).toEqual(Array(3).fill('/srv/good'));
  });

  it('says of each member that was to follow why it is not restarted (exit code of the command: 1)', () => {
    const stage = running(members('web', 3));
    stage.host.install('/srv/web@1', program(exitsAfter(1, 1)));
    const since = stage.changes.length;
    stage.askAll(names(3), 'restart');
    stage.run(1000);
    const told = names(3).map((name) => progress(stage, name, since));
    expect(told.map(({ type }) => type)).toEqual(['failed', 'failed', 'failed']);
    expect(told[2]?.text).toMatch(/^web@1 did not start: /);
  });

  it('whose member never becomes ready goes no further: the others serve on (monitors 27)', () => {
    const stage = running(
      members('web', 3, { ready: { probe: { type: 'port', host: '127.0.0.1', port: 80 }, timeout: seconds(5) } }),
    );
    stage.host.install('/srv/web@1', program(readyAfter(null)));
    stage.askAll(names(3), 'restart');
    stage.run(MINUTE);
    expect(generations(stage, names(3)).slice(1)).toEqual([1, 1]);
    expect(stage.happened('web@3', 'rollEnded').map(({ what }) => what)).toEqual([
      { type: 'rollEnded', reason: 'web@1 did not start: was not ready within 5 s, stopped by us' },
    ]);
  });

  it('waits for a member that dies meanwhile, which comes back by its own rule', () => {
    const stage = running(members('web', 3));
    const watched = watch(stage, names(3));
    stage.askAll(names(3), 'restart');
    stage.run(10);
    stage.kill(stage.main('web@3'));
    stage.runUntilState('web@3', 'starting');
    settle(stage, names(3));
    // Its restart came by its death: it has none to wait for any more.
    expect(generations(stage, names(3))).toEqual([2, 2, 2]);
    expect(watched.order).toEqual(['web@1', 'web@3', 'web@2']);
    expect(stage.service('web@3').restarts.total).toBe(1);
  });

  it('goes on past a member that an operator stops or holds meanwhile, and past one that is down', () => {
    const stage = running(members('web', 5));
    stage.ask('web@2', 'stop');
    stage.run(1000);
    stage.askAll(['web@1', 'web@3', 'web@4', 'web@5'], 'restart');
    stage.ask('web@1', 'stop');
    stage.ask('web@4', 'hold');
    stage.run(100);
    settle(stage, names(5));
    expect(generations(stage, names(5))).toEqual([1, 1, 2, 1, 2]);
    expect(stage.happened('web@4', 'rollEnded').map(({ what }) => what)).toEqual([
      { type: 'rollEnded', reason: 'it is on hold' },
    ]);
  });

  it('gives a held member its new definition in its turn once it is let go', () => {
    const stage = running(members('web', 2));
    stage.ask('web@2', 'hold');
    stage.apply(members('web', 2, { run: '/srv/new' }));
    stage.run(MINUTE);
    expect(generations(stage, names(2))).toEqual([2, 1]);
    stage.ask('web@1', 'restart');
    stage.ask('web@2', 'unhold');
    expect(stage.service('web@2').enrolled).toBe('changed');
    settle(stage, names(2));
    expect(stage.main('web@2').exe).toBe('/srv/new');
  });

  it('goes no further where a member does not end', () => {
    const stage = new Stage();
    stage.host.install('/srv/web@1', program(sleepsInKernel));
    stage.addAll(members('web', 2));
    stage.runUntilState('web@2', 'running');
    stage.askAll(names(2), 'restart');
    stage.run(MINUTE);
    expect(stage.state('web@1')).toMatchObject({ name: 'stopping', phase: 'stuck' });
    expect(stage.happened('web@2', 'rollEnded')).toHaveLength(1);
  });

  it.each(Array.from({ length: 60 }, (_, at) => at + 1))(
    'is restarted to its end, one at a time, although the keeper is killed after %i calls',
    (calls) => {
      const stage = running(members('web', 3));
      stage.host.install('/srv/web@1', program(drains(50)));
      const watched = watch(stage, names(3));
      stage.killKeeperAfter(calls);
      stage.askAll(names(3), 'restart');
      stage.run(10_000);
      const isAsked = stage.journal
        .load()
        .some(({ enrolled, state }) => enrolled !== null || state.name === 'stopping');
      stage.cutFuse();
      if (stage.keeperLives === 'no') stage.startKeeper();
      settle(stage, names(3));
      expect(watched.fewest()).toBeGreaterThanOrEqual(2);
      if (isAsked) expect(names(3).map((name) => stage.mains(name).length)).toEqual([1, 1, 1]);
      expect(stage.problems).toEqual([]);
    },
  );

  it('of another size adds and removes members, and touches no other', () => {
    const stage = running(members('web', 4));
    const first = names(4).map((name) => stage.main(name).ref.pid);
    const since = stage.changes.length;
    stage.apply(members('web', 6));
    settle(stage, names(6));
    expect(names(4).map((name) => stage.main(name).ref.pid)).toEqual(first);
    stage.apply(members('web', 3));
    stage.run(MINUTE);
    expect([...stage.keeper.services.keys()]).toEqual(names(3));
    expect(names(3).map((name) => stage.main(name).ref.pid)).toEqual(first.slice(0, 3));
    expect(stage.changes.slice(since).filter(({ service }) => names(3).includes(service))).toEqual([]);
  });

  it('that grows or shrinks in the middle of a restart is restarted to its end', () => {
    const stage = running(members('web', 4));
    stage.askAll(names(4), 'restart');
    stage.run(10);
    stage.apply(members('web', 5));
    stage.run(1500);
    stage.apply(members('web', 3));
    settle(stage, names(3));
    expect(generations(stage, names(3))).toEqual([2, 2, 2]);
  });

  it('is still there for those that need it while it rolls', () => {
    const stage = running([...members('web', 3), supervised({ name: 'front', needs: names(3) })]);
    stage.askAll(names(3), 'restart');
    settle(stage, names(3));
    expect(generations(stage, ['front', ...names(3)])).toEqual([1, 2, 2, 2]);
  });

  it('is restarted once with those that need it', () => {
    const stage = running([...members('web', 3), supervised({ name: 'front', needs: names(3) })]);
    stage.askAll(['front', ...names(3)], 'restart');
    settle(stage, ['front', ...names(3)]);
    stage.runUntilState('front', 'running');
    expect(generations(stage, ['front', ...names(3)])).toEqual([2, 2, 2, 2]);
  });
});

describe('an ask about several services', () => {
  it.each([[['a', 'b']], [['b', 'a']]])('restarts %s once each, where b needs a (monitors 22)', (order) => {
    const stage = running([supervised({ name: 'a' }), supervised({ name: 'b', needs: ['a'] })]);
    stage.askAll(order, 'restart');
    stage.run(MINUTE);
    expect(generations(stage, ['a', 'b'])).toEqual([2, 2]);
  });

  it('stops the dependents first: a gets its signal when b has ended (monitors 25)', () => {
    const stage = running([supervised({ name: 'a' }), supervised({ name: 'b', needs: ['a'] })]);
    stage.host.install('/srv/b', program(drains(500)));
    stage.ask('b', 'restart');
    stage.run(MINUTE);
    stage.askAll(['a', 'b'], 'stop');
    stage.run(300);
    expect(stage.signals('a')).toEqual([]);
    stage.run(1000);
    expect(stage.signals('a')).toEqual(['SIGTERM']);
    expect(stage.state('b').name).toBe('stopped');
  });
});
