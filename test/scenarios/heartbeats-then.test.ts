import { describe, expect, it } from 'vitest';
import type { Fails, HeartbeatSpec } from '../../src/core/heartbeat.js';
import { outlookOf } from '../../src/core/outlook.js';
import { reasonOf } from '../../src/core/reason.js';
import type { ServiceSpec } from '../../src/core/spec.js';
import { seconds } from '../../src/core/time.js';
import { worldOf } from '../../src/core/world.js';
import { command, ladder, rung, supervised, watched } from '../support/builders.js';
import { beat, beatOf, EVERY, served, web } from '../support/heartbeat-stage.js';
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
import { Stage } from '../support/stage.js';

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

  it.each(['restart', 'stop'] as const)('says while it stops for %s what the heartbeat said', (type) => {
    const stage = failing(web({ then: { type } }), program(drains(4_000)));
    stage.runUntilState('web', 'running');
    stage.let('web', 'wrong');
    stage.runUntilState('web', 'stopping');
    const service = stage.service('web');
    const outlook = outlookOf(worldOf(new Map([[service.spec.name, service]])));
    expect(reasonOf(service, stage.clock.now(), outlook)).toBe(
      'stopping: failed its heartbeat tcp (500 instead of 200-399)',
    );
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
