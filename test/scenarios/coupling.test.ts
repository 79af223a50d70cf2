// Needs, wants, after and restartWith between services that are not a ring: who goes with whom, in which order, and on whose account.

import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../src/core/spec.js';
import { millis, seconds } from '../../src/core/time.js';
import { command, ladder, restartDefaults, rung, supervised, watched } from '../support/builders.js';
import {
  drains,
  exitsAfter,
  ignoresTerm,
  lives,
  program,
  readyAfter,
  refused,
  sleepsInKernel,
} from '../support/program.js';
import { Stage } from '../support/stage.js';
import { actsSince, endMain, isUntouched, rests, settle, standing, tally, waveIds, waves } from '../support/troupe.js';

const byPort = { probe: { type: 'port', host: '127.0.0.1', port: 80 }, timeout: seconds(5) } as const;

type Wish = Parameters<typeof supervised>[0];
const service = (name: string, wish: Wish = {}): ServiceSpec => supervised({ name, ready: byPort, ...wish });

const namesOf = (specs: readonly ServiceSpec[]): readonly string[] => specs.map(({ name }) => name);

/** Its next start is so long after its end, when it has been up for a minute. */
const backAfter = (wait: number): Pick<ServiceSpec, 'restart'> => {
  const delay = millis(60_000 + wait);
  return { restart: { ...restartDefaults, delay, backoff: { factor: 1, max: delay, jitter: 0 } } };
};

const drainsFor = (length: number) => program(drains(length), readyAfter(20));

/** web needs app needs db; two more need nothing. */
const chain = [
  service('web', { needs: ['app'] }),
  service('db'),
  service('cache', { needs: ['db'] }),
  service('app', { needs: ['db'] }),
  service('mail'),
];

describe('an operator', () => {
  it('who stops A takes those that need it down first, A last, and keeps them down until A is started again (supervisors 25) (supervisors 29)', () => {
    const stage = standing(chain);
    for (const name of ['app', 'web', 'cache']) stage.host.install(`/srv/${name}`, drainsFor(500));
    for (const name of ['db']) stage.ask(name, 'restart');
    rests(stage, namesOf(chain));
    const effects = stage.effects.length;
    stage.ask('db', 'stop');
    stage.run(60_000);
    const acts = actsSince(stage, effects);
    expect(acts.indexOf('SIGTERM web')).toBeLessThan(acts.indexOf('SIGTERM app'));
    expect(acts.at(-1)).toBe('SIGTERM db');
    expect(acts).toHaveLength(4);
    expect(stage.state('db').name).toBe('stopped');
    for (const name of ['app', 'web', 'cache']) {
      expect(stage.state(name)).toMatchObject({ name: 'waiting', for: 'turn' });
      expect(stage.happened(name, 'waits').at(-1)?.what).toMatchObject({ for: [name === 'web' ? 'app' : 'db'] });
    }
    stage.run(600_000);
    expect(stage.effects).toHaveLength(
      effects + 4 + stage.effects.slice(effects).filter((it) => it.type !== 'signal').length,
    );
    const back = stage.effects.length;
    stage.ask('db', 'start');
    rests(stage, namesOf(chain));
    expect(actsSince(stage, back, ['db', 'app', 'web'])).toEqual(['start db', 'start app', 'start web']);
    expect(stage.service('app').restarts.total).toBe(0);
    expect(stage.main('mail').received).toEqual([]);
  });

  it('who restarts A restarts those that need it, each once, none charged', () => {
    const stage = standing(chain);
    const effects = stage.effects.length;
    stage.ask('db', 'restart');
    rests(stage, namesOf(chain));
    const acts = actsSince(stage, effects, ['web', 'app', 'db']);
    expect(acts).toEqual(['SIGTERM web', 'SIGTERM app', 'SIGTERM db', 'start db', 'start app', 'start web']);
    expect(tally(stage, namesOf(chain))).toEqual({
      db: '2 starts, 0 charged',
      app: '2 starts, 0 charged',
      web: '2 starts, 0 charged',
      cache: '2 starts, 0 charged',
      mail: '1 starts, 0 charged',
    });
    expect(waves(stage)).toHaveLength(1);
  });

  for (const names of [
    ['db', 'app'],
    ['app', 'db'],
  ]) {
    for (const how of ['together', 'one after the other'] as const) {
      it(`who restarts ${names.join(' and ')} ${how} restarts each exactly once (monitors 22)`, () => {
        const stage = standing(chain);
        if (how === 'together') stage.askAll(names, 'restart');
        else for (const name of names) stage.ask(name, 'restart');
        rests(stage, namesOf(chain));
        for (const name of ['db', 'app', 'web', 'cache']) expect([name, stage.spawns(name)]).toEqual([name, 2]);
      });
    }
  }

  it('who starts B starts A first, but no other that depends on B (monitors 23)', () => {
    const stage = standing(chain);
    stage.host.install('/srv/db', program(refused('ENOENT')));
    stage.ask('web', 'stop');
    stage.ask('cache', 'stop');
    endMain(stage, 'db', 'SIGKILL');
    stage.runUntilState('db', 'failed');
    stage.host.install('/srv/db', program(lives, readyAfter(20)));
    const effects = stage.effects.length;
    stage.ask('app', 'start');
    stage.run(5_000);
    expect(actsSince(stage, effects)).toEqual(['start db', 'start app']);
    expect(stage.state('web').name).toBe('stopped');
    expect(stage.state('cache').name).toBe('stopped');
  });

  it('who starts B cuts the delay of A short', () => {
    const stage = standing([service('db', backAfter(40_000)), service('app', { needs: ['db'] })]);
    endMain(stage, 'db', 1);
    stage.runUntilState('db', 'backoff');
    stage.ask('app', 'start');
    stage.run(1_000);
    expect(stage.state('app').name).toBe('running');
  });

  it('who starts B gets it when A is started, where A was stopped or is on hold: nobody starts that for its sake (monitors 23)', () => {
    const stage = standing([service('db'), service('app', { needs: ['db'] })]);
    stage.ask('db', 'stop');
    stage.run(5_000);
    stage.ask('app', 'start');
    stage.run(60_000);
    expect(stage.state('db').name).toBe('stopped');
    expect(stage.state('app')).toMatchObject({ name: 'waiting', for: 'turn' });
    stage.ask('db', 'start');
    rests(stage, ['db', 'app']);
  });

  it('who stops A in the patience of B takes B down at once', () => {
    const needs = [{ service: 'db', grace: millis(60_000) }];
    const stage = standing([service('db', backAfter(40_000)), service('app', { needs })]);
    endMain(stage, 'db', 1);
    stage.runUntilState('db', 'backoff');
    expect(stage.state('app').name).toBe('running');
    stage.ask('db', 'stop');
    stage.run(1_000);
    expect(stage.state('app')).toMatchObject({ name: 'waiting', for: 'turn' });
  });
});

describe('a chain of four', () => {
  const four = [
    service('d', { needs: ['c'] }),
    service('c', { needs: ['b'] }),
    service('b', { needs: ['a'] }),
    service('a'),
  ];

  it('comes back by itself, in its order, when the first ends, and only the first is charged (supervisors 25) (supervisors 26) (monitors 21)', () => {
    const stage = standing(four);
    const [effects, changes] = [stage.effects.length, stage.changes.length];
    endMain(stage, 'a', 'SIGSEGV');
    rests(stage, namesOf(four));
    const starts = actsSince(stage, effects).filter((act) => act.startsWith('start'));
    expect(starts).toEqual(['start a', 'start b', 'start c', 'start d']);
    expect(tally(stage, namesOf(four))).toEqual({
      a: '2 starts, 1 charged',
      b: '2 starts, 0 charged',
      c: '2 starts, 0 charged',
      d: '2 starts, 0 charged',
    });
    expect(waveIds(stage, changes)).toHaveLength(1);
  });

  it('is not moved by the end of its last (monitors 21)', () => {
    const stage = standing(four);
    const mains = ['a', 'b', 'c'].map((name) => stage.main(name));
    endMain(stage, 'd', 'SIGSEGV');
    rests(stage, namesOf(four));
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      const main = mains[index];
      expect(main !== undefined && isUntouched(stage, name, main)).toBe(true);
    }
    expect(waves(stage)).toEqual([]);
  });

  it('waits for one in its middle whose start fails, and goes on when it has come up', () => {
    const stage = standing(four);
    stage.host.install('/srv/b', program(refused('ENOENT')));
    endMain(stage, 'a', 'SIGSEGV');
    stage.run(10_000);
    expect(stage.state('a').name).toBe('running');
    expect(stage.state('c')).toMatchObject({ name: 'waiting', for: 'turn' });
    expect(stage.service('a').restarts.total).toBe(1);
    expect(stage.service('b').restarts.total).toBeGreaterThan(2);
    stage.host.install('/srv/b', program(lives, readyAfter(20)));
    rests(stage, namesOf(four));
    expect(stage.service('c').restarts.total).toBe(0);
    expect(stage.spawns('d')).toBe(2);
  });

  it('takes a death in the middle of its wave into that wave, uncharged, where the wave has not started it again', () => {
    const stage = standing(four);
    for (const name of ['b', 'c', 'd']) stage.host.install(`/srv/${name}`, drainsFor(1_000));
    stage.ask('b', 'restart');
    rests(stage, namesOf(four));
    const changes = stage.changes.length;
    endMain(stage, 'a', 'SIGKILL');
    stage.run(500);
    endMain(stage, 'c', 'SIGSEGV');
    rests(stage, namesOf(four));
    expect(waveIds(stage, changes)).toHaveLength(1);
    expect(stage.service('c').restarts.total).toBe(0);
    expect(['a', 'b', 'c', 'd'].map((name) => stage.spawns(name))).toEqual([2, 3, 3, 3]);
  });

  it('begins a new wave with a death in the middle of one, where the wave had started it again', () => {
    const stage = standing(four);
    const changes = stage.changes.length;
    endMain(stage, 'a', 'SIGKILL');
    stage.runUntilState('b', 'waiting');
    stage.runUntilState('b', 'running');
    endMain(stage, 'b', 'SIGSEGV');
    rests(stage, namesOf(four));
    expect(waveIds(stage, changes)).toHaveLength(2);
    expect(tally(stage, namesOf(four))).toEqual({
      a: '2 starts, 1 charged',
      b: '3 starts, 1 charged',
      c: '3 starts, 0 charged',
      d: expect.stringMatching(/^[23] starts, 0 charged$/),
    });
  });
});

describe('one that a wave reaches on two ways', () => {
  it('is started when the longer way has reached it too: it moves once', () => {
    // The end of seed restarts fast at once, and with slow, which takes its time to end, base, which fast needs.
    const specs = [
      service('seed'),
      service('slow', { needs: ['seed'] }),
      service('base', { restartWith: ['slow'] }),
      service('fast', { needs: ['base'], restartWith: ['seed'] }),
    ];
    const stage = standing(specs);
    stage.host.install('/srv/slow', drainsFor(2_000));
    stage.ask('slow', 'restart');
    rests(stage, namesOf(specs));
    const [effects, fast] = [stage.effects.length, stage.spawns('fast')];
    endMain(stage, 'seed', 'SIGKILL');
    rests(stage, namesOf(specs));
    expect(stage.spawns('fast')).toBe(fast + 1);
    expect(actsSince(stage, effects, ['base', 'fast'])).toEqual([
      'SIGTERM fast',
      'SIGTERM base',
      'start base',
      'start fast',
    ]);
  });

  it('is moved by the end of one that hung, some day, as by a wave of its own', () => {
    const specs = [
      service('seed'),
      service('slow', { needs: ['seed'], stop: ladder(rung('SIGTERM', 500)) }),
      service('fast', { restartWith: ['seed', 'slow'] }),
    ];
    const stage = standing(specs);
    stage.host.install('/srv/slow', program(sleepsInKernel, readyAfter(20)));
    stage.ask('slow', 'restart');
    rests(stage, namesOf(specs));
    const changes = stage.changes.length;
    endMain(stage, 'seed', 'SIGKILL');
    stage.run(60_000);
    expect(stage.state('slow')).toMatchObject({ name: 'stopping', phase: 'stuck' });
    expect(stage.service('fast').wave).toBeNull();
    stage.host.release(stage.main('slow'));
    rests(stage, namesOf(specs));
    expect(waveIds(stage, changes)).toHaveLength(2);
  });

  it('is not forgotten when the one on the longer way hangs, or is put on hold', () => {
    const specs = [
      service('seed'),
      service('slow', { needs: ['seed'], stop: ladder(rung('SIGTERM', 500)) }),
      service('base', { restartWith: ['slow'] }),
      service('fast', { needs: ['base'], restartWith: ['seed'] }),
    ];
    for (const how of ['hangs', 'held'] as const) {
      const stage = standing(specs);
      stage.host.install('/srv/slow', program(sleepsInKernel, readyAfter(20)));
      stage.ask('slow', 'restart');
      rests(stage, namesOf(specs));
      endMain(stage, 'seed', 'SIGKILL');
      stage.run(100);
      expect(stage.state('fast')).toMatchObject({ name: 'waiting', for: 'turn' });
      if (how === 'held') stage.ask('slow', 'hold');
      stage.run(60_000);
      expect(stage.state('fast').name).toBe('running');
    }
  });
});

describe('a database in a crash loop', () => {
  it('with twenty that need it, moves them at most once for each of its delays, and on its own account alone (supervisors 31)', () => {
    const names = Array.from({ length: 20 }, (_, index) => `app${index}`);
    const specs = [service('db'), ...names.map((name) => service(name, { needs: ['db'] }))];
    const stage = standing(specs);
    const changes = stage.changes.length;
    stage.host.install('/srv/db', program(exitsAfter(25, 1), readyAfter(20)));
    endMain(stage, 'db', 'SIGKILL');
    stage.runUntilState('db', 'failed');
    const { total } = stage.service('db').restarts;
    expect(total).toBe(10);
    expect(waveIds(stage, changes).length).toBeLessThanOrEqual(total + 1);
    for (const name of names) {
      expect(stage.service(name).restarts).toMatchObject({ total: 0, window: [], streak: 0 });
      expect(stage.spawns(name)).toBeLessThanOrEqual(total + 1);
    }
    stage.run(55_000);
    for (const name of names) expect(stage.state(name)).toMatchObject({ name: 'waiting', for: 'turn' });
    stage.host.install('/srv/db', program(lives, readyAfter(20)));
    rests(stage, [...names, 'db']);
  });

  it('that never gets ready does not touch those that wait for it', () => {
    const specs = [service('db'), service('app', { needs: ['db'] })];
    const stage = standing(specs);
    stage.host.install('/srv/db', program(exitsAfter(5, 1), readyAfter(null)));
    endMain(stage, 'db', 'SIGKILL');
    stage.runUntilState('db', 'failed');
    expect(stage.spawns('app')).toBe(1);
    expect(waves(stage)).toHaveLength(1);
  });
});

describe('what is on hold, or wanted down', () => {
  it('is not touched by a wave, which says so (monitors 23)', () => {
    const specs = [
      service('db'),
      service('held', { needs: ['db'] }),
      service('off', { needs: ['db'] }),
      service('app', { needs: ['db'] }),
    ];
    const stage = standing(specs);
    stage.ask('held', 'hold');
    stage.ask('off', 'stop');
    stage.run(5_000);
    const held = stage.main('held');
    endMain(stage, 'db', 'SIGKILL');
    stage.run(60_000);
    expect(waves(stage)).toEqual(['db moves app; spares held (hold), off (down)']);
    expect(isUntouched(stage, 'held', held)).toBe(true);
    expect(stage.state('off').name).toBe('stopped');
    expect(stage.spawns('off')).toBe(1);
    rests(stage, ['db', 'app', 'held']);
  });

  it('is not waited for when A stops', () => {
    const stage = standing([service('db'), service('app', { needs: ['db'] })]);
    stage.ask('app', 'hold');
    stage.ask('db', 'stop');
    stage.run(1_000);
    expect(stage.state('db').name).toBe('stopped');
    expect(stage.state('app').name).toBe('running');
  });

  it('stays in its patience under a hold without a word of it each minute', () => {
    const stage = standing([
      service('db', backAfter(1_000_000)),
      service('app', { needs: [{ service: 'db', grace: seconds(10) }] }),
    ]);
    endMain(stage, 'db', 1);
    stage.run(1_000);
    stage.ask('app', { verb: 'hold', reason: null, until: (stage.clock.wall + 600_000) as never });
    const changes = stage.changes.length;
    stage.run(300_000);
    expect(stage.changes).toHaveLength(changes);
    expect(stage.state('app').name).toBe('running');
    stage.run(400_000);
    expect(stage.state('app')).toMatchObject({ name: 'waiting', for: 'turn' });
  });
});

describe('patience (grace)', () => {
  const patient = [service('db', backAfter(3_000)), service('app', { needs: [{ service: 'db', grace: seconds(5) }] })];

  it('leaves B untouched when A is ready again in time (supervisors 27)', () => {
    const stage = standing(patient);
    const app = stage.main('app');
    endMain(stage, 'db', 'SIGKILL');
    rests(stage, ['db', 'app']);
    expect(isUntouched(stage, 'app', app)).toBe(true);
    expect(app.received).toEqual([]);
    expect(waves(stage)).toEqual([]);
    const restarted = stage.main('db');
    stage.ask('db', 'restart');
    rests(stage, ['db', 'app']);
    expect(isUntouched(stage, 'db', restarted)).toBe(false);
    expect(isUntouched(stage, 'app', app)).toBe(true);
  });

  it('takes B down when A is not back in time, once, and brings it up again after A, uncharged', () => {
    const stage = standing(patient);
    stage.host.install('/srv/db', program(lives, readyAfter(4_000)));
    stage.ask('db', 'restart');
    stage.run(60_000);
    stage.host.install('/srv/db', program(refused('ENOENT')));
    endMain(stage, 'db', 'SIGKILL');
    stage.run(4_990);
    expect(stage.state('app').name).toBe('running');
    stage.run(100);
    expect(stage.state('app')).toMatchObject({ name: 'waiting', for: 'turn' });
    stage.host.install('/srv/db', program(lives, readyAfter(20)));
    stage.run(65_000);
    rests(stage, ['db', 'app']);
    expect(tally(stage, ['app'])).toEqual({ app: '2 starts, 0 charged' });
  });

  it('takes B down before A gets its signal when A is to stay down', () => {
    const stage = standing(patient);
    const effects = stage.effects.length;
    stage.ask('db', 'stop');
    stage.run(1_000);
    expect(actsSince(stage, effects)).toEqual(['SIGTERM app', 'SIGTERM db']);
  });

  it('charges nothing to B that ends by itself while A is missing (supervisors 25)', () => {
    const stage = standing(patient);
    const changes = stage.changes.length;
    endMain(stage, 'db', 'SIGKILL');
    stage.run(500);
    endMain(stage, 'app', 1);
    stage.run(100);
    expect(stage.state('app')).toMatchObject({ name: 'waiting', for: 'turn' });
    expect(stage.happened('app', 'died').at(-1)?.what).toMatchObject({ next: { type: 'others', names: ['db'] } });
    rests(stage, ['db', 'app']);
    expect(tally(stage, ['app'])).toEqual({ app: '2 starts, 0 charged' });
    expect(waveIds(stage, changes)).toHaveLength(1);
  });
});

describe('a start that fails while what it needs is away', () => {
  it('is not charged, and tried again when that is back', () => {
    const specs = [service('db', backAfter(3_000)), service('app', { needs: [{ service: 'db', grace: seconds(5) }] })];
    const stage = standing(specs);
    stage.ask('app', 'restart');
    stage.host.install('/srv/app', program(exitsAfter(500, 1), readyAfter(null)));
    stage.runUntilState('app', 'starting');
    endMain(stage, 'db', 'SIGKILL');
    stage.run(1_000);
    expect(stage.happened('app', 'startFailed')).toHaveLength(1);
    expect(stage.state('app')).toMatchObject({ name: 'waiting', for: 'turn' });
    stage.host.install('/srv/app', program(lives, readyAfter(20)));
    rests(stage, ['db', 'app']);
    expect(stage.service('app').restarts.total).toBe(0);
  });
});

describe('a reload', () => {
  const reload = { type: 'signal', signal: 'SIGHUP' } as const;

  it('of A does not restart B (supervisors 28)', () => {
    const stage = standing([
      service('db', { reload }),
      service('app', { needs: ['db'] }),
      service('web', { restartWith: ['db'] }),
    ]);
    const effects = stage.effects.length;
    stage.ask('db', 'reload');
    rests(stage, ['db', 'app', 'web']);
    expect(actsSince(stage, effects)).toEqual(['SIGHUP db']);
    expect(waves(stage)).toEqual([]);
  });

  it('of A restarts B where B says so, and those that need B', () => {
    const needs = [{ service: 'db', onReload: 'restart' as const }];
    const specs = [service('db', { reload }), service('app', { needs }), service('web', { needs: ['app'] })];
    const stage = standing(specs);
    const effects = stage.effects.length;
    stage.ask('db', 'reload');
    rests(stage, namesOf(specs));
    expect(actsSince(stage, effects)).toEqual(['SIGHUP db', 'SIGTERM web', 'SIGTERM app', 'start app', 'start web']);
    expect(tally(stage, ['app'])).toEqual({ app: '2 starts, 0 charged' });
  });

  it('of the configuration without a change restarts nothing (supervisors 28)', () => {
    const stage = standing(chain);
    const effects = stage.effects.length;
    stage.apply(chain.map((spec) => structuredClone(spec)));
    rests(stage, namesOf(chain));
    expect(stage.effects).toHaveLength(effects);
  });
});

describe('wants and after', () => {
  it('start the other first, and wait for it', () => {
    const specs = [service('app', { wants: ['db'] }), service('web', { after: ['app'] }), service('db')];
    const stage = standing(specs);
    expect(actsSince(stage, 0)).toEqual(['start db', 'start app', 'start web']);
  });

  it('are not held back by one that fails, is stopped, is on hold, or is not there', () => {
    const app = service('app', { wants: ['broken', 'nobody'], after: ['off', 'none'] });
    const stage = new Stage();
    stage.host.install('/srv/broken', program(refused('ENOENT')));
    stage.addAll([app, service('broken'), service('off', { desired: 'down' })]);
    stage.run(1_000);
    expect(stage.state('app').name).toBe('running');
  });

  it('do not wait for one that only waits for another that failed', () => {
    const stage = new Stage();
    stage.host.install('/srv/broken', program(refused('ENOENT')));
    const specs = [
      service('last', { after: ['late'] }),
      service('late', { wants: ['behind'] }),
      service('behind', { needs: ['middle'] }),
      service('middle', { needs: ['broken'] }),
      service('broken'),
    ];
    stage.addAll(specs);
    stage.run(1_000);
    expect(stage.state('last').name).toBe('running');
    expect(stage.state('middle')).toMatchObject({ name: 'waiting', for: 'turn' });
  });

  it('live on when the other ends, and stop before it when both stop', () => {
    const specs = [service('app', { wants: ['db'] }), service('web', { after: ['app'] }), service('db')];
    const stage = standing(specs);
    const app = stage.main('app');
    endMain(stage, 'db', 'SIGKILL');
    rests(stage, namesOf(specs));
    expect(isUntouched(stage, 'app', app)).toBe(true);
    const effects = stage.effects.length;
    stage.askAll(['db', 'app', 'web'], 'stop');
    stage.run(5_000);
    expect(actsSince(stage, effects)).toEqual(['SIGTERM web', 'SIGTERM app', 'SIGTERM db']);
  });

  it('do not skip one for ever that was late: it starts as soon as the other is ready (monitors 24)', () => {
    const stage = standing([service('db'), service('app', { needs: ['db'] })]);
    stage.host.install('/srv/db', program(lives, readyAfter(4_900)));
    endMain(stage, 'db', 'SIGKILL');
    rests(stage, ['db', 'app']);
  });
});

describe('the start of a graph', () => {
  /** Five layers of six; each needs two of the layer before. */
  const layers = Array.from({ length: 5 }, (_, layer) =>
    Array.from({ length: 6 }, (_, index) =>
      service(`s${layer}-${index}`, {
        needs: layer === 0 ? [] : [`s${layer - 1}-${index}`, `s${layer - 1}-${(index + 1) % 6}`],
      }),
    ),
  );
  const all = layers.flat().reverse();

  it('goes in order, with never more than `parallel` on their way at once', () => {
    for (const parallel of [1, 3, 10]) {
      const stage = new Stage({ parallel });
      for (const { name } of all) stage.host.install(`/srv/${name}`, program(lives, readyAfter(20)));
      let most = 0;
      stage.clock.afterEach = () => {
        most = Math.max(
          most,
          [...stage.keeper.services.values()].filter(({ state }) => state.name === 'starting').length,
        );
      };
      stage.addAll(all);
      settle(stage, namesOf(all));
      expect(most).toBe(Math.min(parallel, 6));
      const starts = actsSince(stage, 0);
      for (const { name, coupling } of all)
        for (const need of coupling.needs)
          expect(starts.indexOf(`start ${need.service}`)).toBeLessThan(starts.indexOf(`start ${name}`));
    }
  });

  it('holds back only what needs one whose start fails, and each says for whom it waits', () => {
    const stage = new Stage();
    stage.host.install('/srv/s0-0', program(refused('ENOENT')));
    stage.addAll(all);
    stage.run(2_000);
    const waiting = [...stage.keeper.services.values()].filter(({ state }) => state.name === 'waiting');
    expect(waiting.map(({ spec }) => spec.name).sort()).toEqual(
      all
        .map(({ name }) => name as string)
        .filter((name) => stage.state(name).name !== 'running' && name !== 's0-0')
        .sort(),
    );
    expect(stage.happened('s1-0', 'waits').at(-1)?.what).toMatchObject({ for: ['s0-0', 's0-1'] });
    expect(stage.state('s1-1').name).toBe('running');
    expect(stage.state('s2-5').name).toBe('waiting');
  });

  it('does not make a restart after a death queue behind it', () => {
    const stage = standing([service('old')], { parallel: 1 });
    for (const name of ['slow', 'next']) stage.host.install(`/srv/${name}`, program(lives, readyAfter(4_000)));
    stage.addAll([service('slow'), service('next')]);
    stage.run(100);
    expect(stage.state('next')).toMatchObject({ name: 'waiting', for: 'turn' });
    endMain(stage, 'old', 'SIGKILL');
    stage.run(200);
    expect(stage.state('old').name).toBe('running');
    rests(stage, ['old', 'slow', 'next']);
  });

  it('is not blocked by one that may take for ever, be it to become ready or to be started at all', () => {
    const endless = service('endless', { ready: { ...byPort, timeout: null } });
    const hung = watched({ name: 'hung', start: command('/etc/init.d/hung') });
    for (const first of [endless, hung]) {
      const stage = new Stage({ parallel: 1 });
      stage.host.install('/srv/endless', program(lives, readyAfter(null)));
      stage.host.install('/etc/init.d/hung', program(lives));
      stage.addAll([first, service('app')]);
      stage.run(1_000);
      expect(stage.state(first.name).name).toBe('starting');
      expect(stage.state('app').name).toBe('running');
    }
  });
});

describe('the end of the host', () => {
  it('starts nobody any more whose turn comes, and moves nobody with those that the host ends', () => {
    const stage = standing(chain, { parallel: 1 });
    stage.host.install('/srv/slow', program(lives, readyAfter(500)));
    stage.addAll([service('slow'), service('next'), service('last', { needs: ['slow'] })]);
    stage.run(100);
    stage.turnHost('ending');
    const effects = stage.effects.length;
    endMain(stage, 'db', { type: 'signaled', signal: 'SIGTERM', coreDumped: false });
    stage.run(60_000);
    expect(actsSince(stage, effects)).toEqual([]);
    for (const name of ['next', 'last', 'db']) expect(stage.state(name)).toMatchObject({ for: 'shutdown' });
    stage.turnHost('up');
    rests(stage, [...namesOf(chain), 'slow', 'next', 'last']);
  });
});

describe('the end of the keeper', () => {
  it('stops those that need others first (monitors 25)', () => {
    const stage = standing(chain);
    for (const { name } of chain) stage.host.install(`/srv/${name}`, drainsFor(100));
    stage.askAll(namesOf(chain), 'restart');
    rests(stage, namesOf(chain));
    const effects = stage.effects.length;
    stage.end();
    stage.run(60_000);
    const acts = actsSince(stage, effects);
    expect(acts).toHaveLength(5);
    expect(acts.indexOf('SIGTERM web')).toBeLessThan(acts.indexOf('SIGTERM app'));
    expect(acts.at(-1)).toBe('SIGTERM db');
    for (const { name } of chain) expect(stage.state(name).name).toBe('stopped');
    expect(stage.host.living()).toEqual([]);
  });

  it('does not stop A before B has ended or was killed at its deadline (monitors 25)', () => {
    const stop = ladder(rung('SIGTERM', 2_000));
    const specs = [service('db'), service('app', { needs: ['db'], stop })];
    const stage = standing(specs);
    stage.host.install('/srv/app', program(ignoresTerm, readyAfter(20)));
    stage.ask('app', 'restart');
    rests(stage, namesOf(specs));
    stage.end();
    stage.run(1_990);
    expect(stage.signals('db')).toEqual([]);
    stage.run(100);
    expect(stage.signals('db')).toEqual(['SIGTERM']);
    expect(stage.state('db').name).toBe('stopped');
  });

  it('is not blocked by one that nothing ends (monitors 25)', () => {
    const specs = [service('db'), service('app', { needs: ['db'], stop: ladder(rung('SIGTERM', 100)) })];
    const stage = standing(specs);
    stage.host.install('/srv/app', program(sleepsInKernel, readyAfter(20)));
    stage.ask('app', 'restart');
    rests(stage, namesOf(specs));
    stage.end();
    stage.run(60_000);
    expect(stage.state('app')).toMatchObject({ name: 'stopping', phase: 'stuck' });
    expect(stage.state('db').name).toBe('stopped');
  });
});

describe('a new configuration in the middle of a wave', () => {
  const [db, app] = [service('db'), service('app', { needs: ['db'] })];

  /** db is on its way up again, app waits for it. */
  function midway(): Stage {
    const stage = standing([db, app]);
    stage.host.install('/srv/db', program(lives, readyAfter(4_000)));
    endMain(stage, 'db', 'SIGKILL');
    stage.run(1_000);
    expect(stage.state('app')).toMatchObject({ name: 'waiting', for: 'turn' });
    return stage;
  }

  it('that takes the need away lets B start at once', () => {
    const stage = midway();
    stage.apply([db, service('app')]);
    stage.run(1_000);
    expect(stage.state('app').name).toBe('running');
    expect(stage.state('db').name).toBe('starting');
    rests(stage, ['db', 'app']);
  });

  it('that takes A and the need away lets B start at once', () => {
    const stage = midway();
    stage.apply([service('app')]);
    stage.run(1_000);
    expect(stage.state('app').name).toBe('running');
    rests(stage, ['app']);
    expect(stage.keeper.services.has('db')).toBe(false);
  });

  it('that takes B away leaves A as it is', () => {
    const stage = midway();
    stage.apply([db]);
    rests(stage, ['db']);
    expect(stage.spawns('db')).toBe(2);
  });

  it('that couples two anew moves neither; the next end does', () => {
    const stage = standing([db, service('app')]);
    const effects = stage.effects.length;
    stage.apply([db, app]);
    rests(stage, ['db', 'app']);
    expect(stage.effects).toHaveLength(effects);
    endMain(stage, 'db', 'SIGKILL');
    rests(stage, ['db', 'app']);
    expect(stage.spawns('app')).toBe(2);
  });

  it('that replaces A takes B down before A, and brings it up after (supervisors 25)', () => {
    const stage = standing([db, app]);
    const effects = stage.effects.length;
    stage.apply([service('db', { run: '/srv/db -v2' }), app]);
    rests(stage, ['db', 'app']);
    expect(actsSince(stage, effects)).toEqual(['SIGTERM app', 'SIGTERM db', 'start db', 'start app']);
  });

  it('that replaces A and takes B away replaces A as soon as B has ended', () => {
    const stage = standing([db, app]);
    stage.host.install('/srv/app', drainsFor(2_000));
    stage.ask('app', 'restart');
    stage.run(10_000);
    stage.apply([service('db', { run: '/srv/db -v2' })]);
    stage.run(1_000);
    expect(stage.state('db')).toMatchObject({ name: 'stopping', phase: 'turn' });
    stage.run(3_000);
    expect(stage.state('db').name).toBe('running');
    expect(stage.keeper.services.has('app')).toBe(false);
  });

  it('that takes the need away while A waits for the end of B lets A go on', () => {
    const stage = standing([db, app]);
    stage.host.install('/srv/app', drainsFor(9_000));
    stage.ask('app', 'restart');
    stage.run(10_000);
    stage.run(10_000);
    stage.ask('db', 'restart');
    stage.run(1_000);
    expect(stage.state('db')).toMatchObject({ name: 'stopping', phase: 'turn' });
    stage.apply([db, service('app')]);
    stage.run(1_000);
    expect(stage.state('db').name).toBe('running');
    expect(stage.state('app').name).toBe('stopping');
    rests(stage, ['db', 'app']);
  });

  it('that takes the partner away for which A waits lets A start', () => {
    const agent = service('agent', { restartWith: ['witness'] });
    const witness = service('witness');
    const stage = standing([agent, witness]);
    stage.host.install('/srv/agent', drainsFor(9_000));
    stage.ask('agent', 'restart');
    stage.run(20_000);
    endMain(stage, 'witness', 'SIGKILL');
    stage.run(1_000);
    expect(stage.state('witness')).toMatchObject({ name: 'waiting', for: 'turn' });
    stage.apply([service('agent'), witness]);
    stage.run(1_000);
    expect(stage.state('witness').name).toBe('running');
    rests(stage, ['agent', 'witness']);
  });

  it('that removes A alone, although B needs it, leaves B running; what needs nobody that is there can start', () => {
    const stage = standing([db, app]);
    stage.post({ type: 'removed', service: db.name });
    stage.run(60_000);
    expect(stage.keeper.services.has('db')).toBe(false);
    expect(stage.state('app').name).toBe('running');
  });
});
