import { describe, expect, it } from 'vitest';
import { describeDeath } from '../../src/core/death.js';
import { millis, seconds } from '../../src/core/time.js';
import { command, supervised, watched } from '../support/builders.js';
import { exitedWith } from '../support/evidence.js';
import {
  diesAfter,
  exitsAfter,
  forks,
  ignoresTerm,
  lives,
  program,
  readyAfter,
  refused,
  startsDaemon,
} from '../support/program.js';
import { Stage } from '../support/stage.js';

const HEALTHY = 60_000;

/** A supervised service that has run for a minute. */
function longRunning(spec = supervised()): Stage {
  const stage = Stage.with([spec]);
  stage.run(HEALTHY);
  expect(stage.state(spec.name).name).toBe('running');
  return stage;
}

describe('a death', () => {
  it('is answered at once by a new process when the old one had lived long (supervisors 1) (monitors 1)', () => {
    const stage = longRunning();
    const old = stage.main('web');
    stage.kill(old);
    stage.run(10);
    expect(stage.main('web').ref).not.toEqual(old.ref);
    expect(stage.spawns('web')).toBe(2);
  });

  it('of ten services in one millisecond is ten records and ten restarts (supervisors 2)', () => {
    const names = Array.from({ length: 10 }, (_, index) => `web${index}`);
    const stage = Stage.with(names.map((name) => supervised({ name })));
    stage.run(HEALTHY);
    for (const name of names) stage.kill(stage.main(name));
    stage.run(10);
    for (const name of names) {
      expect(stage.happened(name, 'died')).toHaveLength(1);
      expect(stage.mains(name)).toHaveLength(1);
      expect(stage.service(name).generation).toBe(2);
    }
  });

  it('is noticed although a grandchild lives on, and the rest is ended before the next start (supervisors 3) (supervisors 12)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(forks(program(ignoresTerm))));
    stage.add(supervised());
    stage.run(HEALTHY);
    const [old] = stage.mains('web');
    if (old === undefined) throw new Error('no main process');
    stage.kill(old);
    stage.run(2);
    expect(stage.happened('web', 'died')).toHaveLength(1);
    stage.run(10);
    expect(stage.host.group(old.group)).toHaveLength(0);
    expect(stage.main('web').ref).not.toEqual(old.ref);
  });

  it('leaves its descendants alone where `leftovers` says so (supervisors 12)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(forks(program(lives))), program(lives));
    stage.add(supervised({ leftovers: 'leave' }));
    stage.run(HEALTHY);
    const old = stage.main('web');
    stage.kill(old);
    stage.run(10);
    expect(stage.host.group(old.group)).toHaveLength(1);
    expect(stage.mains('web')).toHaveLength(1);
  });

  const ends = [
    { what: 'exit 3', end: program(exitsAfter(HEALTHY + 5, 3)), says: 'exited with code 3', cause: 'exit' },
    {
      what: 'SIGSEGV with core',
      end: program(diesAfter(HEALTHY + 5, 'SIGSEGV', true)),
      says: 'killed by SIGSEGV (core dumped)',
      cause: 'signal',
    },
    { what: 'SIGKILL', end: program(diesAfter(HEALTHY + 5, 'SIGKILL')), says: 'killed by SIGKILL', cause: 'signal' },
    {
      what: 'exit 137, which is no signal',
      end: program(exitsAfter(HEALTHY + 5, 137)),
      says: 'exited with code 137',
      cause: 'exit',
    },
  ] as const;
  it.each(ends)(
    'by $what is recorded as that and nothing else (supervisors 4) (monitors 33)',
    ({ end, says, cause }) => {
      const stage = new Stage();
      stage.host.install('/srv/web', end, program(lives));
      stage.add(supervised());
      stage.run(HEALTHY + 100);
      const death = stage.service('web').lastDeath;
      expect(death?.cause).toBe(cause);
      expect(death === null ? '' : describeDeath(death)).toBe(says);
      expect(stage.mains('web')).toHaveLength(1);
    },
  );

  it('by the OOM killer is told apart from any other SIGKILL (supervisors 4)', () => {
    const stage = longRunning();
    stage.host.end(stage.main('web'), { type: 'signaled', signal: 'SIGKILL', coreDumped: false }, true);
    stage.run(10);
    expect(stage.service('web').lastDeath).toMatchObject({ cause: 'oom', oom: 'yes' });
    expect(stage.mains('web')).toHaveLength(1);
  });

  it('told twice, or told late about an older generation, is one death (monitors 2)', () => {
    const stage = longRunning();
    const old = stage.main('web');
    stage.kill(old);
    stage.run(10);
    const evidence = exitedWith(0);
    for (let n = 0; n < 3; n++)
      stage.post({ type: 'exited', service: stage.service('web').spec.name, process: old.ref, evidence, away: 'no' });
    stage.run(HEALTHY);
    expect(stage.happened('web', 'died')).toHaveLength(1);
    expect(stage.spawns('web')).toBe(2);
  });
});

describe('a program that cannot be started', () => {
  it('for want of a file does not loop at full speed and ends in the slow pace (supervisors 4) (monitors 15)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(refused('ENOENT')));
    stage.add(supervised());
    stage.run(1000);
    expect(stage.spawns('web')).toBeLessThan(6);
    expect(stage.service('web').lastDeath).toMatchObject({ cause: 'spawn', errno: 'ENOENT' });
    stage.runUntilState('web', 'failed');
    expect(stage.spawns('web')).toBe(11);
  });

  it.each(['EMFILE', 'ETXTBSY', 'EAGAIN'])(
    'because of %s for a moment is up a moment later (supervisors 4) (supervisors 35)',
    (errno) => {
      const stage = new Stage();
      stage.kernel.spawnErrors.push(errno, errno);
      stage.add(supervised());
      stage.run(5000);
      expect(stage.state('web').name).toBe('running');
      expect(stage.spawns('web')).toBe(3);
    },
  );

  it('answers the operator while it fails (monitors 15)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(refused('ENOENT')));
    stage.add(supervised());
    stage.run(500);
    stage.ask('web', 'stop');
    expect(stage.state('web').name).toBe('stopped');
  });
});

describe('a crash loop', () => {
  /** Times between one start and the next of a program that exits at once. */
  function gaps(stage: Stage, count: number): readonly number[] {
    const starts: number[] = [];
    stage.onEffect = (effect) => {
      if (effect.type === 'spawn' && effect.role === 'main') starts.push(stage.clock.instant);
    };
    stage.host.install('/srv/web', program(exitsAfter(1, 1)));
    stage.add(supervised({ restart: { limit: null } }));
    stage.runUntil(() => starts.length > count);
    return starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
  }

  it('is slowed down: each delay doubles up to the cap, the jitter stays inside its bound (supervisors 5) (monitors 16)', () => {
    const measured = gaps(new Stage(), 14);
    measured.forEach((gap, index) => {
      const middle = Math.min(30_000, 100 * 2 ** index);
      expect(gap).toBeGreaterThanOrEqual(middle * 0.9 - 1);
      expect(gap).toBeLessThanOrEqual(middle * 1.1 + 1);
    });
    expect(measured.at(-1)).toBeGreaterThan(26_000);
  });

  it('does not restart in lockstep: two services with the same fate get different delays (supervisors 5)', () => {
    const one = gaps(new Stage({ seed: 1 }), 8);
    const other = gaps(new Stage({ seed: 2 }), 8);
    expect(one).not.toEqual(other);
  });

  it('begins anew with the first delay after a healthy time (supervisors 5) (monitors 16)', () => {
    const stage = new Stage();
    const crashing = program(exitsAfter(1, 1));
    stage.host.install(
      '/srv/web',
      crashing,
      crashing,
      crashing,
      crashing,
      crashing,
      program(exitsAfter(40_000, 1)),
      crashing,
      program(lives),
    );
    stage.add(supervised());
    stage.runUntil(() => stage.happened('web', 'ready').length === 1);
    expect(stage.service('web').restarts.streak).toBe(5);
    stage.run(40_000);
    expect(stage.service('web').restarts.streak).toBeLessThanOrEqual(2);
    stage.run(2000);
    expect(stage.state('web').name).toBe('running');
  });

  it('of ten restarts is borne, the eleventh is not done and the state is told (supervisors 6) (monitors 16)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(1, 1)));
    stage.add(supervised({ restart: { then: 'give-up' } }));
    stage.runUntilState('web', 'failed');
    expect(stage.spawns('web')).toBe(11);
    expect(stage.happened('web', 'failed')).toHaveLength(1);
    stage.run(3_600_000);
    expect(stage.spawns('web')).toBe(11);
  });

  it('is rate-limited also without any delay (monitors 16)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(0, 1)));
    stage.add(supervised({ restart: { delay: millis(0) } }));
    stage.run(50_000);
    expect(stage.state('web').name).toBe('failed');
    expect(stage.spawns('web')).toBe(11);
  });

  it('goes on with one quiet try in each `slowEvery`, for ever, and is told of once (supervisors 6) (monitors 17)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(1, 1)));
    stage.add(supervised());
    stage.runUntilState('web', 'failed');
    stage.run(10 * 60_000 + 5000);
    expect(stage.spawns('web')).toBe(21);
    expect(stage.happened('web', 'failed')).toHaveLength(1);
    stage.host.install('/srv/web', program(lives));
    stage.run(62_000);
    expect(stage.state('web').name).toBe('running');
  });

  it('after the limit obeys an operator: the start is done at once and not counted (supervisors 6) (monitors 17)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(1, 1)));
    stage.add(supervised({ restart: { then: 'give-up' } }));
    stage.runUntilState('web', 'failed');
    const before = stage.service('web').restarts.total;
    stage.host.install('/srv/web', program(lives));
    stage.ask('web', 'start');
    stage.run(2000);
    expect(stage.state('web').name).toBe('running');
    expect(stage.service('web').restarts.total).toBe(before);
  });

  it('stopped by an operator stays stopped, also over the death of the keeper (monitors 18)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(1, 1)));
    stage.add(supervised());
    stage.run(3000);
    stage.ask('web', 'stop');
    const spawns = stage.spawns('web');
    stage.killKeeper();
    stage.run(1000);
    stage.startKeeper();
    stage.run(600_000);
    expect(stage.spawns('web')).toBe(spawns);
    expect(stage.state('web').name).toBe('stopped');
  });
});

describe('a back-off', () => {
  function inBackoff(): Stage {
    const stage = new Stage();
    const crashing = program(exitsAfter(1, 1));
    stage.host.install('/srv/web', ...Array.from({ length: 8 }, () => crashing), program(lives));
    stage.add(supervised());
    stage.runUntil(() => stage.spawns('web') === 8 && stage.state('web').name === 'backoff');
    return stage;
  }

  it('is cut short by an operator’s start, which starts once (supervisors 7)', () => {
    const stage = inBackoff();
    stage.ask('web', 'start');
    stage.run(60_000);
    expect(stage.spawns('web')).toBe(9);
    expect(stage.mains('web')).toHaveLength(1);
  });

  it('ends with an operator’s stop: nothing starts later, also not when the keeper ends (supervisors 7)', () => {
    const stage = inBackoff();
    stage.ask('web', 'stop');
    expect(stage.clock.wake).toBeNull();
    stage.post({ type: 'keeperEnded', service: stage.service('web').spec.name });
    stage.run(600_000);
    expect(stage.spawns('web')).toBe(8);
  });
});

describe('the restart policy', () => {
  it('leaves a clean end alone under on-failure, and answers a failure (supervisors 8) (monitors 20)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(HEALTHY, 1)), program(exitsAfter(HEALTHY, 0)));
    stage.add(supervised({ restart: { when: 'on-failure' } }));
    stage.run(HEALTHY * 4);
    expect(stage.spawns('web')).toBe(2);
    expect(stage.state('web')).toMatchObject({ name: 'stopped', why: 'policy' });
  });

  it('takes a code that is listed as success for no failure (supervisors 8) (monitors 20)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(HEALTHY, 7)));
    stage.add(supervised({ restart: { when: 'on-failure', successExit: [{ type: 'code', code: 7 }] } }));
    stage.run(HEALTHY * 2);
    expect(stage.spawns('web')).toBe(1);
    expect(stage.state('web')).toMatchObject({ name: 'stopped', why: 'policy' });
  });

  it('stays down after a code that forbids a restart (supervisors 8)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(HEALTHY, 42)));
    stage.add(supervised({ restart: { preventExit: [{ type: 'code', code: 42 }] } }));
    stage.run(HEALTHY * 5);
    expect(stage.spawns('web')).toBe(1);
    expect(stage.state('web')).toMatchObject({ name: 'failed', failure: { type: 'prevented' } });
  });

  it('does not take the code of a start command for one of the main process (supervisors 8)', () => {
    const stage = new Stage();
    const works = startsDaemon(['/usr/sbin/ssh'], program(lives));
    stage.host.install('/etc/init.d/ssh', works, program(exitsAfter(10, 42)), works);
    stage.add(watched({ restart: { preventExit: [{ type: 'code', code: 42 }] } }));
    stage.run(HEALTHY);
    stage.kill(stage.bearerOf('/usr/sbin/ssh'));
    stage.run(5000);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.spawns('ssh', 'start')).toBe(3);
  });

  it('starts again uncounted after an agreed code, without a busy loop', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(1, 3)));
    stage.add(supervised({ restart: { when: 'never', alwaysAfter: [{ type: 'code', code: 3 }] } }));
    stage.run(10_000);
    expect(stage.state('web').name).not.toBe('failed');
    expect(stage.spawns('web')).toBeGreaterThan(50);
    expect(stage.spawns('web')).toBeLessThan(120);
    expect(stage.service('web').restarts.window).toHaveLength(0);
  });
});

describe('a start', () => {
  it('that dies before it is ready is a failed start', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(200, 1)), program(lives));
    stage.add(supervised());
    stage.run(5000);
    expect(stage.happened('web', 'startFailed')).toHaveLength(1);
    expect(stage.happened('web', 'died')).toHaveLength(0);
    expect(stage.state('web').name).toBe('running');
  });

  it('that is never ready is stopped at its deadline and counted', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(readyAfter(null)), program(readyAfter(300)));
    stage.add(supervised({ ready: { probe: { type: 'port', host: '127.0.0.1', port: 80 }, timeout: seconds(5) } }));
    stage.run(4000);
    expect(stage.state('web').name).toBe('starting');
    stage.run(6000);
    expect(stage.happened('web', 'startFailed')[0]?.what).toMatchObject({ death: { cause: 'start-timeout' } });
    expect(stage.state('web').name).toBe('running');
    expect(stage.service('web').restarts.total).toBe(1);
    expect(stage.mains('web')).toHaveLength(1);
  });

  it('whose command hangs is ended at its deadline, without what it brought up (supervisors 14)', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', program(lives));
    stage.add(watched({ start: command('/etc/init.d/ssh start', 3000) }));
    stage.run(3500);
    expect(stage.helpers('ssh', 'start').length).toBeLessThanOrEqual(1);
    expect(stage.happened('ssh', 'startFailed')[0]?.what).toMatchObject({ death: { cause: 'start-timeout' } });
  });
});
