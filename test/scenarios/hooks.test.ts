import { describe, expect, it } from 'vitest';
import { describeDeath } from '../../src/core/death.js';
import type { Hooks } from '../../src/core/spec.js';
import { seconds } from '../../src/core/time.js';
import { command, ladder, rung, supervised, watched } from '../support/builders.js';
import {
  diesAfter,
  drains,
  ends,
  exitsAfter,
  ignoresTerm,
  lives,
  type Program,
  program,
  readyAfter,
  refused,
  startsDaemon,
} from '../support/program.js';
import { Stage } from '../support/stage.js';

const MINUTE = 60_000;

const all: Hooks = {
  condition: command('/hook/condition', 1000),
  beforeStart: [command('/hook/before-1', 1000), command('/hook/before-2', 1000)],
  afterStart: [command('/hook/after', 1000)],
  beforeStop: [command('/hook/leave', 1000)],
  afterStop: [command('/hook/tidy', 1000)],
};

/** A stage on which every hook succeeds after 10 ms, unless another program is given for it. */
function stageWith(programs: Readonly<Record<string, readonly Program[]>> = {}): Stage {
  const stage = new Stage();
  for (const name of ['condition', 'before-1', 'before-2', 'after', 'leave', 'tidy'])
    stage.host.install(`/hook/${name}`, ...(programs[name] ?? [program(exitsAfter(10, 0))]));
  return stage;
}

/** What was run for the service, in order. */
const ran = (stage: Stage, name = 'web'): readonly string[] =>
  stage.kernel.births.filter(({ service }) => service === name).map(({ process }) => process.exe.replace('/hook/', ''));

/** What the last command of that role was told. */
const told = (stage: Stage, role: string) => stage.kernel.births.findLast((birth) => birth.role === role)?.env;

const up = ['condition', 'before-1', 'before-2', '/srv/web', 'after'];
const down = ['leave', 'tidy'];

describe('hooks around a start', () => {
  it('run one after the other, and the service is running when the last has succeeded', () => {
    const stage = stageWith();
    stage.add(supervised({ hooks: all }));
    stage.runUntil(() => stage.helpers('web', 'afterStart').length === 1);
    expect(stage.state('web')).toMatchObject({ name: 'starting', phase: 'after', process: stage.main('web').ref });
    expect(stage.happened('web', 'ready')).toEqual([]);
    stage.runUntilState('web', 'running');
    expect(ran(stage)).toEqual(up);
    expect(stage.service('web')).toMatchObject({ generation: 1, restarts: { total: 0 } });
  });

  it('never run two at once', () => {
    const stage = stageWith();
    let most = 0;
    stage.host.onChange(() => {
      most = Math.max(most, stage.host.living().filter(({ exe }) => exe.startsWith('/hook/')).length);
    });
    stage.add(supervised({ hooks: all }));
    stage.runUntilState('web', 'running');
    stage.ask('web', 'restart');
    stage.run(MINUTE);
    expect(most).toBe(1);
  });

  it('that fail before it make a failed start, charged as usual, and what cleans up runs (supervisors 19)', () => {
    const stage = stageWith({ 'before-2': [program(exitsAfter(10, 3)), program(exitsAfter(10, 0))] });
    stage.add(supervised({ hooks: all }));
    stage.runUntilState('web', 'running');
    expect(ran(stage)).toEqual(['condition', 'before-1', 'before-2', 'tidy', ...up]);
    const [failed] = stage.happened('web', 'startFailed');
    expect(failed?.what).toMatchObject({ death: { cause: 'exit', process: null, status: { code: 3 } } });
    const death = stage.service('web').lastDeath;
    expect(death === null ? '' : describeDeath(death)).toBe('its 2nd beforeStart command exited with code 3');
    expect(stage.service('web')).toMatchObject({ generation: 2, restarts: { total: 1, streak: 1 } });
  });

  it('that cannot be started make a failed start', () => {
    const stage = stageWith({ 'before-1': [program(refused('ENOENT')), program(exitsAfter(10, 0))] });
    stage.add(supervised({ hooks: all }));
    stage.runUntilState('web', 'running');
    expect(stage.happened('web', 'startFailed')[0]?.what).toMatchObject({
      death: { cause: 'spawn', errno: 'ENOENT', detail: expect.stringContaining('1st beforeStart command') },
    });
  });

  it('that hang are ended with their group when their time is over, and the start has failed', () => {
    const stage = stageWith({ 'before-1': [program(lives, ignoresTerm), program(exitsAfter(10, 0))] });
    stage.add(supervised({ hooks: all }));
    stage.run(1100);
    expect(stage.happened('web', 'startFailed')[0]?.what).toMatchObject({ death: { cause: 'start-timeout' } });
    stage.runUntilState('web', 'running');
    expect(stage.spawns('web', 'beforeStart')).toBe(3);
  });

  it('that fail after it stop the main process by its own rules, and the start has failed', () => {
    const stage = stageWith({ after: [program(exitsAfter(10, 1)), program(exitsAfter(10, 0))] });
    stage.host.install('/srv/web', program(lives, drains(50)));
    stage.add(supervised({ hooks: all }));
    stage.runUntil(() => stage.happened('web', 'startFailed').length === 1);
    // No command before a stop: it has never been up.
    expect(ran(stage).slice(0, 6)).toEqual([...up, 'tidy']);
    expect(stage.signals('web')).toEqual(['SIGTERM']);
    expect(stage.happened('web', 'stopping')[0]?.what).toMatchObject({ why: 'hook' });
    expect(stage.happened('web', 'ready')).toEqual([]);
    const death = stage.service('web').lastDeath;
    expect(death === null ? '' : describeDeath(death)).toBe('its afterStart command exited with code 1');
    stage.runUntilState('web', 'running');
    expect(stage.service('web').restarts.total).toBe(1);
  });

  it('after which the main process ends by itself make a failed start, and nothing of them is left', () => {
    const stage = stageWith({ after: [program(lives), program(exitsAfter(10, 0))] });
    stage.host.install('/srv/web', program(exitsAfter(1500, 9)), program(lives));
    stage.add(supervised({ hooks: { ...all, afterStart: [command('/hook/after')] } }));
    stage.runUntil(() => stage.happened('web', 'startFailed').length === 1);
    expect(stage.service('web').lastDeath).toMatchObject({ cause: 'exit', status: { code: 9 } });
    stage.runUntilState('web', 'running');
    expect(stage.host.living().map(({ exe }) => exe)).toEqual(['/srv/web']);
  });

  it('that always fail reach the limit like any start that fails', () => {
    const stage = stageWith({ 'before-1': [program(exitsAfter(1, 1))] });
    stage.add(supervised({ hooks: { ...all, condition: null } }));
    stage.runUntilState('web', 'failed');
    expect(stage.happened('web', 'startFailed')).toHaveLength(11);
    expect(stage.spawns('web')).toBe(0);
  });
});

describe('a condition', () => {
  const choosy = supervised({ hooks: { condition: command('/hook/condition', 1000) } });

  it('that says no skips the service, which is no failure and no start (supervisors 8)', () => {
    const stage = stageWith({ condition: [program(exitsAfter(10, 1))] });
    stage.add(choosy);
    stage.runUntilState('web', 'skipped');
    stage.run(10 * MINUTE);
    expect(stage.state('web').name).toBe('skipped');
    expect(stage.service('web')).toMatchObject({ generation: 0, restarts: { total: 0 }, lastDeath: null });
    expect(stage.spawns('web', 'condition')).toBe(10);
    expect(stage.changes.filter(({ service }) => service === 'web').map(({ what }) => what.type)).toEqual(['skipped']);
  });

  it('is asked again every slowEvery, and a yes starts it', () => {
    const stage = stageWith({ condition: [program(exitsAfter(10, 1)), program(exitsAfter(10, 0))] });
    stage.add(choosy);
    stage.runUntilState('web', 'skipped');
    stage.runUntilState('web', 'running', 2 * MINUTE);
    expect(stage.spawns('web', 'condition')).toBe(2);
    expect(told(stage, 'condition')).toMatchObject({ UPKEEP_CAUSE: 'condition' });
  });

  it('is asked again at an operator’s start and at an apply', () => {
    const stage = stageWith({ condition: [program(exitsAfter(10, 1))] });
    stage.add(choosy);
    stage.runUntilState('web', 'skipped');
    stage.ask('web', 'start');
    stage.run(1000);
    expect(stage.spawns('web', 'condition')).toBe(2);
    stage.post({ type: 'changed', service: choosy.name, spec: choosy });
    stage.run(1000);
    expect(stage.spawns('web', 'condition')).toBe(3);
    expect(stage.state('web').name).toBe('skipped');
  });

  it('is asked before each restart', () => {
    const stage = stageWith({ condition: [program(exitsAfter(10, 0)), program(exitsAfter(10, 1))] });
    stage.add(choosy);
    stage.runUntilState('web', 'running');
    stage.kill(stage.main('web'));
    stage.run(5000);
    expect(stage.state('web').name).toBe('skipped');
    expect(told(stage, 'condition')).toEqual({
      UPKEEP_CAUSE: 'signal',
      SERVICE_RESULT: 'signal',
      EXIT_CODE: 'killed',
      EXIT_STATUS: 'KILL',
    });
  });

  it.each([
    ['is not there', program(refused('ENOENT')), 'its condition could not be started: cannot execute: ENOENT'],
    ['is not found by its shell', program(exitsAfter(10, 127)), 'its condition exited with code 127'],
    ['is killed', program(diesAfter(10, 'SIGSEGV')), 'its condition was killed by SIGSEGV'],
    ['hangs', program(lives), 'its condition did not end in time, ended by us'],
  ] as const)('that %s is a failed start, and not asked in a busy loop', (_how, broken, reason) => {
    const stage = stageWith({ condition: [broken] });
    stage.add(choosy);
    stage.runUntil(() => stage.happened('web', 'startFailed').length === 1);
    const death = stage.service('web').lastDeath;
    expect(death?.detail).toBe(reason);
    stage.runUntilState('web', 'failed');
    expect(stage.spawns('web', 'condition')).toBe(11);
    expect(stage.clock.instant).toBeGreaterThan(20_000);
    expect(stage.service('web').generation).toBe(0);
  });

  it('under way is ended by an operator’s stop', () => {
    const stage = stageWith({ condition: [program(lives)] });
    stage.add(choosy);
    stage.runUntil(() => stage.helpers('web', 'condition').length === 1);
    stage.ask('web', 'stop');
    stage.run(1000);
    expect(stage.state('web')).toMatchObject({ name: 'stopped', why: 'requested' });
    expect(stage.host.living()).toEqual([]);
  });
});

describe('hooks around a stop', () => {
  const around = supervised({ hooks: all });

  it('run before the first signal and after the end, and a restart runs both sets', () => {
    const stage = stageWith();
    stage.add(around);
    stage.runUntilState('web', 'running');
    stage.ask('web', 'restart');
    stage.runUntil(() => stage.helpers('web', 'beforeStop').length === 1);
    expect(stage.main('web').received).toEqual([]);
    stage.runUntil(() => stage.state('web').name === 'running' && stage.service('web').generation === 2);
    expect(ran(stage)).toEqual([...up, ...down, ...up]);
    expect(stage.service('web').restarts.total).toBe(0);
  });

  it('that fail or are late are told, and stop nothing', () => {
    const stage = stageWith({ leave: [program(lives)], tidy: [program(exitsAfter(10, 4))] });
    stage.add(around);
    stage.runUntilState('web', 'running');
    stage.ask('web', 'stop');
    stage.runUntilState('web', 'stopped', 5000);
    expect(stage.happened('web', 'hookFailed').map(({ what }) => what)).toEqual([
      { type: 'hookFailed', hook: 'beforeStop', reason: 'its beforeStop command did not end in time, ended by us' },
      { type: 'hookFailed', hook: 'afterStop', reason: 'its afterStop command exited with code 4' },
    ]);
    expect(stage.host.living()).toEqual([]);
  });

  it('that find the main process gone make room for the rest', () => {
    const stage = stageWith({ leave: [program(lives)] });
    stage.add(around);
    stage.runUntilState('web', 'running');
    stage.ask('web', 'stop');
    stage.runUntil(() => stage.helpers('web', 'beforeStop').length === 1);
    stage.kill(stage.main('web'));
    stage.runUntilState('web', 'stopped', 3000);
    expect(ran(stage)).toEqual([...up, ...down]);
    expect(stage.host.living()).toEqual([]);
  });

  it('run after an unasked death too, before the next start, and the death is told at once', () => {
    const stage = stageWith({ tidy: [program(exitsAfter(500, 0))] });
    stage.add(around);
    stage.runUntilState('web', 'running');
    stage.run(MINUTE);
    stage.kill(stage.main('web'), 'SIGKILL');
    stage.run(10);
    expect(stage.happened('web', 'died')[0]?.what).toMatchObject({ next: { type: 'hooks' } });
    expect(stage.state('web')).toMatchObject({ name: 'stopping', phase: 'after', why: 'ended' });
    expect(told(stage, 'afterStop')).toEqual({
      UPKEEP_CAUSE: 'signal',
      SERVICE_RESULT: 'signal',
      EXIT_CODE: 'killed',
      EXIT_STATUS: 'KILL',
    });
    stage.runUntilState('web', 'running');
    expect(ran(stage)).toEqual([...up, 'tidy', ...up]);
    expect(stage.service('web').restarts.total).toBe(1);
  });

  it('do not delay the answer to a death where there are none after it', () => {
    const stage = stageWith();
    stage.add(supervised({ hooks: { beforeStop: all.beforeStop } }));
    stage.runUntilState('web', 'running');
    stage.run(MINUTE);
    stage.kill(stage.main('web'));
    stage.run(2);
    expect(stage.spawns('web')).toBe(2);
  });

  it('are overtaken by an operator’s stop: nothing comes up after them', () => {
    const stage = stageWith({ tidy: [program(exitsAfter(500, 0))] });
    stage.add(around);
    stage.runUntilState('web', 'running');
    stage.kill(stage.main('web'));
    stage.run(10);
    stage.ask('web', 'stop');
    stage.run(MINUTE);
    expect(stage.state('web')).toMatchObject({ name: 'stopped', why: 'requested' });
    expect(stage.spawns('web')).toBe(1);
  });

  it('a hook that no SIGKILL ends keeps nobody waiting for ever (supervisors 11)', () => {
    const stage = stageWith({ leave: [program(lives)] });
    stage.host.install('/hook/leave', program({ ...program(lives), onTerm: { type: 'ignores' }, onKill: 'sleeps' }));
    stage.add(around);
    stage.runUntilState('web', 'running');
    stage.ask('web', 'stop');
    stage.runUntilState('web', 'stopped', 20_000);
    expect(stage.happened('web', 'hookFailed')[0]?.what).toMatchObject({
      reason: 'its beforeStop command does not end, not even by SIGKILL',
    });
  });
});

describe('an operator’s stop', () => {
  it.each(['condition', 'beforeStart', 'main', 'afterStart'] as const)(
    'in the middle of %s ends what runs (supervisors 11)',
    (role) => {
      const file = { condition: 'condition', beforeStart: 'before-2', main: '', afterStart: 'after' }[role];
      const stage = stageWith(file === '' ? {} : { [file]: [program(lives)] });
      if (role === 'main') stage.host.install('/srv/web', program(lives, readyAfter(null)));
      stage.add(supervised({ hooks: all, ready: { probe: { type: 'fd', fd: 3 } } }));
      stage.runUntil(() => stage.helpers('web', role).length === 1);
      stage.ask('web', 'stop');
      stage.runUntilState('web', 'stopped', 10_000);
      expect(stage.host.living()).toEqual([]);
      // Whatever had begun is cleaned up after.
      expect(stage.spawns('web', 'afterStop')).toBe(role === 'condition' ? 0 : 1);
      // It had not been up.
      expect(stage.spawns('web', 'beforeStop')).toBe(0);
      stage.ask('web', 'start');
      stage.run(10);
      expect(stage.state('web').name).toBe('starting');
    },
  );
});

describe('what a hook is told', () => {
  it('is why it runs, which process is the main one, and how the last one ended', () => {
    const stage = stageWith();
    stage.add(supervised({ hooks: all }));
    stage.runUntilState('web', 'running');
    const MAINPID = String(stage.main('web').ref.pid);
    expect(told(stage, 'beforeStart')).toEqual({ UPKEEP_CAUSE: 'first' });
    expect(told(stage, 'afterStart')).toEqual({ UPKEEP_CAUSE: 'first', MAINPID });
    expect(told(stage, 'main')).toEqual({});
    stage.ask('web', 'restart');
    stage.runUntil(() => stage.service('web').generation === 2);
    expect(told(stage, 'beforeStop')).toEqual({ UPKEEP_CAUSE: 'requested', MAINPID });
    expect(told(stage, 'afterStop')).toEqual({
      UPKEEP_CAUSE: 'requested',
      SERVICE_RESULT: 'success',
      EXIT_CODE: 'killed',
      EXIT_STATUS: 'TERM',
    });
    expect(told(stage, 'condition')).toMatchObject({ UPKEEP_CAUSE: 'requested', SERVICE_RESULT: 'success' });
  });

  it.each([
    ['exits with 3', program(exitsAfter(5000, 3)), ['exit', 'exit-code', 'exited', '3']],
    ['dumps core', program(diesAfter(5000, 'SIGSEGV', true)), ['signal', 'core-dump', 'dumped', 'SEGV']],
    ['exits with 0', program(exitsAfter(5000, 0)), ['exit', 'success', 'exited', '0']],
  ] as const)('after one that %s has systemd’s words for it', (_how, dying, [cause, result, code, status]) => {
    const stage = stageWith();
    stage.host.install('/srv/web', dying);
    stage.add(supervised({ hooks: all }));
    stage.runUntil(() => stage.spawns('web', 'afterStop') === 1);
    expect(told(stage, 'afterStop')).toEqual({
      UPKEEP_CAUSE: cause,
      SERVICE_RESULT: result,
      EXIT_CODE: code,
      EXIT_STATUS: status,
    });
  });

  it('after a start that was not ready in time is a timeout', () => {
    const stage = stageWith();
    stage.host.install('/srv/web', program(lives, readyAfter(null)));
    stage.add(supervised({ hooks: all, ready: { probe: { type: 'fd', fd: 3 } } }));
    stage.runUntil(() => stage.spawns('web', 'afterStop') === 1);
    expect(told(stage, 'afterStop')).toMatchObject({ UPKEEP_CAUSE: 'start-timeout', SERVICE_RESULT: 'timeout' });
  });
});

describe('hooks of a watched service', () => {
  const ssh = watched({ hooks: all, stop: { type: 'command', command: command('/etc/init.d/ssh-stop', 10_000) } });

  function stageWithSsh(): Stage {
    const stage = stageWith();
    stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program(lives)));
    stage.host.install('/etc/init.d/ssh-stop', program(exitsAfter(20, 0), ends('/usr/sbin/ssh')));
    return stage;
  }

  it('run around our start and our stop', () => {
    const stage = stageWithSsh();
    stage.add(ssh);
    stage.runUntilState('ssh', 'running');
    stage.ask('ssh', 'restart');
    stage.runUntil(() => stage.spawns('ssh', 'afterStart') === 2);
    const start = ['condition', 'before-1', 'before-2', '/etc/init.d/ssh', 'after'];
    expect(ran(stage, 'ssh')).toEqual([...start, 'leave', '/etc/init.d/ssh-stop', 'tidy', ...start]);
  });

  it('do not run when it is found or comes back by itself', () => {
    const stage = stageWithSsh();
    const found = stage.bear('/usr/sbin/ssh', program(lives));
    stage.add(ssh);
    stage.runUntilState('ssh', 'running');
    stage.kill(found, 'SIGTERM');
    stage.run(1000);
    stage.bear('/usr/sbin/ssh', program(lives));
    stage.runUntilState('ssh', 'running');
    stage.run(MINUTE);
    expect(ran(stage, 'ssh')).toEqual([]);
  });

  it('wait for a start command that goes on beside its daemon', () => {
    const stage = stageWithSsh();
    stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program(lives), { exit: 3000 }));
    stage.add(ssh);
    stage.run(2500);
    expect(stage.state('ssh')).toMatchObject({ name: 'starting', phase: 'after', hook: -1 });
    stage.runUntilState('ssh', 'running');
    expect(stage.spawns('ssh', 'afterStart')).toBe(1);
  });

  it('that fail after a start stop the daemon by its own rules', () => {
    const stage = stageWithSsh();
    stage.host.install('/hook/after', program(exitsAfter(10, 1)), program(exitsAfter(10, 0)));
    stage.add(watched({ hooks: all, stop: ladder(rung('SIGTERM', 10_000)) }));
    stage.runUntilState('ssh', 'running');
    expect(stage.signals('ssh')).toEqual(['SIGTERM']);
    expect(stage.happened('ssh', 'startFailed')).toHaveLength(1);
  });
});

describe('hooks among coupled services', () => {
  const agent = supervised({ name: 'agent', hooks: { afterStop: [command('/hook/tidy', 9000)] } });
  const slow = { tidy: [program(exitsAfter(3000, 0))] };

  it('after a stop keep nobody waiting who has to hear of the end', () => {
    const stage = stageWith(slow);
    stage.add(agent);
    stage.add(supervised({ needs: ['agent'] }));
    stage.runUntilState('web', 'running');
    stage.kill(stage.main('agent'));
    stage.run(50);
    expect(stage.state('agent')).toMatchObject({ name: 'stopping', phase: 'after' });
    expect(stage.mains('web')).toEqual([]);
    stage.runUntilState('web', 'running');
    expect([stage.spawns('agent'), stage.spawns('web')]).toEqual([2, 2]);
    expect(stage.service('web').restarts.total).toBe(0);
    expect(stage.service('web').wave).toBeNull();
    expect(stage.service('agent').wave).toBeNull();
  });

  it('before a start hold back what needs it until they are through, and what it needs may end in the middle of them', () => {
    const stage = stageWith({ 'before-1': [program(exitsAfter(2000, 0))] });
    stage.add(supervised({ name: 'db' }));
    stage.add(supervised({ name: 'agent', needs: ['db'], hooks: { beforeStart: [command('/hook/before-1')] } }));
    stage.add(supervised({ needs: ['agent'] }));
    stage.runUntil(() => stage.helpers('agent', 'beforeStart').length === 1);
    stage.kill(stage.main('db'));
    stage.run(100);
    expect(stage.helpers('agent', 'beforeStart')).toEqual([]);
    stage.runUntilState('web', 'running');
    expect(stage.spawns('agent', 'beforeStart')).toBe(2);
    expect(stage.spawns('agent')).toBe(1);
    expect(stage.spawns('web')).toBe(1);
  });

  it('whose last one fails take partners with them once, not at every quiet try', () => {
    const stage = stageWith({ after: [program(exitsAfter(10, 1))] });
    const when = { limit: { count: 2, within: seconds(300) } };
    stage.add(
      supervised({
        name: 'agent',
        restart: when,
        hooks: { afterStart: [command('/hook/after')], afterStop: all.afterStop },
      }),
    );
    stage.add(supervised({ restartWith: ['agent'] }));
    stage.runUntilState('agent', 'failed');
    const before = stage.spawns('web');
    stage.run(10 * MINUTE);
    expect(stage.happened('agent', 'startFailed').length).toBeGreaterThan(8);
    expect(stage.spawns('web')).toBe(before);
    expect(stage.state('web').name).toBe('running');
  });
});

describe('a keeper that is killed in the middle of a hook', () => {
  it.each(['condition', 'beforeStart', 'afterStart', 'beforeStop', 'afterStop'] as const)(
    '(%s) leaves it to the next one, who waits for it',
    (role) => {
      const slow = program(exitsAfter(2000, 0));
      const stage = stageWith({ condition: [slow], 'before-2': [slow], after: [slow], leave: [slow], tidy: [slow] });
      const hooks = { ...all, condition: command('/hook/condition', 9000), afterStart: [command('/hook/after', 9000)] };
      stage.add(
        supervised({
          hooks: {
            ...hooks,
            beforeStart: [command('/hook/before-2', 9000)],
            beforeStop: [command('/hook/leave', 9000)],
            afterStop: [command('/hook/tidy', 9000)],
          },
        }),
      );
      if (role === 'beforeStop' || role === 'afterStop') {
        stage.runUntilState('web', 'running');
        stage.ask('web', 'restart');
      }
      stage.runUntil(() => stage.helpers('web', role).length === 1);
      stage.killKeeper();
      stage.run(100);
      stage.startKeeper();
      stage.run(100);
      expect(stage.helpers('web', role)).toHaveLength(1);
      expect(stage.spawns('web', role)).toBe(1);
      stage.runUntilState('web', 'running');
      expect(stage.mains('web')).toHaveLength(1);
    },
  );

  it('after it had ordered it, and before it could write down what came of it, takes the right one of several for its own', () => {
    const slow = program(exitsAfter(2000, 0));
    const stage = stageWith({ 'before-1': [program(exitsAfter(10, 0))], 'before-2': [slow] });
    const beforeStart = [command('/hook/before-1', 9000), command('/hook/before-2', 9000)];
    stage.add(supervised({ hooks: { ...all, beforeStart } }));
    stage.onEffect = (effect) => {
      if (effect.type === 'spawn' && effect.role === 'beforeStart' && effect.hook === 1) stage.killKeeperAfter(1);
    };
    stage.runUntil(() => stage.keeperLives === 'no');
    stage.onEffect = () => {};
    stage.startKeeper();
    stage.runUntilState('web', 'running');
    expect(ran(stage).filter((one) => one === 'before-2').length).toBeLessThanOrEqual(2);
    expect(ran(stage).filter((one) => one === 'before-1')).toHaveLength(1);
  });

  it('finds a hook that ended meanwhile, and runs it again, as nobody saw how', () => {
    const stage = stageWith({ 'before-2': [program(exitsAfter(500, 0)), program(exitsAfter(10, 0))] });
    stage.add(supervised({ hooks: all }));
    stage.runUntil(() => stage.helpers('web', 'beforeStart')[0]?.exe === '/hook/before-2');
    stage.killKeeper();
    stage.run(5000);
    stage.startKeeper();
    stage.runUntilState('web', 'running');
    expect(ran(stage)).toEqual(['condition', 'before-1', 'before-2', 'before-2', '/srv/web', 'after']);
    expect(stage.service('web').generation).toBe(1);
  });
});

describe('a hold in the middle of hooks', () => {
  it('begins nothing more, and unhold goes on where it was', () => {
    const stage = stageWith();
    stage.add(supervised({ hooks: all }));
    stage.runUntil(() => stage.helpers('web', 'beforeStart').length === 1);
    stage.ask('web', 'hold');
    stage.run(MINUTE);
    expect(ran(stage)).toEqual(['condition', 'before-1']);
    stage.ask('web', 'unhold');
    stage.runUntilState('web', 'running');
    expect(ran(stage)).toEqual(up);
  });

  it('cleans up after a death only when it has ended', () => {
    const stage = stageWith();
    stage.add(supervised({ hooks: all }));
    stage.runUntilState('web', 'running');
    stage.ask('web', 'hold');
    stage.kill(stage.main('web'));
    stage.run(MINUTE);
    expect(ran(stage)).toEqual(up);
    stage.ask('web', 'unhold');
    stage.runUntilState('web', 'running');
    expect(ran(stage)).toEqual([...up, 'tidy', ...up]);
  });

  it('ends nothing: a command after its start goes on when what it was for has died', () => {
    const stage = stageWith();
    stage.add(supervised({ hooks: all }));
    stage.runUntil(() => stage.helpers('web', 'afterStart').length === 1);
    stage.ask('web', 'hold');
    stage.kill(stage.main('web'));
    stage.run(5);
    expect(stage.effects.filter(({ type }) => type === 'endHelper')).toEqual([]);
    stage.run(MINUTE);
    stage.ask('web', 'unhold');
    stage.runUntilState('web', 'running');
  });
});
