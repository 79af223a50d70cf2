import { describe, expect, it } from 'vitest';
import { asPid } from '../../src/core/process.js';
import { seconds } from '../../src/core/time.js';
import { command, watched } from '../support/builders.js';
import { endedUnseen } from '../support/evidence.js';
import { diesAfter, drains, exitsAfter, ignoresTerm, lives, program, startsDaemon } from '../support/program.js';
import type { SimulatedProcess } from '../support/simulated-host.js';
import { Stage } from '../support/stage.js';

const EXE = '/usr/sbin/ssh';
const PID_FILE = '/run/ssh.pid';
const MINUTE = 60_000;

/** A daemon that runs since before the keeper came, and a start command that works. */
function daemonThere(spec = watched()): { readonly stage: Stage; readonly daemon: SimulatedProcess } {
  const stage = new Stage();
  stage.host.install('/etc/init.d/ssh', startsDaemon([EXE], program(lives), { pidFile: PID_FILE }));
  const daemon = stage.bear(EXE, program());
  stage.host.writePidFile(PID_FILE, String(daemon.ref.pid));
  stage.add(spec);
  stage.runUntilState('ssh', 'running');
  return { stage, daemon };
}

describe('a watched daemon', () => {
  it('that runs already is found, not started', () => {
    const { stage, daemon } = daemonThere();
    stage.run(MINUTE);
    expect(stage.state('ssh')).toMatchObject({ name: 'running', process: daemon.ref });
    expect(stage.spawns('ssh', 'start')).toBe(0);
  });

  it('that is no child of ours and is killed is started again at once (supervisors 16) (monitors 2)', () => {
    const { stage, daemon } = daemonThere();
    stage.kill(daemon);
    stage.run(10);
    expect(stage.spawns('ssh', 'start')).toBe(1);
    stage.run(3000);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.happened('ssh', 'died')).toHaveLength(1);
  });

  it('whose PID is used again by a stranger is dead, and the stranger is never signalled (supervisors 16) (monitors 3)', () => {
    const stage = new Stage({ pids: 3 });
    stage.host.install('/etc/init.d/ssh', startsDaemon([EXE], program(lives)));
    const daemon = stage.bear(EXE, program());
    stage.add(watched({ settle: seconds(0) }));
    stage.runUntilState('ssh', 'running');
    stage.kill(daemon);
    const strangers = [
      stage.bear('/bin/other', program()),
      stage.bear('/bin/other', program()),
      stage.bear('/bin/other', program()),
    ];
    const stranger = strangers.find((process) => process.ref.pid === daemon.ref.pid);
    expect(stranger).toBeDefined();
    for (const other of strangers) if (other !== stranger) stage.kill(other);
    stage.run(3000);
    expect(stage.happened('ssh', 'died')).toHaveLength(1);
    stage.ask('ssh', 'stop');
    stage.run(3000);
    expect(stranger?.received).toEqual([]);
  });

  it('that takes its time after the start command has ended is awaited (supervisors 14)', () => {
    const stage = new Stage();
    const slow = program(exitsAfter(30, 0), {
      daemons: [
        {
          after: 5,
          argv: ['/usr/lib/detach'],
          program: program(exitsAfter(1200, 0), {
            daemons: [{ after: 1000, argv: [EXE], program: program(), pidFile: null }],
          }),
          pidFile: null,
        },
      ],
    });
    stage.host.install('/etc/init.d/ssh', slow);
    stage.add(watched());
    stage.run(800);
    expect(stage.state('ssh')).toMatchObject({ name: 'starting', phase: 'finding' });
    stage.run(3000);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.spawns('ssh', 'start')).toBe(1);
  });

  it('that writes its pid file a second after its start command ended is found by it, also over a change of words in between (supervisors 14)', () => {
    const spec = watched({ pattern: { by: { type: 'pidFile' }, pidFile: PID_FILE } });
    const stage = new Stage();
    stage.host.install(
      '/etc/init.d/ssh',
      startsDaemon([EXE], program(lives), { pidFile: PID_FILE, pidFileAfter: 1000 }),
    );
    stage.add(spec);
    stage.run(500);
    stage.post({ type: 'changed', service: spec.name, spec: { ...spec, description: 'new words' } });
    stage.run(3000);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.spawns('ssh', 'start')).toBe(1);
  });

  it('that forks twice is one start, whichever of its processes is seen first (supervisors 14)', () => {
    const stage = new Stage();
    const first = program(exitsAfter(20, 0), {
      daemons: [{ after: 10, argv: [EXE], program: program(), pidFile: null }],
    });
    stage.host.install('/etc/init.d/ssh', startsDaemon([EXE], first, { after: 10, exit: 15 }));
    stage.add(watched());
    stage.run(5000);
    expect(stage.state('ssh')).toMatchObject({ name: 'running', process: stage.bearerOf(EXE).ref });
    expect(stage.spawns('ssh', 'start')).toBe(1);
    expect(stage.happened('ssh', 'died')).toHaveLength(0);
  });

  it('that cannot be seen is unknown, and nothing is started', () => {
    const stage = new Stage();
    stage.host.beBlind('/proc is not mounted');
    stage.add(watched());
    stage.run(MINUTE);
    expect(stage.state('ssh')).toMatchObject({ name: 'unknown', why: { type: 'unseen' } });
    expect(stage.spawns('ssh', 'start')).toBe(0);
  });

  it('of which two could be the one is an error state that names them, and nothing is started', () => {
    const stage = new Stage();
    const [one, other] = [stage.bear(EXE, program()), stage.bear(EXE, program())];
    stage.add(watched());
    stage.run(MINUTE);
    expect(stage.state('ssh')).toMatchObject({
      name: 'unknown',
      why: { type: 'ambiguous', pids: [one.ref.pid, other.ref.pid] },
    });
    expect(stage.spawns('ssh', 'start')).toBe(0);
    stage.kill(other);
    stage.run(1000);
    expect(stage.state('ssh')).toMatchObject({ name: 'running', process: one.ref });
  });

  it('of which two could be the one is told apart by its pid file', () => {
    const stage = new Stage();
    const [, other] = [stage.bear(EXE, program()), stage.bear(EXE, program())];
    stage.host.writePidFile(PID_FILE, String(other.ref.pid));
    stage.add(watched({ pattern: { pidFile: PID_FILE } }));
    stage.run(1000);
    expect(stage.state('ssh')).toMatchObject({ name: 'running', process: other.ref });
  });

  it('without a start command is watched and told of, not acted on', () => {
    const { stage, daemon } = daemonThere(watched({ start: null }));
    stage.kill(daemon);
    stage.run(MINUTE);
    expect(stage.state('ssh')).toMatchObject({ name: 'stopped', why: 'no-start' });
    expect(stage.effects.filter((effect) => effect.type === 'spawn')).toEqual([]);
    const next = stage.bear(EXE, program());
    stage.run(1000);
    expect(stage.state('ssh')).toMatchObject({ name: 'running', process: next.ref });
  });
});

describe('a pid file', () => {
  const content = (text: (stranger: number) => string) => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', startsDaemon([EXE], program(lives)));
    const stranger = stage.bear('/bin/other', program());
    stage.host.writePidFile(PID_FILE, text(stranger.ref.pid));
    return { stage, stranger };
  };
  const lies = [
    ['nothing', () => ''],
    ['"abc"', () => 'abc'],
    ['0', () => '0'],
    ['1', () => '1'],
    ['the keeper', () => '50'],
    ['a kernel thread', () => '2'],
    ['a dead process', () => '9999'],
    ['a stranger', (stranger: number) => String(stranger)],
  ] as const;

  it.each(lies)(
    'that names %s is not believed: the daemon is found by its executable, the stranger is left alone (supervisors 15) (monitors 3)',
    (_, text) => {
      const { stage, stranger } = content(text);
      const daemon = stage.bear(EXE, program());
      stage.add(watched({ pattern: { pidFile: PID_FILE } }));
      stage.run(2000);
      expect(stage.state('ssh')).toMatchObject({ name: 'running', process: daemon.ref });
      stage.ask('ssh', 'stop');
      stage.run(2000);
      expect(daemon.life).toBe('gone');
      expect(stranger.received).toEqual([]);
    },
  );

  it.each(lies)(
    'that names %s makes nothing of it when nothing else matches: the daemon is down and started (supervisors 15) (monitors 3)',
    (_, text) => {
      const { stage, stranger } = content(text);
      stage.add(watched({ pattern: { pidFile: PID_FILE } }));
      stage.run(3000);
      expect(stage.spawns('ssh', 'start')).toBe(1);
      expect(stage.state('ssh').name).toBe('running');
      expect(stranger.life).toBe('alive');
      expect(stranger.received).toEqual([]);
    },
  );

  it('left behind by a daemon that was killed does not hide its death, also when its PID lives again (supervisors 17) (monitors 3)', () => {
    const stage = new Stage({ pids: 4 });
    stage.host.install('/etc/init.d/ssh', startsDaemon([EXE], program(lives)));
    const daemon = stage.bear(EXE, program());
    stage.host.writePidFile(PID_FILE, String(daemon.ref.pid));
    stage.add(watched({ pattern: { pidFile: PID_FILE } }));
    stage.runUntilState('ssh', 'running');
    stage.kill(daemon);
    let stranger = stage.bear('/bin/other', program());
    while (stranger.ref.pid !== daemon.ref.pid) {
      stage.kill(stranger);
      stranger = stage.bear('/bin/other', program());
    }
    stage.run(3000);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.spawns('ssh', 'start')).toBe(1);
    expect(stranger.received).toEqual([]);
  });

  it.each(['removed', 'emptied'])('that is %s while the daemon lives changes nothing (monitors 5)', (how) => {
    const { stage, daemon } = daemonThere(watched({ pattern: { pidFile: PID_FILE } }));
    if (how === 'removed') stage.host.removePidFile(PID_FILE);
    else stage.host.writePidFile(PID_FILE, '');
    stage.run(5 * MINUTE);
    expect(stage.state('ssh')).toMatchObject({ name: 'running', process: daemon.ref });
    expect(stage.spawns('ssh', 'start')).toBe(0);
  });
});

describe('a hand-over', () => {
  it('by a pid file that moves before the old process leaves is followed, not restarted (supervisors 18) (monitors 4)', () => {
    const { stage, daemon } = daemonThere(watched({ pattern: { pidFile: PID_FILE } }));
    const next = stage.host.bear({ argv: [EXE], program: program(), ppid: daemon.ref.pid, group: null, uid: 0 });
    stage.host.writePidFile(PID_FILE, String(next.ref.pid));
    stage.run(5000);
    expect(stage.spawns('ssh', 'start')).toBe(0);
    stage.kill(daemon, 'SIGTERM');
    stage.run(1000);
    expect(stage.state('ssh')).toMatchObject({ name: 'running', process: next.ref });
    expect(stage.happened('ssh', 'handedOver')).toHaveLength(1);
    expect(stage.spawns('ssh', 'start')).toBe(0);
    stage.kill(next);
    stage.run(3000);
    expect(stage.spawns('ssh', 'start')).toBe(1);
  });

  it('by a pid file is believed also when the old process crashes at the end (supervisors 18)', () => {
    const { stage, daemon } = daemonThere(watched({ pattern: { pidFile: PID_FILE } }));
    const next = stage.bear(EXE, program());
    stage.host.writePidFile(PID_FILE, String(next.ref.pid));
    stage.kill(daemon, 'SIGKILL');
    stage.run(1000);
    expect(stage.state('ssh')).toMatchObject({ name: 'running', process: next.ref });
    expect(stage.spawns('ssh', 'start')).toBe(0);
  });

  it('to a process with the same user and command line needs no pid file (supervisors 18)', () => {
    const { stage, daemon } = daemonThere();
    const next = stage.host.bear({ argv: [EXE], program: program(), ppid: daemon.ref.pid, group: null, uid: 0 });
    stage.host.end(daemon, { type: 'exited', code: 0 });
    stage.run(1000);
    expect(stage.state('ssh')).toMatchObject({ name: 'running', process: next.ref });
    expect(stage.spawns('ssh', 'start')).toBe(0);
  });

  it('is not seen in a child of another user that a killed daemon leaves behind', () => {
    const { stage, daemon } = daemonThere();
    stage.host.bear({
      argv: [EXE, 'session'],
      program: program(),
      ppid: daemon.ref.pid,
      group: daemon.group,
      uid: 1000,
    });
    stage.kill(daemon);
    stage.run(3000);
    expect(stage.spawns('ssh', 'start')).toBe(1);
    expect(stage.state('ssh').name).toBe('running');
  });
});

describe('an end that somebody may have wanted', () => {
  it.each(['SIGTERM', 'SIGINT', 'exit 0'] as const)(
    '(%s) is given `settle` to heal by itself: no second start meets the first (monitors 5)',
    (how) => {
      const { stage, daemon } = daemonThere();
      if (how === 'exit 0') stage.host.end(daemon, { type: 'exited', code: 0 });
      else stage.kill(daemon, how);
      stage.run(2000);
      expect(stage.state('ssh')).toMatchObject({ name: 'waiting', for: 'settle' });
      const next = stage.bear(`${EXE} -D`, program());
      stage.run(10_000);
      expect(stage.state('ssh')).toMatchObject({ name: 'running', process: next.ref });
      expect(stage.spawns('ssh', 'start')).toBe(0);
      expect(stage.happened('ssh', 'cameBack')).toHaveLength(1);
    },
  );

  it('is answered when `settle` is over and nobody did anything', () => {
    const { stage, daemon } = daemonThere();
    stage.kill(daemon, 'SIGTERM');
    stage.run(4900);
    expect(stage.spawns('ssh', 'start')).toBe(0);
    stage.run(3000);
    expect(stage.spawns('ssh', 'start')).toBe(1);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.service('ssh').restarts.total).toBe(1);
  });

  it('without `settle` is looked at once before the start, so that a daemon that forked itself anew is not doubled', () => {
    const { stage, daemon } = daemonThere(watched({ settle: seconds(0) }));
    const next = stage.bear(EXE, program());
    stage.host.end(daemon, { type: 'exited', code: 0 });
    stage.run(3000);
    expect(stage.state('ssh')).toMatchObject({ name: 'running', process: next.ref });
    expect(stage.spawns('ssh', 'start')).toBe(0);
  });
});

describe('a start command', () => {
  it('that succeeds while nothing has ever matched is not run again: nothing matches', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', program(exitsAfter(20, 0)));
    stage.add(watched());
    stage.run(60 * MINUTE);
    expect(stage.state('ssh')).toMatchObject({ name: 'failed', failure: { type: 'nothing-matches' }, deadline: null });
    expect(stage.spawns('ssh', 'start')).toBe(1);
  });

  it('that fails is told apart: the reason is its exit code, and it is tried again by the rule (monitors 15)', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', program(exitsAfter(20, 2)), startsDaemon([EXE], program(lives)));
    stage.add(watched());
    stage.run(5000);
    expect(stage.happened('ssh', 'startFailed')[0]?.what).toMatchObject({
      death: { detail: 'its start command exited with code 2' },
    });
    expect(stage.state('ssh').name).toBe('running');
  });

  it('that fails although its daemon is there is a start: no second one (monitors 5)', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', startsDaemon([EXE], program(lives), { code: 1 }));
    stage.add(watched());
    stage.run(5000);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.spawns('ssh', 'start')).toBe(1);
  });

  it('whose daemon exits at once is told apart, tried again without waiting for the whole start time, and limited (monitors 16)', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', startsDaemon([EXE], program(diesAfter(100, 'SIGSEGV'))));
    stage.add(watched());
    stage.runUntilState('ssh', 'failed', 5 * MINUTE);
    expect(stage.happened('ssh', 'startFailed')[0]?.what).toMatchObject({
      death: { cause: 'signal', status: { signal: 'SIGSEGV' } },
    });
    expect(stage.spawns('ssh', 'start')).toBe(11);
  });

  it('that hangs is ended at its deadline with what it started, except what matches (supervisors 14)', () => {
    const stage = new Stage();
    const hangs = program(lives, {
      children: [program(ignoresTerm)],
      daemons: [{ after: 50, argv: [EXE], program: program(), pidFile: null }],
    });
    stage.host.install('/etc/init.d/ssh', hangs);
    stage.add(watched({ start: command('/etc/init.d/ssh start', 3000) }));
    stage.run(MINUTE);
    expect(stage.state('ssh').name).toBe('running');
    expect(stage.host.living().map(({ exe }) => exe)).toEqual([EXE]);
    expect(stage.spawns('ssh', 'start')).toBe(1);
  });

  it('is not run while one still runs, whatever is asked', () => {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', startsDaemon([EXE], program(drains(100)), { after: 500, exit: 1000 }));
    stage.add(watched());
    let most = 0;
    for (const wish of ['start', 'restart', 'start', 'restart'] as const) {
      stage.ask('ssh', wish);
      for (let n = 0; n < 30; n++) {
        stage.run(10);
        most = Math.max(most, stage.helpers('ssh', 'start').length);
      }
    }
    stage.run(10_000);
    expect(most).toBe(1);
    expect(stage.state('ssh').name).toBe('running');
  });
});

it('a fact about a process that only shares the PID changes nothing (supervisors 16) (monitors 3)', () => {
  const { stage, daemon } = daemonThere();
  const before = stage.service('ssh');
  const process = { pid: asPid(daemon.ref.pid), startTicks: daemon.ref.startTicks + 1, inode: '1' };
  const evidence = endedUnseen;
  stage.post({ type: 'exited', service: before.spec.name, process, evidence, away: 'no' });
  expect(stage.service('ssh')).toBe(before);
});

it('a start command that leaves two daemons at once is not run again to make them three', () => {
  const stage = new Stage();
  stage.host.install('/etc/init.d/ssh', program(exitsAfter(30, 0)));
  stage.add(watched());
  stage.run(1000);
  stage.host.beBlind('a moment in which both appear');
  stage.bear(EXE, program());
  stage.bear(EXE, program());
  stage.host.beBlind(null);
  stage.run(10 * MINUTE);
  expect(stage.state('ssh')).toMatchObject({ name: 'unknown', why: { type: 'ambiguous' } });
  expect(stage.spawns('ssh', 'start')).toBe(1);
});
