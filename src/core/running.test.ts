import { describe, expect, it } from 'vitest';
import { watched } from '../../test/support/builders.js';
import { failedStart } from './death.js';
import { asPid } from './process.js';
import { newService, type Service } from './state.js';
import { step } from './step.js';
import { instant, type Moment, wallTime } from './time.js';
import { worldOf } from './world.js';

const at: Moment = { instant: instant(100_000), wall: wallTime(0), random: 0.5, host: 'up', steadySince: instant(0) };
const spec = watched({ name: 'ssh' });

const facts = (pid: number, startTicks: number, title: string) =>
  ({
    process: { pid: asPid(pid), startTicks, inode: null },
    ppid: 1,
    ancestors: [],
    uid: 0,
    comm: 'ssh',
    argv: [title],
    exe: '/usr/sbin/ssh',
    exeId: null,
    script: null,
    foreignNamespace: 'no',
  }) as const;

/** A service whose main process started in tick 5000 and was seen; it ends with this status in this tick, and a look finds `heir`. */
function afterEnd(
  ticks: number,
  status: { readonly type: 'exited'; readonly code: number },
  heir: ReturnType<typeof facts>,
): Service | undefined {
  const main = facts(80, 5000, '/usr/sbin/ssh');
  const running: Service = {
    ...newService(spec, instant(0)),
    generation: 1,
    matched: 'once',
    identity: { uid: 0, argv: main.argv },
    state: { name: 'running', since: instant(99_000), process: main.process, helper: null, deadline: null },
  };
  const evidence = { status, oom: false, peakMemory: null, cpuTime: null, findings: null, ticks, by: null } as const;
  const [ended] = step(
    worldOf(new Map([['ssh', running]])),
    { type: 'exited', service: spec.name, process: main.process, evidence, away: 'no' },
    at,
  ).services;
  if (ended === undefined) throw new Error('its end changed nothing');
  const look = { matches: [heir], pidFile: { type: 'none' }, unseen: null } as const;
  return (
    step(worldOf(new Map([['ssh', ended]])), { type: 'looked', service: spec.name, look }, at).services[0] ?? ended
  );
}

it('the outer half of a double fork, adopted in the middle of somebody’s restart, ends: its daemon is followed, whatever it calls itself', () => {
  const daemon = facts(81, 5001, 'ssh: /usr/sbin/ssh [listener] 0 of 10-100 startups');
  expect(afterEnd(5004, { type: 'exited', code: 0 }, daemon)?.state).toMatchObject({
    name: 'running',
    process: daemon.process,
  });
});

it('what a daemon that served has left behind is not taken for it, when it ended as planned', () => {
  const session = facts(81, 6000, 'some child');
  expect(afterEnd(9000, { type: 'exited', code: 0 }, session)?.state).toMatchObject({ name: 'waiting', for: 'settle' });
});

it('what a daemon that crashed at once has left behind is not taken for it', () => {
  const child = facts(81, 5001, 'some child');
  expect(afterEnd(5004, { type: 'exited', code: 1 }, child)?.state.name).not.toBe('running');
});

it('the orphans of a killed master are no new master, also after a start that failed because of them', () => {
  const master = facts(80, 5000, '/usr/sbin/ssh -k start');
  const orphan = { ...facts(81, 5002, '/usr/sbin/ssh -k start'), uid: 33 };
  const helper = (pid: number, startTicks: number) => ({ pid: asPid(pid), startTicks, inode: null });
  const killed = { type: 'signaled', signal: 'SIGKILL', coreDumped: false } as const;
  const evidence = { oom: false, peakMemory: null, cpuTime: null, findings: null, ticks: 9000, by: null } as const;
  const look = { matches: [orphan], pidFile: { type: 'none' }, unseen: null } as const;
  const service = spec.name;
  let now: Service = {
    ...newService(spec, instant(0)),
    generation: 1,
    matched: 'once',
    identity: { uid: 0, argv: master.argv },
    state: { name: 'running', since: instant(99_000), process: master.process, helper: null, deadline: null },
  };
  let time = at;
  const tell = (event: Parameters<typeof step>[1]): void => {
    now = step(worldOf(new Map([['ssh', now]])), event, time).services[0] ?? now;
  };
  tell({ type: 'exited', service, process: master.process, evidence: { ...evidence, status: killed }, away: 'no' });
  for (const [pid, ticks] of [
    [90, 9001],
    [91, 9100],
  ] as const) {
    if (now.state.name === 'backoff') {
      time = { ...time, instant: now.state.deadline };
      tell({ type: 'deadlinePassed', service });
    }
    expect(now.state).toMatchObject({ name: 'starting', phase: 'launching' });
    const command = helper(pid, ticks);
    tell({ type: 'spawned', service, role: 'start', generation: now.generation, process: command });
    tell({ type: 'looked', service, look });
    tell({
      type: 'exited',
      service,
      process: command,
      evidence: { ...evidence, ticks: ticks + 9, status: { type: 'exited', code: 1 } },
      away: 'no',
    });
    tell({ type: 'looked', service, look });
  }
  expect(now.lastDeath?.detail).toContain('exited with code 1');
  expect(now.state.name).toBe('backoff');
});

it('a polite end soon after another belongs to the same incident, also in what is told of it', () => {
  const main = facts(80, 5000, '/usr/sbin/ssh');
  const evidence = { oom: false, peakMemory: null, cpuTime: null, findings: null, ticks: 5004, by: null } as const;
  const status = { type: 'signaled', signal: 'SIGTERM', coreDumped: false } as const;
  const before = failedStart('exit', { type: 'exited', code: 1 }, null, 'exited with code 1', { ...at, random: 0 });
  const running: Service = {
    ...newService(spec, instant(0)),
    lastDeath: before,
    state: { name: 'running', since: instant(99_000), process: main.process, helper: null, deadline: null },
  };
  const exited = { type: 'exited', process: main.process, evidence: { ...evidence, status }, away: 'no' } as const;
  const { services, changes } = step(worldOf(new Map([['ssh', running]])), { ...exited, service: spec.name }, at);
  expect(services[0]?.lastDeath?.incident).toBe(before.incident);
  expect(changes[0]?.what).toMatchObject({ type: 'died', death: { incident: before.incident } });
});

describe('what a watched daemon leaves behind', () => {
  const master = facts(80, 5000, '/usr/sbin/ssh');
  const heir = { ...facts(81, 9000, '/usr/sbin/ssh'), ppid: 80 };
  const strict: Service = {
    ...newService({ ...spec, leftovers: 'kill' }, instant(0)),
    ...{ generation: 1, matched: 'once', identity: { uid: 0, argv: master.argv } },
    state: { name: 'running', since: instant(99_000), process: master.process, helper: null, deadline: null },
  };
  const none = { oom: false, peakMemory: null, cpuTime: null, findings: null, ticks: 9500, by: null } as const;
  const evidence = { ...none, status: { type: 'exited', code: 0 } } as const;
  const tell = (service: Service | undefined, event: Parameters<typeof step>[1], time = at): ReturnType<typeof step> =>
    step(worldOf(new Map(service === undefined ? [] : [['ssh', service]])), event, time);
  const ended = (): ReturnType<typeof step> =>
    tell(strict, { type: 'exited', service: spec.name, process: master.process, evidence, away: 'no' });
  const endings = ({ effects }: ReturnType<typeof step>): unknown => effects.filter(({ type }) => type === 'endRest');

  it('is spared while it is looked for a successor, and afterwards where there is one', () => {
    const end = ended();
    expect(endings(end)).toEqual([]);
    const look = { matches: [heir], pidFile: { type: 'none' }, unseen: null } as const;
    const found = tell(end.services[0], { type: 'looked', service: spec.name, look });
    expect(found.services[0]).toMatchObject({ rest: null, state: { name: 'running', process: heir.process } });
    expect(endings(found)).toEqual([]);
  });

  it('is ended when there is none, and when somebody does not wait for that', () => {
    const [waiting] = ended().services;
    const order = { type: 'endRest', process: master.process, signal: 'SIGKILL', policy: 'kill' };
    const late = { ...at, instant: instant(400_000) };
    expect(endings(tell(waiting, { type: 'deadlinePassed', service: spec.name }, late))).toMatchObject([order]);
    const start = { type: 'asked', service: spec.name, ask: { verb: 'start', reason: null }, by: null } as const;
    expect(endings(tell(waiting, start))).toMatchObject([order]);
  });
});
