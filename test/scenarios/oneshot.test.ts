import { describe, expect, it } from 'vitest';
import { describeDeath } from '../../src/core/death.js';
import { millis } from '../../src/core/time.js';
import { command, supervised } from '../support/builders.js';
import { diesAfter, drains, exitsAfter, lives, type Program, program, refused } from '../support/program.js';
import { Stage } from '../support/stage.js';

const MINUTE = 60_000;

const forEver = { timeout: null } as const;

const migrate = supervised({ name: 'migrate', oneshot: 'yes', ready: forEver });

function stageWith(...programs: readonly Program[]): Stage {
  const stage = new Stage();
  stage.host.install('/srv/migrate', ...programs);
  return stage;
}

describe('a oneshot', () => {
  it('works for as long as it takes, is done, and is never started again by itself', () => {
    const stage = stageWith(program(exitsAfter(10 * MINUTE, 0)));
    stage.add(migrate);
    stage.run(9 * MINUTE);
    expect(stage.state('migrate')).toMatchObject({ name: 'starting', phase: 'working' });
    stage.run(2 * MINUTE);
    expect(stage.state('migrate').name).toBe('done');
    expect(stage.happened('migrate', 'done')[0]?.what).toMatchObject({ took: expect.closeTo(10 * MINUTE, -2) });
    expect(stage.happened('migrate', 'died')).toEqual([]);
    stage.run(60 * MINUTE);
    expect(stage.spawns('migrate')).toBe(1);
    expect(stage.service('migrate')).toMatchObject({ restarts: { total: 0 }, lastDeath: null });
  });

  it('is done with what successExit names too', () => {
    const stage = stageWith(program(exitsAfter(10, 77)));
    stage.add({
      ...migrate,
      restart: { ...migrate.restart, successExit: [{ type: 'code', code: 77 }] },
    });
    stage.run(1000);
    expect(stage.state('migrate').name).toBe('done');
  });

  it.each([
    ['exits with 1', program(exitsAfter(10, 1)), 'exited with code 1'],
    ['is killed by SIGTERM', program(diesAfter(10, 'SIGTERM')), 'killed by SIGTERM'],
    ['cannot be started', program(refused('ENOENT')), 'could not be started: cannot execute: ENOENT'],
  ] as const)('that %s has failed to start, and is tried again by the restart rule', (_how, failing, text) => {
    const stage = stageWith(failing, program(exitsAfter(10, 0)));
    stage.add(migrate);
    stage.runUntilState('migrate', 'done');
    const [failed] = stage.happened('migrate', 'startFailed');
    expect(failed?.what.type === 'startFailed' ? describeDeath(failed.what.death) : '').toBe(text);
    expect(stage.service('migrate').restarts).toMatchObject({ total: 1, streak: 0, pace: 'normal' });
  });

  it('that fails under `never` stays down', () => {
    const stage = stageWith(program(exitsAfter(10, 1)));
    stage.add({ ...migrate, restart: { ...migrate.restart, when: 'never' } });
    stage.run(MINUTE);
    expect(stage.state('migrate')).toMatchObject({ name: 'failed', failure: { type: 'prevented' } });
    expect(stage.spawns('migrate')).toBe(1);
  });

  it('with a time to be done in is stopped after it, and has failed', () => {
    const stage = stageWith(program(lives), program(exitsAfter(10, 0)));
    stage.add({ ...migrate, ready: { ...migrate.ready, timeout: millis(5000) } });
    stage.runUntil(() => stage.happened('migrate', 'startFailed').length === 1);
    expect(stage.service('migrate').lastDeath?.detail).toBe('was not done within 5 s, stopped by us');
    stage.runUntilState('migrate', 'done');
  });

  it('that is done is not run again by `start`, but by `restart`', () => {
    const stage = stageWith(program(exitsAfter(10, 0)));
    stage.add(migrate);
    stage.runUntilState('migrate', 'done');
    stage.ask('migrate', 'start');
    stage.run(MINUTE);
    expect(stage.spawns('migrate')).toBe(1);
    stage.ask('migrate', 'restart');
    stage.run(MINUTE);
    expect(stage.spawns('migrate')).toBe(2);
    expect(stage.state('migrate').name).toBe('done');
  });

  it('is stopped while it works by an operator, and is stopped when it is done', () => {
    const stage = stageWith(program(lives, drains(50)), program(exitsAfter(10, 0)));
    stage.add(migrate);
    stage.run(1000);
    stage.ask('migrate', 'stop');
    stage.run(1000);
    expect(stage.state('migrate')).toMatchObject({ name: 'stopped', why: 'requested' });
    stage.ask('migrate', 'start');
    stage.runUntilState('migrate', 'done');
    stage.ask('migrate', 'stop');
    expect(stage.state('migrate')).toMatchObject({ name: 'stopped', why: 'requested' });
    stage.run(MINUTE);
    expect(stage.spawns('migrate')).toBe(2);
  });

  it('has what needs it wait until it is done', () => {
    const stage = stageWith(program(exitsAfter(500, 1)), program(exitsAfter(500, 0)));
    stage.add(migrate);
    stage.add(supervised({ needs: ['migrate'] }));
    stage.runUntilState('migrate', 'done');
    expect(stage.spawns('migrate')).toBe(2);
    expect(stage.happened('web', 'starting')).toHaveLength(1);
    stage.runUntilState('web', 'running');
  });

  it('that is done survives its keeper, and a keeper that comes back does not run it again', () => {
    const stage = stageWith(program(exitsAfter(10, 0)));
    stage.add(migrate);
    stage.runUntilState('migrate', 'done');
    stage.killKeeper();
    stage.run(1000);
    stage.startKeeper();
    stage.run(MINUTE);
    expect(stage.state('migrate').name).toBe('done');
    expect(stage.spawns('migrate')).toBe(1);
  });

  it('at its work is left at it by a keeper that comes back', () => {
    const stage = stageWith(program(exitsAfter(5000, 0)));
    stage.add(migrate);
    stage.run(1000);
    stage.killKeeper();
    stage.startKeeper();
    stage.runUntilState('migrate', 'done');
    expect(stage.spawns('migrate')).toBe(1);
  });

  it('is run again by another definition of what it runs, not by other words for it', () => {
    const stage = stageWith(program(exitsAfter(10, 0)));
    stage.add(migrate);
    stage.runUntilState('migrate', 'done');
    const spec = { ...migrate, description: 'Migration' };
    stage.post({ type: 'changed', service: spec.name, spec });
    stage.run(1000);
    expect(stage.spawns('migrate')).toBe(1);
    const other = { ...spec, settings: { ...spec.settings, env: { TO: '42' } } };
    stage.post({ type: 'changed', service: spec.name, spec: other });
    stage.runUntil(() => stage.spawns('migrate') === 2);
    stage.runUntilState('migrate', 'done');
  });

  it('has its hooks: those after a start when it has succeeded, those after a stop at its end', () => {
    const stage = stageWith(program(exitsAfter(500, 0)));
    const quick = program(exitsAfter(10, 0));
    for (const name of ['before', 'after', 'leave', 'tidy']) stage.host.install(`/hook/${name}`, quick);
    const hooks = {
      beforeStart: [command('/hook/before')],
      afterStart: [command('/hook/after')],
      beforeStop: [command('/hook/leave')],
      afterStop: [command('/hook/tidy')],
    };
    stage.add(supervised({ name: 'migrate', oneshot: 'yes', ready: forEver, hooks }));
    stage.runUntilState('migrate', 'done');
    const ran = stage.kernel.births.map(({ process }) => process.exe);
    expect(ran).toEqual(['/hook/before', '/srv/migrate', '/hook/after', '/hook/tidy']);
    expect(stage.kernel.births.at(-1)?.env).toEqual({ UPKEEP_CAUSE: 'exit', SERVICE_RESULT: 'success' });
  });

  it('whose command after a start fails has failed', () => {
    const stage = stageWith(program(exitsAfter(500, 0)));
    stage.host.install('/hook/after', program(exitsAfter(10, 1)), program(exitsAfter(10, 0)));
    stage.add(
      supervised({ name: 'migrate', oneshot: 'yes', ready: forEver, hooks: { afterStart: [command('/hook/after')] } }),
    );
    stage.runUntilState('migrate', 'done');
    expect(stage.spawns('migrate')).toBe(2);
    expect(stage.happened('migrate', 'startFailed')).toHaveLength(1);
  });
});
