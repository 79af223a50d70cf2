import { describe, expect, it } from 'vitest';
import type { Effect } from '../../src/core/effect.js';
import type { Fails, HeartbeatSpec, Reaction } from '../../src/core/heartbeat.js';
import type { Answer } from '../../src/core/question.js';
import { type ServiceSpec, serviceName } from '../../src/core/spec.js';
import { millis, seconds } from '../../src/core/time.js';
import { command, heartbeat, ladder, rung, supervised, watched } from '../support/builders.js';
import {
  does,
  drains,
  exitsAfter,
  hangsAfter,
  ignoresTerm,
  program,
  refused,
  startsDaemon,
} from '../support/program.js';
import { answeredSoon } from '../support/simulated-askers.js';
import { Stage, type StageOptions } from '../support/stage.js';

const EVERY = 5_000;

/** Asked every 5 s, no grace; two failures in a row and it is done. */
const beat = (wish: Partial<HeartbeatSpec> & { readonly then?: Reaction } = {}): HeartbeatSpec =>
  heartbeat({
    every: { type: 'interval', every: seconds(5) },
    timeout: seconds(2),
    grace: seconds(0),
    fails: { count: 2, of: 2 },
    ...wish,
  });

const web = (wish: Partial<HeartbeatSpec> = {}, more: Parameters<typeof supervised>[0] = {}): ServiceSpec =>
  supervised({ heartbeats: [beat(wish)], ...more });

/** One that has been asked, and does its work, for two minutes. */
function served(spec = web(), options: StageOptions = {}): Stage {
  const stage = Stage.with([spec], options);
  stage.runUntilState(spec.name, 'running');
  stage.run(120_000);
  return stage;
}

const asksOf = (stage: Stage, name = 'web'): readonly Extract<Effect, { type: 'ask' }>[] =>
  stage.effects.flatMap((effect) => (effect.type === 'ask' && effect.spec.name === name ? [effect] : []));

const beatOf = (stage: Stage, name = 'web') => {
  const [first] = stage.service(name).health;
  if (first === undefined) throw new Error(`${name} has no heartbeat`);
  return first;
};

/** What an answer to its last question would be. */
function answerLate(stage: Stage, result: Answer['result'], name = 'web'): void {
  const last = asksOf(stage, name).at(-1);
  if (last === undefined) throw new Error('nothing was asked');
  const { spec, process, heartbeat: asked, question } = last;
  const answer: Answer = { result, ms: millis(1), detail: 'late' };
  stage.post({ type: 'answered', service: spec.name, process, heartbeat: asked.name, question, answer });
}

describe('a heartbeat is asked', () => {
  it('on its schedule while the service runs, and not before it is ready', () => {
    const stage = Stage.with([web({}, { ready: { probe: { type: 'alive', for: seconds(20) } } })]);
    stage.run(19_000);
    expect(stage.state('web').name).toBe('starting');
    expect(stage.questions('web')).toHaveLength(0);
    stage.run(61_000);
    const times = stage.questions('web');
    expect(times.length).toBe(12);
    for (const [index, at] of times.slice(1).entries()) expect(at - (times[index] ?? 0)).toBe(EVERY);
  });

  it('never while the service is stopping, down or waiting for a delay', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(drains(8_000)));
    stage.add(web({}, { restart: { delay: seconds(60) } }));
    stage.runUntilState('web', 'running');
    stage.run(20_000);
    const asked = stage.questions('web').length;
    stage.ask('web', 'stop');
    stage.run(7_000);
    expect(stage.state('web').name).toBe('stopping');
    stage.run(60_000);
    expect(stage.state('web').name).toBe('stopped');
    expect(stage.questions('web')).toHaveLength(asked);
    stage.ask('web', 'start');
    stage.runUntilState('web', 'running');
    stage.kill(stage.main('web'));
    stage.run(20_000);
    expect(stage.state('web').name).toBe('backoff');
    expect(stage.questions('web')).toHaveLength(asked);
  });

  it('never under a hold, and again in its own time when that ends', () => {
    const stage = served();
    const asked = stage.questions('web').length;
    stage.ask('web', 'hold');
    stage.run(60_000);
    expect(stage.questions('web')).toHaveLength(asked);
    stage.ask('web', 'unhold');
    stage.run(EVERY);
    expect(stage.questions('web')).toHaveLength(asked + 1);
  });

  it('never while the host goes down, and the keeper has nothing to do for it; again when it does not after all', () => {
    const stage = served();
    stage.turnHost('ending');
    const asked = stage.questions('web').length;
    stage.let('web', 'wrong');
    stage.run(60_000);
    expect(stage.questions('web')).toHaveLength(asked);
    stage.turnHost('up');
    stage.run(60_000);
    expect(stage.questions('web').length).toBeGreaterThan(asked);
  });

  it('of a watched daemon that runs although nobody wants it: never', () => {
    const stage = new Stage();
    stage.bear('/usr/sbin/ssh -D', program());
    stage.add(watched({ desired: 'down', heartbeats: [beat()] }));
    stage.run(60_000);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.questions('ssh')).toHaveLength(0);
  });

  it('one question at a time: one that hangs delays the next of its own, and of no other (monitors 7)', () => {
    const hangs = beat({ name: 'hangs', timeout: seconds(12), then: { type: 'notice' } });
    const quick = beat({ name: 'quick', then: { type: 'notice' } });
    const stage = served(supervised({ heartbeats: [hangs, quick] }), {
      courseOf: ({ heartbeat: { name } }) => (name === 'hangs' ? { after: 12_000, how: 'answered' } : answeredSoon),
    });
    const times = (name: string): readonly string[] =>
      asksOf(stage).flatMap((ask) => (ask.heartbeat.name === name ? [name] : []));
    expect(times('quick').length).toBe(24);
    expect(times('hangs').length).toBe(8);
  });
});

describe('an answer', () => {
  it('about an earlier process is dropped', () => {
    const stage = served(web({ fails: { count: 1, of: 1 } }), { courseOf: () => ({ after: 1_900, how: 'deaf' }) });
    stage.runUntil(() => stage.kernel.askers.busyWith('web') > 0);
    const old = asksOf(stage).at(-1);
    stage.kill(stage.main('web'));
    stage.runUntilState('web', 'running');
    stage.run(1_000);
    if (old === undefined) throw new Error('nothing was asked');
    const { process, question } = old;
    const before = stage.service('web');
    const answer: Answer = { result: 'failed', ms: millis(1), detail: 'refused' };
    stage.post({ type: 'answered', service: serviceName('web'), process, heartbeat: 'tcp', question, answer });
    expect(stage.service('web')).toBe(before);
    stage.run(60_000);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(0);
  });

  it('that comes twice counts once', () => {
    const stage = served(web({ fails: { count: 3, of: 3 }, every: { type: 'interval', every: seconds(60) } }), {
      courseOf: () => ({ after: 5, how: 'twice' }),
    });
    stage.let('web', 'wrong');
    stage.run(119_000);
    expect(beatOf(stage).counted.filter((one) => one === 'failed')).toHaveLength(2);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(0);
  });

  it('that comes when nobody waits for it any more is dropped', () => {
    const stage = served();
    stage.runUntil(() => beatOf(stage).asked === null);
    const before = stage.service('web');
    answerLate(stage, 'failed');
    expect(stage.service('web')).toBe(before);
  });

  it('that never comes is none: it could not be asked, which is told once, and the next question goes out (monitors 11)', () => {
    const stage = served();
    let lost: 'lost' | 'answered' = 'lost';
    const deaf = served(web(), { courseOf: () => ({ after: 5, how: lost }) });
    expect(stage.happened('web', 'unasked')).toHaveLength(0);
    const told = deaf.happened('web', 'unasked');
    expect(told.map(({ what }) => what.type === 'unasked' && what.reason)).toEqual([
      'whoever was to ask did not come back',
    ]);
    expect(deaf.questions('web').length).toBeGreaterThan(5);
    expect(deaf.spawns('web')).toBe(1);
    lost = 'answered';
    deaf.run(30_000);
    expect(deaf.happened('web', 'askable')).toHaveLength(1);
    expect(beatOf(deaf).verdict).toBe('ok');
  });

  it('that it could not be asked restarts nothing, however often it comes, and is told once (monitors 11)', () => {
    // Seed 003: a worker that ends with 125 has found out nothing about the service.
    const stage = served(web({ every: { type: 'interval', every: seconds(30) }, fails: { count: 1, of: 1 } }));
    stage.let('web', 'unreachable');
    stage.run(3_600_000);
    expect(stage.spawns('web')).toBe(1);
    expect(stage.happened('web', 'unasked')).toHaveLength(1);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(0);
    stage.let('web', 'its work');
    stage.run(60_000);
    expect(stage.happened('web', 'askable')).toHaveLength(1);
  });
});

describe('then: restart', () => {
  const failing = (spec: ServiceSpec, ...programs: Parameters<Stage['host']['install']>[1][]): Stage => {
    const stage = new Stage();
    stage.host.install(`/srv/${spec.name}`, ...programs);
    stage.add(spec);
    return stage;
  };

  it('stops it by its ladder and starts it again: one end, whose cause is the heartbeat, in one incident with what was told', () => {
    const stage = served(web({}, { stop: ladder(rung('SIGINT', 1_000), rung('SIGTERM', 5_000)) }));
    stage.host.install('/srv/web', program());
    stage.main('web').doing = 'wrong';
    stage.runUntil(() => stage.spawns('web') === 2);
    expect(stage.signals('web')).toEqual(['SIGINT']);
    const [unhealthy] = stage.happened('web', 'unhealthy');
    const [died, ...others] = stage.happened('web', 'died');
    expect(others).toHaveLength(0);
    expect(died?.what).toMatchObject({
      death: { cause: 'heartbeat', detail: 'tcp (500 instead of 200-399)' },
      next: { type: 'start' },
    });
    expect(unhealthy?.what).toMatchObject({ heartbeat: 'tcp', detail: '500 instead of 200-399', then: 'restart' });
    expect(died?.what.type === 'died' && died.what.death.incident).toBe(
      unhealthy?.what.type === 'unhealthy' && unhealthy.what.incident,
    );
    stage.runUntilState('web', 'running');
    expect(beatOf(stage)).toMatchObject({ verdict: 'unknown', counted: [], acted: 'no' });
    expect(stage.service('web').restarts).toMatchObject({ total: 1, streak: 1 });
    stage.run(10_000);
    expect(stage.happened('web', 'healthy')).toHaveLength(1);
    stage.run(600_000);
    expect(stage.spawns('web')).toBe(2);
  });

  it('is a new incident when it had done its work for long', () => {
    const stage = served();
    stage.kill(stage.main('web'));
    stage.run(600_000);
    stage.let('web', 'wrong');
    stage.runUntil(() => stage.happened('web', 'died').length === 2);
    const incidents = stage
      .happened('web', 'died')
      .map(({ what }) => (what.type === 'died' ? what.death.incident : null));
    expect(new Set(incidents).size).toBe(2);
  });

  it('counts as a failed start over and over where it never did its work, however long it lived: the delay grows, the limit holds (monitors 2)', () => {
    const spec = web(
      { grace: seconds(40) },
      { restart: { limit: { count: 3, within: seconds(600) }, slowEvery: seconds(600) } },
    );
    const stage = failing(spec, program(does('wrong')));
    stage.run(600_000);
    expect(stage.service('web').restarts).toMatchObject({ streak: 3, pace: 'slow' });
    expect(stage.happened('web', 'failed')).toHaveLength(1);
    expect(stage.spawns('web')).toBe(4);
    expect(stage.happened('web', 'fight')).toHaveLength(0);
    stage.host.install('/srv/web', program());
    stage.run(1_800_000);
    expect(stage.state('web').name).toBe('running');
    stage.let('web', 'wrong');
    stage.runUntil(() => stage.happened('web', 'died').length === 5);
    expect(stage.service('web').restarts).toMatchObject({ pace: 'normal' });
  });

  it('begins its grace anew with each process (monitors 14)', () => {
    const stage = failing(web({ grace: seconds(60), fails: { count: 1, of: 1 } }), program(does('wrong')));
    stage.run(59_000);
    expect(stage.spawns('web')).toBe(1);
    stage.run(10_000);
    expect(stage.spawns('web')).toBe(2);
    stage.run(50_000);
    expect(stage.spawns('web')).toBe(2);
  });

  it('is what `on-failure` wants, and what `never` does not: then it stays down', () => {
    for (const [when, state] of [
      ['on-failure', 'running'],
      ['on-abnormal', 'running'],
      ['never', 'failed'],
    ] as const) {
      const stage = served(web({}, { restart: { when } }));
      stage.let('web', 'wrong');
      stage.run(30_000);
      expect(stage.state('web').name).toBe(state);
    }
  });

  it('takes along what needs it and what restarts with it, which count nothing', () => {
    const specs = [
      supervised({ name: 'db', heartbeats: [beat()] }),
      supervised({ name: 'app', needs: ['db'] }),
      supervised({ name: 'agent', restartWith: ['db'] }),
      supervised({ name: 'other' }),
    ];
    const stage = Stage.with(specs);
    stage.run(120_000);
    stage.let('db', 'hangs');
    stage.run(60_000);
    for (const name of ['db', 'app', 'agent']) {
      expect(stage.state(name).name).toBe('running');
      expect(stage.spawns(name)).toBe(2);
      expect(stage.service(name).restarts.total).toBe(name === 'db' ? 1 : 0);
    }
    expect(stage.spawns('other')).toBe(1);
  });

  it('of an agent that nothing ends: its witness goes down first, and comes back when the agent signs again (seed 000)', () => {
    const agent = supervised({
      name: 'agent',
      restartWith: ['witness'],
      stop: ladder(rung('SIGTERM', 1_000)),
      heartbeats: [beat({ name: 'sshAgent' })],
    });
    const witness = supervised({ name: 'witness', needs: ['agent'] });
    const stage = new Stage();
    stage.host.install('/srv/agent', program(ignoresTerm), program());
    stage.addAll([agent, witness]);
    stage.run(60_000);
    stage.let('agent', 'hangs');
    stage.runUntil(() => stage.spawns('agent') === 2);
    expect(stage.mains('witness')).toHaveLength(0);
    expect(stage.signals('agent')).toEqual(['SIGTERM', 'SIGKILL']);
    stage.run(10_000);
    expect(stage.mains('witness')).toHaveLength(1);
    expect(stage.service('witness').restarts.total).toBe(0);
    expect(stage.spawns('witness')).toBe(2);
  });

  it('gives way to an operator: a stop stays down, a start comes up uncounted', () => {
    for (const wish of ['stop', 'start', 'restart'] as const) {
      const stage = new Stage();
      stage.host.install('/srv/web', program(drains(5_000)));
      stage.add(web());
      stage.run(60_000);
      stage.let('web', 'wrong');
      stage.runUntilState('web', 'stopping');
      stage.ask('web', wish);
      stage.run(60_000);
      expect(stage.state('web').name).toBe(wish === 'stop' ? 'stopped' : 'running');
      expect(stage.service('web').restarts.total).toBe(0);
    }
  });

  it('waits until the host has come up, because nothing is started before', () => {
    const stage = served();
    stage.turnHost('booting');
    stage.let('web', 'wrong');
    stage.run(60_000);
    expect(stage.mains('web')).toHaveLength(1);
    stage.turnHost('up');
    stage.run(10_000);
    expect(stage.spawns('web')).toBe(2);
  });

  it('stops a watched daemon by its own rules, and starts it by its command', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh', '-D'], program()));
    const first = stage.bear('/usr/sbin/ssh -D', program());
    stage.add(watched({ heartbeats: [beat()] }));
    stage.run(60_000);
    first.doing = 'hangs';
    stage.run(60_000);
    expect(first.received).toEqual(['SIGTERM']);
    expect(stage.spawns('ssh', 'start')).toBe(1);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.service('ssh')).toMatchObject({ restarts: { total: 1 }, lastDeath: { cause: 'heartbeat' } });
  });

  it('only tells of a watched daemon that it could not start again', () => {
    const stage = new Stage();
    stage.bear('/usr/sbin/ssh -D', program(does('wrong')));
    stage.add(watched({ start: null, heartbeats: [beat()] }));
    stage.run(120_000);
    expect(stage.bearerOf('/usr/sbin/ssh').received).toEqual([]);
    expect(stage.happened('ssh', 'unhealthy').map(({ what }) => what.type === 'unhealthy' && what.then)).toEqual([
      'notice',
    ]);
  });

  it('begins anew with the process that a daemon has handed over to', () => {
    const stage = new Stage();
    const old = stage.bear('/usr/sbin/ssh -D', program());
    stage.add(watched({ heartbeats: [beat({ fails: { count: 3, of: 3 } })] }));
    stage.run(60_000);
    old.doing = 'wrong';
    stage.run(10_500);
    expect(beatOf(stage, 'ssh').counted.filter((one) => one === 'failed')).toHaveLength(2);
    const next = stage.host.bear({ argv: old.argv, program: program(), ppid: old.ref.pid, group: null, uid: 0 });
    stage.host.end(old, { type: 'exited', code: 0 });
    stage.run(1_000);
    expect(stage.state('ssh')).toMatchObject({ name: 'running', process: next.ref });
    expect(beatOf(stage, 'ssh').counted.filter((one) => one === 'failed')).toHaveLength(0);
    stage.run(60_000);
    expect(stage.happened('ssh', 'unhealthy')).toHaveLength(0);
  });

  it('restarts each member of a pool for its own heartbeat', () => {
    const specs = [1, 2, 3].map((index) =>
      supervised({
        name: `web@${index}`,
        pool: { name: 'web', index, of: 3 },
        run: `/srv/web`,
        heartbeats: [beat()],
      }),
    );
    const stage = Stage.with(specs);
    stage.run(60_000);
    stage.let('web@2', 'hangs');
    stage.run(60_000);
    expect(specs.map(({ name }) => stage.spawns(name))).toEqual([1, 2, 1]);
  });

  it('is promised within 15 s of a freeze: every 5 s, 2 s to answer, 2 in a row, 1 s to stop', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const stage = Stage.with([web({}, { stop: ladder(rung('SIGTERM', 1_000)) })], {
        seed,
        courseOf: (_, random) => ({ after: random.int(1, 1_999), how: 'answered' }),
      });
      stage.runUntilState('web', 'running');
      stage.run(40_000 + stage.random.int(0, 10_000));
      const frozen = stage.main('web');
      stage.kill(frozen, 'SIGSTOP');
      stage.run(15_000);
      expect(stage.state('web').name, `seed ${seed}`).toBe('running');
      expect(stage.main('web').ref, `seed ${seed}`).not.toEqual(frozen.ref);
    }
  });
});

describe('then: stop', () => {
  it('leaves it failed until somebody starts it, also when the keeper comes back', () => {
    const stage = served(web({ then: { type: 'stop' } }));
    stage.let('web', 'wrong');
    stage.run(60_000);
    expect(stage.state('web')).toMatchObject({ name: 'failed', failure: { type: 'unhealthy' }, deadline: null });
    expect(stage.happened('web', 'failed')).toHaveLength(1);
    stage.killKeeper();
    stage.startKeeper();
    stage.run(3_600_000);
    expect(stage.spawns('web')).toBe(1);
    expect(stage.service('web').restarts.total).toBe(0);
    stage.ask('web', 'start');
    stage.run(10_000);
    expect(stage.state('web').name).toBe('running');
  });

  it('gives way to a start that comes while it stops', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(drains(5_000)));
    stage.add(web({ then: { type: 'stop' } }));
    stage.run(60_000);
    stage.let('web', 'wrong');
    stage.runUntilState('web', 'stopping');
    stage.ask('web', 'start');
    stage.run(60_000);
    expect(stage.state('web').name).toBe('running');
  });
});

describe('then: notice', () => {
  it('tells once that it fails, and once that it does not any more', () => {
    const stage = served(web({ then: { type: 'notice' } }));
    stage.let('web', 'wrong');
    stage.run(600_000);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(1);
    expect(stage.happened('web', 'healthy')).toHaveLength(0);
    stage.let('web', 'its work');
    stage.run(600_000);
    expect(stage.happened('web', 'healthy')).toHaveLength(1);
    stage.let('web', 'wrong');
    stage.run(60_000);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(2);
    expect(stage.spawns('web')).toBe(1);
    expect(stage.signals('web')).toEqual([]);
  });

  it('is told of 1-0-1-0-1 with "3 of 5", and not with "3 in a row" (monitors 13)', () => {
    const toldWith = (fails: Fails): number => {
      const stage = served(web({ fails, then: { type: 'notice' } }));
      for (let n = 0; n < 10; n++) {
        stage.let('web', n % 2 === 0 ? 'wrong' : 'its work');
        stage.run(EVERY);
      }
      return stage.happened('web', 'unhealthy').length;
    };
    expect(toldWith({ count: 3, of: 3 })).toBe(0);
    expect(toldWith({ count: 3, of: 5 })).toBeGreaterThan(0);
  });
});

describe('a heartbeat that is only told of', () => {
  it('does not count against a service that dies of itself', () => {
    const stage = served(web({ then: { type: 'notice' } }));
    stage.let('web', 'wrong');
    stage.run(60_000);
    stage.host.install('/srv/web', program(does('wrong')));
    for (let deaths = 0; deaths < 5; deaths++) {
      stage.kill(stage.main('web'));
      stage.run(60_000);
    }
    expect(stage.service('web').restarts.streak).toBe(1);
    expect(stage.happened('web', 'unhealthy').length).toBeGreaterThan(1);
  });
});

describe('then: exec', () => {
  const alarm = (): HeartbeatSpec => beat({ then: { type: 'exec', command: command('/bin/alarm', 5_000) } });
  const reactions = (stage: Stage) => stage.effects.filter(({ type }) => type === 'react');

  it('runs its command once for each failing, and tells how that went', () => {
    const stage = new Stage();
    stage.host.install('/bin/alarm', program(exitsAfter(20, 0)), program(exitsAfter(20, 3)));
    stage.add(supervised({ heartbeats: [alarm()] }));
    stage.run(60_000);
    for (const times of [1, 2]) {
      stage.let('web', 'wrong');
      stage.run(60_000);
      expect(reactions(stage)).toHaveLength(times);
      stage.let('web', 'its work');
      stage.run(60_000);
    }
    expect(stage.happened('web', 'reacted').map(({ what }) => what.type === 'reacted' && what.problem)).toEqual([
      null,
      'it ended with code 3',
    ]);
    expect(reactions(stage)[0]).toMatchObject({
      heartbeat: 'tcp',
      env: { UPKEEP_HEARTBEAT: 'tcp', UPKEEP_DETAIL: '500 instead of 200-399' },
    });
    expect(stage.spawns('web')).toBe(1);
  });

  it('says what is wrong with the command where it cannot be run', () => {
    const stage = new Stage();
    stage.host.install('/bin/alarm', program(refused('ENOENT')));
    stage.add(supervised({ heartbeats: [alarm()] }));
    stage.run(60_000);
    stage.let('web', 'wrong');
    stage.run(60_000);
    expect(stage.happened('web', 'reacted').map(({ what }) => what)).toMatchObject([
      { problem: 'cannot execute: ENOENT' },
    ]);
    expect(stage.state('web').name).toBe('running');
  });
});

describe('under a hold', () => {
  it('an answer is noted and nothing is done; afterwards the next failure is acted on', () => {
    const stage = served(web({ fails: { count: 1, of: 1 } }), { courseOf: () => ({ after: 1_000, how: 'answered' }) });
    stage.let('web', 'wrong');
    stage.runUntil(() => stage.kernel.askers.busyWith('web') > 0);
    stage.ask('web', 'hold');
    stage.run(60_000);
    expect(beatOf(stage).answers.at(-1)?.result).toBe('failed');
    expect(stage.happened('web', 'unhealthy')).toHaveLength(0);
    stage.ask('web', 'unhold');
    stage.run(900);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(0);
    stage.run(10_000);
    expect(stage.spawns('web')).toBe(2);
  });

  it('what was noted is forgotten when it is good afterwards', () => {
    const stage = served(web({ fails: { count: 1, of: 2 } }), { courseOf: () => ({ after: 1_000, how: 'answered' }) });
    stage.let('web', 'wrong');
    stage.runUntil(() => stage.kernel.askers.busyWith('web') > 0);
    stage.ask('web', 'hold');
    stage.run(60_000);
    stage.let('web', 'its work');
    stage.ask('web', 'unhold');
    stage.run(60_000);
    expect(stage.spawns('web')).toBe(1);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(0);
  });
});

describe('a new definition', () => {
  it('of something else leaves the questions under way alone', () => {
    const stage = served(web(), { courseOf: () => ({ after: 1_000, how: 'answered' }) });
    stage.runUntil(() => beatOf(stage).asked !== null);
    const before = beatOf(stage);
    stage.apply([web({}, { description: 'the web' })]);
    expect(beatOf(stage)).toEqual(before);
    expect(stage.effects.some(({ type }) => type === 'stopAsking')).toBe(false);
  });

  it('keeps what its heartbeats have answered, and gives new ones no new grace (monitors 14)', () => {
    const stage = served(web({ fails: { count: 5, of: 5 } }));
    stage.let('web', 'wrong');
    stage.run(20_000);
    const { counted, lastGood } = beatOf(stage);
    const other = beat({ name: 'other', grace: seconds(60), fails: { count: 1, of: 1 }, then: { type: 'notice' } });
    stage.apply([supervised({ heartbeats: [beat({ fails: { count: 6, of: 6 } }), other] })]);
    expect(beatOf(stage)).toMatchObject({ counted, lastGood });
    stage.run(EVERY + 100);
    expect(stage.happened('web', 'unhealthy').map(({ what }) => what.type === 'unhealthy' && what.heartbeat)).toEqual([
      'other',
    ]);
    expect(stage.spawns('web')).toBe(1);
  });

  it('that asks something else begins to count anew', () => {
    const stage = served(web({ fails: { count: 3, of: 3 } }));
    const failures = (): number => beatOf(stage).counted.filter((one) => one === 'failed').length;
    stage.let('web', 'wrong');
    stage.runUntil(() => failures() === 2);
    const { question } = beat();
    if (question.kind !== 'tcp') throw new Error('not tcp');
    stage.apply([web({ fails: { count: 3, of: 3 }, question: { ...question, port: 81 } })]);
    stage.runUntil(() => failures() === 2);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(0);
    stage.run(EVERY);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(1);
  });

  it('without heartbeats asks no more, and drops the answer that is on its way', () => {
    const stage = served(web(), { courseOf: () => ({ after: 1_000, how: 'deaf' }) });
    stage.runUntil(() => beatOf(stage).asked !== null);
    const asked = stage.questions('web').length;
    stage.apply([supervised()]);
    stage.run(60_000);
    expect(stage.questions('web')).toHaveLength(asked);
    expect(stage.service('web').health).toEqual([]);
    expect(stage.problems).toEqual([]);
  });
});

describe('a keeper that comes back', () => {
  it('gives every heartbeat a new grace, and restarts nothing because it was away', () => {
    const stage = served(web({ grace: seconds(20), fails: { count: 1, of: 1 } }));
    stage.let('web', 'wrong');
    stage.killKeeper();
    stage.run(300_000);
    stage.startKeeper();
    stage.run(19_000);
    expect(stage.spawns('web')).toBe(1);
    stage.run(10_000);
    expect(stage.spawns('web')).toBe(2);
  });

  it('tells nothing twice, and does nothing twice (monitors 29)', () => {
    const stage = served(web({ then: { type: 'exec', command: command('/bin/alarm', 5_000) } }));
    stage.host.install('/bin/alarm', program(exitsAfter(20, 0)));
    stage.let('web', 'wrong');
    stage.run(60_000);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(1);
    stage.killKeeper();
    stage.startKeeper();
    stage.run(600_000);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(1);
    expect(stage.effects.filter(({ type }) => type === 'react')).toHaveLength(1);
    stage.let('web', 'its work');
    stage.run(60_000);
    expect(stage.happened('web', 'healthy')).toHaveLength(1);
  });

  it('tells once that something cannot be asked, also across keepers', () => {
    const stage = served();
    stage.let('web', 'unreachable');
    stage.run(60_000);
    stage.killKeeper();
    stage.startKeeper();
    stage.run(60_000);
    expect(stage.happened('web', 'unasked')).toHaveLength(1);
  });

  it('carries a restart by a heartbeat to its end, counted once', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(drains(5_000)));
    stage.add(web());
    stage.run(60_000);
    stage.let('web', 'wrong');
    stage.runUntilState('web', 'stopping');
    stage.killKeeper();
    stage.run(2_000);
    stage.startKeeper();
    stage.run(60_000);
    expect(stage.state('web').name).toBe('running');
    expect(stage.spawns('web')).toBe(2);
    expect(stage.service('web')).toMatchObject({ restarts: { total: 1 }, lastDeath: { cause: 'heartbeat' } });
  });

  it('knows that it did its work for long, although answers are not recorded', () => {
    const spec = web({}, { restart: { limit: { count: 1, within: seconds(3600) }, slowEvery: seconds(60) } });
    const stage = new Stage();
    stage.host.install('/srv/web', program(does('wrong')));
    stage.add(spec);
    stage.run(120_000);
    expect(stage.service('web').restarts.pace).toBe('slow');
    stage.host.install('/srv/web', program());
    stage.run(7_200_000);
    stage.killKeeper();
    stage.startKeeper();
    stage.let('web', 'wrong');
    stage.runUntil(() => stage.service('web').lastDeath?.served !== 0);
    expect(stage.service('web').restarts).toMatchObject({ pace: 'normal', streak: 1 });
  });

  it('writes nothing down for a question and an answer that changes nothing', () => {
    const stage = served();
    const records: string[] = [];
    const { journal } = stage;
    const record = journal.record.bind(journal);
    journal.record = (services, removed, changes) => {
      records.push(...services.map(({ spec }) => spec.name));
      record(services, removed, changes);
    };
    const asked = stage.questions('web').length;
    stage.run(600_000);
    expect(stage.questions('web').length).toBeGreaterThan(asked + 100);
    expect(records).toEqual([]);
  });
});

describe('a keeper that stood still', () => {
  it('blames nobody for that time: the question that was out, and those in the grace after it, count for nothing (supervisors 22)', () => {
    const stage = served(web({ grace: seconds(20), fails: { count: 1, of: 1 } }), {
      courseOf: () => ({ after: 1_000, how: 'answered' }),
    });
    stage.runUntil(() => stage.kernel.askers.busyWith('web') > 0);
    stage.let('web', 'wrong');
    stage.stallWithFactsBehind(600_000);
    stage.run(15_000);
    expect(stage.spawns('web')).toBe(1);
    stage.let('web', 'its work');
    stage.run(600_000);
    expect(stage.spawns('web')).toBe(1);
    expect(stage.happened('web', 'unasked')).toHaveLength(0);
  });

  it('or a machine that slept, which is told to the keeper: the grace begins anew (supervisors 22)', () => {
    const stage = served(web({ grace: seconds(20), fails: { count: 1, of: 1 } }));
    stage.keeper.stoodStill();
    stage.let('web', 'wrong');
    stage.run(19_000);
    expect(stage.spawns('web')).toBe(1);
    stage.run(10_000);
    expect(stage.spawns('web')).toBe(2);
  });

  it('asks each heartbeat once then, and not for every time that it missed', () => {
    const stage = served();
    const asked = stage.questions('web').length;
    stage.clock.stall(600_000);
    stage.run(4_000);
    expect(stage.questions('web').length - asked).toBeLessThanOrEqual(2);
  });

  it('believes an answer that comes after the machine has slept, and one that never comes is not told of (supervisors 22)', () => {
    const stage = served(web(), { courseOf: () => ({ after: 1_000, how: 'lost' }) });
    const told = stage.happened('web', 'unasked').length;
    stage.clock.stall(600_000);
    stage.run(1_000);
    expect(stage.happened('web', 'unasked')).toHaveLength(told);
    expect(stage.spawns('web')).toBe(1);
  });
});

describe('what hangs', () => {
  it('is healed again and again, each time by one restart', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(hangsAfter(300_000)));
    stage.add(web({}, { stop: ladder(rung('SIGTERM', 1_000)) }));
    stage.run(3_600_000);
    const restarts = stage.spawns('web') - 1;
    expect(restarts).toBeGreaterThan(8);
    expect(stage.happened('web', 'unhealthy')).toHaveLength(restarts);
    expect(stage.happened('web', 'failed')).toHaveLength(0);
    expect(stage.happened('web', 'fight')).toHaveLength(0);
  });
});
