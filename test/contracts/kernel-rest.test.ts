// What is around a main process: those that leave its session, orphans, zombies, and those of others that must be left
// alone. On the rungs on which they are found by different means.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../src/core/effect.js';
import { LOST, type ServiceEvent } from '../../src/core/event.js';
import { asPid, type ProcessRef } from '../../src/core/process.js';
import type { Command, ServiceSpec } from '../../src/core/spec.js';
import { findCgroupBase, findMemoryV1Base } from '../../src/kernel/cgroup-mounts.js';
import { readStat } from '../../src/kernel/identity.js';
import { ownChildren } from '../../src/kernel/processes-of.js';
import { supervised, watched } from '../support/builders.js';
import { exec, makeRealKernel, type RealSubject, sh, spawning, until, written } from '../support/real-kernel.js';

const isRoot = process.geteuid?.() === 0;
const spec = supervised();

const RUNGS: readonly (readonly [name: string, without: readonly string[]])[] = [
  ['all features', []],
  ['no control groups', ['cgroup']],
  ['no control groups, Debian 12’s 6.1', ['cgroup', 'pidfdInfo', 'pidfdInode']],
  ['no control groups, no pidfd', ['cgroup', 'pidfd']],
];

let subject: RealSubject;

const of = <T extends ServiceEvent['type']>(
  type: T,
  service: string = spec.name,
): readonly Extract<ServiceEvent, { type: T }>[] =>
  subject.events.filter(
    (event): event is Extract<ServiceEvent, { type: T }> => event.type === type && event.service === service,
  );

function start(command: Command, service: ServiceSpec = spec, role: Role = 'main', generation = 1): ProcessRef {
  const before = of('spawned', service.name).length;
  subject.kernel.perform(spawning(service, command, { role, generation }));
  const process = of('spawned', service.name)[before]?.process;
  if (process === undefined) throw new Error(JSON.stringify(subject.events.at(-1)));
  return process;
}

const endRest = (process: ProcessRef, signal: 'SIGTERM' | 'SIGKILL', service: ServiceSpec = spec): void =>
  subject.kernel.perform({ type: 'endRest', service: service.name, process, signal, policy: 'kill' });

const hasEnded = (service: ServiceSpec = spec): Promise<void> =>
  subject.until(`${service.name} has ended`, () => of('exited', service.name).length > 0);
const isEmpty = (service: ServiceSpec = spec): Promise<void> =>
  subject.until(`nobody is left of ${service.name}`, () => of('emptied', service.name).length > 0);

const isThere = (pid: number): boolean => !['Z', 'X', undefined].includes(readStat(pid)?.state);
const pidIn = async (file: string): Promise<number> => Number(await written(join(subject.home, file)));

for (const [name, without] of RUNGS) {
  describe(`what a main process leaves behind (${name})`, () => {
    beforeEach(() => {
      subject = makeRealKernel(without);
    });
    afterEach(() => subject.close());

    it('does not delay the news of its death, though a grandchild keeps its output open (supervisors 3)', async () => {
      start(sh('setsid sleep 600 & echo $! > "$1"; exit 9', join(subject.home, 'pid')));
      await hasEnded();
      expect(of('exited')[0]?.evidence.status).toEqual({ type: 'exited', code: 9 });
      expect(isThere(await pidIn('pid'))).toBe(true);
    });

    it('is ended though it has a session of its own (supervisors 12)', async () => {
      const main = start(sh('setsid sleep 600 & echo $! > "$1"; exec sleep 600', join(subject.home, 'pid')));
      const pid = await pidIn('pid');
      await until('it has left', () => readStat(pid)?.session === pid);
      subject.kill(main, 'SIGKILL');
      await hasEnded();
      endRest(main, 'SIGTERM');
      await isEmpty();
      expect(isThere(pid)).toBe(false);
    });

    it('is ended though it has forked twice, and its deafness to SIGTERM is answered by SIGKILL (supervisors 10)', async () => {
      const deaf = '(trap "" TERM; setsid sh -c "echo \\$\\$ > $1; while :; do sleep 1; done" & )';
      const main = start(sh(`${deaf}; exec sleep 600`, join(subject.home, 'pid')));
      const pid = await pidIn('pid');
      await until('it is nobody’s child', () => readStat(pid)?.ppid !== main.pid);
      subject.kill(main, 'SIGKILL');
      await hasEnded();
      endRest(main, 'SIGTERM');
      await subject.quiet();
      expect(of('emptied')).toEqual([]);
      expect(isThere(pid)).toBe(true);
      endRest(main, 'SIGKILL');
      await isEmpty();
      expect(isThere(pid)).toBe(false);
    });

    it('is woken to hear SIGTERM, where it was stopped', async () => {
      const main = start(sh('sleep 600 & kill -STOP $!; echo $! > "$1"; exec sleep 600', join(subject.home, 'pid')));
      const pid = await pidIn('pid');
      await until('it is stopped', () => readStat(pid)?.state === 'T');
      subject.kill(main, 'SIGKILL');
      await hasEnded();
      endRest(main, 'SIGTERM');
      await isEmpty();
      expect(isThere(pid)).toBe(false);
    });

    it('is ended also if it is born while the others are dying', async () => {
      // Signals are blocked while the handler runs: the newcomer cannot swallow one before it is at its default again.
      const forks =
        'use POSIX; $SIG{TERM} = sub { exit if fork; $SIG{TERM} = "DEFAULT"; open F, ">$ARGV[0]"; print F "$$\\n"; close F;' +
        'sigprocmask(SIG_UNBLOCK, POSIX::SigSet->new(SIGTERM)); sleep 600; exit }; open U, ">$ARGV[0].up"; print U "\\n"; close U; sleep 600;';
      const main = start(sh('perl -e "$1" "$2" & exec sleep 600', forks, join(subject.home, 'pid')));
      await written(join(subject.home, 'pid.up'));
      subject.kill(main, 'SIGKILL');
      await hasEnded();
      endRest(main, 'SIGTERM');
      const pid = await pidIn('pid');
      await isEmpty();
      expect(isThere(pid)).toBe(false);
    });

    it('does not count the processes of another service among it', async () => {
      const other = supervised({ name: 'other' });
      const stays = start(sh('setsid sleep 600 & echo $! > "$1"; exec sleep 600', join(subject.home, 'pid')), other);
      const pid = await pidIn('pid');
      const main = start(exec('/bin/sleep', '600'));
      subject.kill(main, 'SIGKILL');
      await hasEnded();
      endRest(main, 'SIGKILL');
      await isEmpty();
      expect([isThere(stays.pid), isThere(pid)]).toEqual([true, true]);
    });

    it('does not count a command of the same service that is still running', async () => {
      const main = start(exec('/bin/sleep', '600'));
      const helper = start(exec('/bin/sleep', '600'), spec, 'reload');
      subject.kill(main, 'SIGKILL');
      await hasEnded();
      endRest(main, 'SIGKILL');
      await isEmpty();
      expect(isThere(helper.pid)).toBe(true);
    });

    it('keeps the socket that it has when a start is prepared, and no longer (graceful 8)', async () => {
      const path = subject.pathOf('agent.sock');
      const cleaned = { ...spec, clean: [path] };
      const prepare = async (generation: number): Promise<void> => {
        subject.kernel.perform({ type: 'prepare', spec: cleaned, generation });
        await subject.until('it is prepared', () => of('prepared').at(-1)?.generation === generation);
      };
      const [program = '', ...words] = subject.programs.binds(path).argv;
      const main = start(sh('setsid "$@" & exec sleep 600', program, ...words));
      await until('it is bound', () => subject.at(path) === 'socket');
      subject.kill(main, 'SIGKILL');
      await hasEnded();
      await prepare(2);
      expect(subject.at(path)).toBe('socket');
      expect(subject.reports).toContainEqual(expect.stringMatching(/agent\.sock is left there .* is bound to it/));
      endRest(main, 'SIGKILL');
      await isEmpty();
      await prepare(3);
      expect(subject.at(path)).toBeNull();
    });

    it('is no zombie for long, and child_process of Node has all of its own (supervisors 2)', async () => {
      const main = start(sh('for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.2 & ); done; exec sleep 600'));
      const codes = Array.from({ length: 20 }, (_, i) => ended('/bin/sh', '-c', `sleep 0.1; exit ${i}`));
      expect(await Promise.all(codes)).toEqual(codes.map((_, i) => i));
      await until('orphans are reaped', () => ownChildren().every((pid) => readStat(pid)?.state !== 'Z'));
      expect(subject.isAlive(main)).toBe(true);
      expect(of('exited')).toEqual([]);
    });

    it('is not looked for among strangers that have its number now (supervisors 16)', async () => {
      // A stranger's session, with a member, under the pid that the dead main process had.
      const script = 'sleep 600 & echo $! > "$0"; exec sleep 600';
      const stranger = spawn('/bin/sh', ['-c', script, join(subject.home, 'pid')], { detached: true, stdio: 'ignore' });
      const pid = await pidIn('pid');
      const now = readStat(stranger.pid ?? 0);
      if (now === null) throw new Error('it is gone');
      const dead = { pid: stranger.pid, startTicks: now.startTicks - 1, inode: null } as ProcessRef;
      endRest(dead, 'SIGKILL');
      await isEmpty();
      await sleep(100);
      expect([isThere(stranger.pid ?? 0), isThere(pid)]).toEqual([true, true]);
      process.kill(pid, 'SIGKILL');
      stranger.kill('SIGKILL');
    });
  });

  describe(`a new kernel in the place of one that was killed (${name})`, () => {
    beforeEach(() => {
      subject = makeRealKernel(without);
    });
    afterEach(() => subject.close());

    it('finds what was started, tells of its end, and ends what it leaves behind (supervisors 32)', async () => {
      const main = start(sh('sleep 600 & echo $! > "$1"; exec sleep 600', join(subject.home, 'pid')), spec, 'main', 3);
      const pid = await pidIn('pid');
      subject.succeed();
      subject.kernel.perform({ type: 'reclaim', hook: 0, spec, role: 'main', generation: 3 });
      await subject.until('it was found', () => of('spawned').length === 2);
      expect(of('spawned')[1]?.process).toEqual({ ...main, inode: expect.toSatisfy((inode) => inode === main.inode) });
      subject.kill(main, 'SIGKILL');
      await hasEnded();
      expect(of('exited')[0]).toMatchObject({ process: main, away: 'no' });
      endRest(main, 'SIGTERM');
      await isEmpty();
      expect(isThere(pid)).toBe(false);
    });

    it('takes no grandchild with the inherited token, and nobody of another session, for the process itself', async () => {
      const main = start(
        sh('setsid sleep 600 & sleep 600 & echo $! > "$1"; exec sleep 600', join(subject.home, 'pid')),
      );
      await pidIn('pid');
      subject.succeed();
      subject.kernel.perform({ type: 'reclaim', hook: 0, spec, role: 'main', generation: 1 });
      await subject.until('it was found', () => of('spawned').length === 2);
      expect(of('spawned')[1]?.process.pid).toBe(main.pid);
    });

    it('takes nobody that another service has marked with what it knows of itself', async () => {
      // All that a service can read is its own token: neither that nor anything made of it is another order's.
      start(sh('echo "$UPKEEP_TOKEN" > "$1"; exec sleep 600', join(subject.home, 'token')));
      const token = (await written(join(subject.home, 'token'))).trim();
      for (const forged of [token, token.replace('web', 'bank'), token.replace('1', '2')])
        start(sh('(UPKEEP_TOKEN="$1" setsid sleep 600 &); exec sleep 600', forged), supervised({ name: 'forger' }));
      await subject.quiet();
      subject.succeed();
      const bank = supervised({ name: 'bank' });
      for (const [service, generation] of [
        [bank, 1],
        [spec, 2],
      ] as const)
        subject.kernel.perform({ type: 'reclaim', hook: 0, spec: service, role: 'main', generation });
      await subject.until('it was told', () => of('spawnFailed').length > 0 && of('spawnFailed', 'bank').length > 0);
      expect([of('spawnFailed')[0]?.errno, of('spawnFailed', 'bank')[0]?.errno]).toEqual([LOST, LOST]);
    });

    it('says LOST when only a child of it lives, in the session that it began', async () => {
      const main = start(sh('sleep 600 & echo $! > "$1"; exec sleep 600', join(subject.home, 'pid')));
      const pid = await pidIn('pid');
      subject.kill(main, 'SIGKILL');
      await hasEnded();
      subject.succeed();
      subject.kernel.perform({ type: 'reclaim', hook: 0, spec, role: 'main', generation: 1 });
      await subject.until('it was told', () => of('spawnFailed').length > 0);
      expect(of('spawnFailed')[0]?.errno).toBe(LOST);
      expect(isThere(pid)).toBe(true);
    });

    it('follows what it is told of, and says that it was away when that is gone', async () => {
      const main = start(exec('/bin/sleep', '600'));
      const gone = start(exec('/bin/sleep', '600'), supervised({ name: 'gone' }));
      subject.kill(gone, 'SIGKILL');
      await subject.until('it has ended', () => of('exited', 'gone').length > 0);
      await sleep(20); // a tick of 10 ms tells the generations apart
      subject.succeed();
      subject.kernel.perform({ type: 'follow', service: spec.name, process: main });
      subject.kernel.perform({ type: 'follow', service: supervised({ name: 'gone' }).name, process: gone });
      await subject.until('it was told', () => of('exited', 'gone').length > 1);
      expect(of('exited', 'gone')[1]).toMatchObject({ process: gone, away: 'yes' });
      subject.kill(main, 'SIGTERM');
      await hasEnded();
      expect(of('exited')[0]).toMatchObject({ away: 'no', evidence: { status: { signal: 'SIGTERM' } } });
    });

    it('says how a process ended that it is told of too late, while its parent has not asked', async () => {
      // Its parent becomes a program that never asks.
      const script = 'sleep 600 & echo $! > "$0"; exec sleep 600';
      const parent = spawn('/bin/sh', ['-c', script, join(subject.home, 'pid')], { stdio: 'ignore' });
      const pid = await pidIn('pid');
      const gone: ProcessRef = { pid: asPid(pid), startTicks: readStat(pid)?.startTicks ?? 0, inode: null };
      process.kill(pid, 'SIGKILL');
      await until('it is a zombie', () => readStat(pid)?.state === 'Z');
      subject.kernel.perform({ type: 'follow', service: spec.name, process: gone });
      await hasEnded();
      const status = { type: 'signaled', signal: 'SIGKILL' };
      expect(of('exited')[0]).toMatchObject({ process: gone, away: 'yes', evidence: { status } });
      parent.kill('SIGKILL');
    });
  });
}

/** The exit code of a child of Node's own. */
function ended(program: string, ...args: readonly string[]): Promise<number | null> {
  return new Promise((resolve) => spawn(program, args, { stdio: 'ignore' }).once('exit', resolve));
}

describe('a start command that hangs', () => {
  beforeEach(() => {
    subject = makeRealKernel([]);
  });
  afterEach(() => subject.close());

  it('is killed with those of it that do not hear SIGTERM', async () => {
    const service = watched({ pattern: { by: { type: 'exe', path: subject.daemonPath } } });
    const script = 'trap "" TERM; sleep 600 & echo $! > "$1"; while :; do sleep 1; done';
    const helper = start(sh(script, join(subject.home, 'pid')), service, 'start');
    const pid = await pidIn('pid');
    subject.kernel.perform({ type: 'endHelper', service: service.name, process: helper, spec: service });
    await hasEnded(service);
    expect(of('exited', service.name)[0]?.evidence.status).toMatchObject({ signal: 'SIGKILL' });
    await until('its child is gone', () => !isThere(pid));
  });

  it('spares the daemon also while that is still in the session of the command', async () => {
    const service = watched({ pattern: { by: { type: 'exe', path: subject.daemonPath } } });
    const helper = start(sh('"$1" 600 & sleep 600', subject.daemonPath), service, 'start');
    await until('the daemon is up', () => subject.daemons().length > 0);
    subject.kernel.perform({ type: 'endHelper', service: service.name, process: helper, spec: service });
    await hasEnded(service);
    await sleep(2500); // longer than the patience before SIGKILL
    expect(subject.daemons()).toHaveLength(1);
  });
});

// The memory of a process is in no simulated hands: this takes a controller, which root alone may set up.
const canLimit = isRoot && (findMemoryV1Base() !== null || findCgroupBase() !== null);

describe.skipIf(!canLimit)('a memory limit', () => {
  beforeEach(() => {
    subject = makeRealKernel([]);
  });
  afterEach(() => subject.close());

  const limited: ServiceSpec = { ...spec, settings: { ...spec.settings, memory: 24 * 1024 * 1024 } };
  // First small, so that it is in its group before it grows; then 64 MB, each page touched.
  const GROWS = 'sleep 2; my $x = "x" x (64 << 20); sleep 600';

  it('kills who goes over it, and the death is called what it is (supervisors 4)', async ({ skip }) => {
    if (subject.enforcesMemory === 'no') skip('no memory controller to be had');
    start(exec('/usr/bin/perl', '-e', GROWS), limited);
    await hasEnded();
    expect(of('exited')[0]?.evidence).toMatchObject({ status: { type: 'signaled', signal: 'SIGKILL' }, oom: true });
  });

  it('kills the whole service, also when it is a child that goes over it', async ({ skip }) => {
    if (subject.enforcesMemory === 'no') skip('no memory controller to be had');
    start(sh('perl -e "$1" & wait $!; exec sleep 600', GROWS), limited);
    await hasEnded();
    expect(of('exited')[0]?.evidence).toMatchObject({ status: { type: 'signaled', signal: 'SIGKILL' }, oom: true });
  });

  it('is not blamed for a SIGKILL that somebody sent', async ({ skip }) => {
    if (subject.enforcesMemory === 'no') skip('no memory controller to be had');
    const main = start(exec('/bin/sleep', '600'), limited);
    await sleep(1000);
    subject.kill(main, 'SIGKILL');
    await hasEnded();
    expect(of('exited')[0]?.evidence.oom).toBe(false);
  });
});

/** The newer hierarchy’s name for where it is. */
const groupOf = (pid: number): string => /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '';

describe.skipIf(findCgroupBase() === null)(
  'what has left a main process before that came into its control group',
  () => {
    beforeEach(() => {
      subject = makeRealKernel([]);
    });
    afterEach(() => subject.close());

    it('follows it there with its own, and is ended with it (supervisors 12)', async () => {
      const detached = 'sleep 600 & echo $! > "$1.child"; echo $$ > "$1"; wait';
      const main = start(sh(`(setsid sh -c '${detached}' sh "$1" &); exec sleep 600`, join(subject.home, 'pid')));
      const [pid, child] = [await pidIn('pid'), await pidIn('pid.child')];
      await until('it is our orphan', () => readStat(pid)?.ppid === process.pid);
      await until('the main process is in its group', () => groupOf(main.pid).endsWith('/web.service'));
      await until('so are they', () => [pid, child].every((one) => groupOf(one) === groupOf(main.pid)));
      subject.kill(main, 'SIGKILL');
      await hasEnded();
      endRest(main, 'SIGKILL');
      await isEmpty();
      expect([isThere(pid), isThere(child)]).toEqual([false, false]);
    });
  },
);

describe.skipIf(findCgroupBase() === null)('control groups', () => {
  it('hold a service, and are gone when the keeper is and nobody is left in them', async () => {
    subject = makeRealKernel([]);
    const main = start(exec('/bin/sleep', '600'));
    await until('it is in its group', () => groupOf(main.pid).endsWith('/web.service'));
    const own = join(findCgroupBase() ?? '', basename(dirname(groupOf(main.pid))));
    expect(existsSync(own)).toBe(true);
    await subject.close();
    expect(existsSync(own)).toBe(false);
  });
});
