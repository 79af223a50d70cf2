// Two generations of a service at the same time, on the real kernel: what is done to one is not done to the other, whatever
// the kernel has to tell them apart by. And programs that fork their own successor, whose generation is one.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServiceEvent } from '../../src/core/event.js';
import type { ProcessRef } from '../../src/core/process.js';
import type { Command, ServiceSpec } from '../../src/core/spec.js';
import { millis } from '../../src/core/time.js';
import { findCgroupBase, findMemoryV1Base } from '../../src/kernel/cgroup-mounts.js';
import { readStat } from '../../src/kernel/identity.js';
import { supervised } from '../support/builders.js';
import { exec, makeRealKernel, type RealSubject, sh, spawning, until, written } from '../support/real-kernel.js';

const RUNGS: readonly (readonly [name: string, without: readonly string[]])[] = [
  ['all features', []],
  ['no control groups', ['cgroup']],
  ['no control groups, Debian 12’s 6.1', ['cgroup', 'pidfdInfo', 'pidfdInode']],
  ['no control groups, no pidfd', ['cgroup', 'pidfd']],
];

const spec = supervised();
let subject: RealSubject;

const of = <T extends ServiceEvent['type']>(type: T): readonly Extract<ServiceEvent, { type: T }>[] =>
  subject.events.filter((event): event is Extract<ServiceEvent, { type: T }> => event.type === type);

function start(command: Command, generation: number, service: ServiceSpec = spec): ProcessRef {
  const before = of('spawned').length;
  subject.kernel.perform(spawning(service, command, { generation }));
  const process = of('spawned')[before]?.process;
  if (process === undefined) throw new Error(JSON.stringify(subject.events.at(-1)));
  return process;
}

const endRest = (process: ProcessRef, signal: 'SIGTERM' | 'SIGKILL'): void =>
  subject.kernel.perform({ type: 'endRest', service: spec.name, process, signal, policy: 'kill' });

const hasEnded = ({ pid }: ProcessRef): Promise<void> =>
  subject.until(`${pid} has ended`, () => of('exited').some(({ process }) => process.pid === pid));
const isEmpty = ({ pid }: ProcessRef): Promise<void> =>
  subject.until(`nothing is left of ${pid}`, () => of('emptied').some(({ process }) => process.pid === pid));

const isThere = (pid: number): boolean => !['Z', 'X', undefined].includes(readStat(pid)?.state);
const pidIn = async (file: string): Promise<number> => Number(await written(join(subject.home, file)));
const groupOf = (pid: number): string => /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '';

/** Lives, with a child in its session, and a daemon of its own that has left it by two forks. */
const family = (name: string): Command =>
  sh(
    'sleep 600 & echo $! > "$1.child"; (setsid sh -c \'echo $$ > "$1.daemon"; exec sleep 600\' sh "$1" &); exec sleep 600',
    join(subject.home, name),
  );

async function familyOf(name: string, main: ProcessRef): Promise<readonly number[]> {
  return [main.pid, await pidIn(`${name}.child`), await pidIn(`${name}.daemon`)];
}

/** Where there are control groups, each of them is in one. */
async function placed(pids: readonly number[]): Promise<void> {
  if (subject.features.cgroup === 'no' || findCgroupBase() === null) return;
  await until('they are in their groups', () => pids.every((pid) => groupOf(pid).endsWith('.service')));
}

for (const [name, without] of RUNGS) {
  describe(`two generations beside one another (${name})`, () => {
    beforeEach(() => {
      subject = makeRealKernel(without);
    });
    afterEach(() => subject.close());

    it('are ended one without the other, whichever goes first (graceful 2, 20; D10)', async () => {
      const [old, fresh] = [start(family('old'), 1), start(family('fresh'), 2)];
      const [olds, freshes] = [await familyOf('old', old), await familyOf('fresh', fresh)];
      await placed([...olds, ...freshes]);
      subject.kill(old, 'SIGKILL');
      await hasEnded(old);
      endRest(old, 'SIGTERM');
      await isEmpty(old);
      expect([olds.filter(isThere), freshes.filter(isThere)]).toEqual([[], freshes]);
      // And one that comes while this one lives, with the place of the first free again.
      const third = start(family('third'), 3);
      const thirds = await familyOf('third', third);
      await placed(thirds);
      subject.kill(fresh, 'SIGKILL');
      await hasEnded(fresh);
      endRest(fresh, 'SIGKILL');
      await isEmpty(fresh);
      expect([freshes.filter(isThere), thirds.filter(isThere)]).toEqual([[], thirds]);
    });

    it('are ended at the same time, each told of by its own name', async () => {
      const [old, fresh] = [start(family('old'), 1), start(family('fresh'), 2)];
      const all = [...(await familyOf('old', old)), ...(await familyOf('fresh', fresh))];
      for (const one of [old, fresh]) subject.kill(one, 'SIGKILL');
      for (const one of [old, fresh]) await hasEnded(one);
      for (const one of [old, fresh]) endRest(one, 'SIGKILL');
      for (const one of [old, fresh]) await isEmpty(one);
      expect(all.filter(isThere)).toEqual([]);
    });

    it('are ended one without the other also while the second is only just born', async () => {
      const old = start(family('old'), 1);
      const olds = await familyOf('old', old);
      const fresh = start(exec('/bin/sleep', '600'), 2);
      subject.kill(old, 'SIGKILL');
      await hasEnded(old);
      endRest(old, 'SIGKILL');
      await isEmpty(old);
      const third = start(exec('/bin/sleep', '600'), 3);
      await placed([fresh.pid, third.pid]);
      await sleep(100);
      expect([olds.filter(isThere), isThere(fresh.pid), isThere(third.pid)]).toEqual([[], true, true]);
    });

    it('have a signal to the group of one kept from the other', async () => {
      const [old, fresh] = [start(family('old'), 1), start(family('fresh'), 2)];
      const [olds, freshes] = [await familyOf('old', old), await familyOf('fresh', fresh)];
      subject.kernel.perform({
        ...{ type: 'signal', service: spec.name, process: old, signal: 'SIGTERM', to: 'group', thenContinue: 'yes' },
      });
      await hasEnded(old);
      await until('its child has ended', () => !isThere(olds[1] ?? 0));
      expect(freshes.filter(isThere)).toEqual(freshes);
    });

    it('are told apart by the next kernel too', async () => {
      const [old, fresh] = [start(family('old'), 1), start(family('fresh'), 2)];
      const [olds, freshes] = [await familyOf('old', old), await familyOf('fresh', fresh)];
      await placed([...olds, ...freshes]);
      subject.succeed();
      for (const process of [old, fresh]) subject.kernel.perform({ type: 'follow', service: spec.name, process });
      subject.kill(old, 'SIGKILL');
      await hasEnded(old);
      endRest(old, 'SIGKILL');
      await isEmpty(old);
      // Without control groups a daemon that has left the session of a process of an earlier keeper cannot be found.
      const found = subject.features.cgroup === 'yes' && findCgroupBase() !== null ? olds : olds.slice(0, 2);
      expect([found.filter(isThere), freshes.filter(isThere)]).toEqual([[], freshes]);
    });

    it('are told apart also where one ended while no kernel was there, and is heard of first', async () => {
      const [old, fresh] = [start(family('old'), 1), start(family('fresh'), 2)];
      const [olds, freshes] = [await familyOf('old', old), await familyOf('fresh', fresh)];
      await placed([...olds, ...freshes]);
      subject.kill(old, 'SIGKILL');
      await hasEnded(old);
      subject.succeed();
      endRest(old, 'SIGKILL');
      subject.kernel.perform({ type: 'follow', service: spec.name, process: fresh });
      await isEmpty(old);
      const found = subject.features.cgroup === 'yes' && findCgroupBase() !== null ? olds : olds.slice(0, 2);
      expect([found.filter(isThere), freshes.filter(isThere)]).toEqual([[], freshes]);
    });
  });

  describe(`a program that forks its own successor (${name})`, () => {
    beforeEach(() => {
      subject = makeRealKernel(without);
    });
    afterEach(() => subject.close());

    const pidFile = (): string => join(subject.home, 'web.pid');
    const forking = (): ServiceSpec => ({ ...spec, handover: { ...spec.handover, pidFile: pidFile() } });
    // At USR2 it forks a successor, which writes the pid file; it goes itself when it is told to.
    const FORKS = `$SIG{USR2} = sub { return if fork; $SIG{USR2} = 'DEFAULT'; if (!fork) { sleep 600; exit }
      open F, '>', "$ARGV[0].new"; print F "$$\\n"; close F; rename "$ARGV[0].new", $ARGV[0]; sleep 600 while 1 };
      open F, '>', $ARGV[0]; print F "$$\\n"; close F; sleep 600 while 1`;

    const seek = (dead: ProcessRef, patience = 5000): void =>
      subject.kernel.perform({ type: 'seekSuccessor', spec: forking(), dead, patience: millis(patience) });
    const answered = (): Promise<void> => subject.until('it was sought', () => of('succeeded').length > 0);

    it('is found by its pid file, and what it has is not taken for what the dead one left (graceful D17)', async () => {
      const old = start(exec('/usr/bin/perl', '-e', FORKS, pidFile()), 1, forking());
      await written(pidFile());
      process.kill(old.pid, 'SIGUSR2');
      await until('there is a successor', () => Number(readFileSync(pidFile(), 'utf8')) !== old.pid);
      subject.kill(old, 'SIGKILL');
      await hasEnded(old);
      seek(old);
      await answered();
      const next = of('succeeded')[0]?.process ?? null;
      expect(next?.pid).toBe(Number(readFileSync(pidFile(), 'utf8')));
      if (next === null) throw new Error('it is there');
      subject.kernel.perform({ type: 'follow', service: spec.name, process: next });
      endRest(old, 'SIGKILL');
      await isEmpty(old);
      await sleep(50);
      expect(isThere(next.pid)).toBe(true);
      const [child = 0] = (readFileSync(`/proc/${next.pid}/task/${next.pid}/children`, 'utf8').trim() || '0').split(
        ' ',
      );
      expect(isThere(Number(child))).toBe(true);
      // The last of them answers for all.
      subject.kill(next, 'SIGKILL');
      await hasEnded(next);
      endRest(next, 'SIGKILL');
      await isEmpty(next);
      const isFindable = subject.features.subreaper === 'yes' || subject.features.cgroup === 'yes';
      if (isFindable) expect(isThere(Number(child))).toBe(false);
    });

    it('is waited for a while where its file is renamed later (gunicorn), and no stranger is believed', async () => {
      const old = start(sh('sleep 600 & echo $! > "$1"; exec sleep 600', join(subject.home, 'pid')), 1, forking());
      const child = await pidIn('pid');
      writeFileSync(pidFile(), `${process.pid}\n`);
      subject.kill(old, 'SIGKILL');
      await hasEnded(old);
      seek(old);
      await subject.quiet();
      const stranger = await subject.stranger();
      writeFileSync(pidFile(), `${stranger.pid}\n`);
      await subject.quiet();
      expect(of('succeeded')).toEqual([]);
      writeFileSync(pidFile(), `${child}\n`);
      await answered();
      expect(of('succeeded')[0]).toMatchObject({ dead: old, process: { pid: child } });
    });

    it('is nobody at once where nobody is left, and nobody after a while where nothing names one', async () => {
      const alone = start(exec('/bin/sleep', '600'), 1, forking());
      rmSync(pidFile(), { force: true });
      subject.kill(alone, 'SIGKILL');
      await hasEnded(alone);
      seek(alone);
      await answered();
      expect(of('succeeded')).toMatchObject([{ dead: alone, process: null }]);
      const old = start(sh('sleep 600 & exec sleep 600'), 2, forking());
      await until('it has a child', () => subject.groupOf(old).length === 2);
      subject.kill(old, 'SIGKILL');
      await hasEnded(old);
      seek(old);
      await subject.until('it was sought', () => of('succeeded').length === 2);
      expect(of('succeeded')[1]).toMatchObject({ dead: old, process: null });
      // After a crash nobody waits.
      rmSync(pidFile(), { force: true });
      seek(old, 0);
      await subject.until('it was sought', () => of('succeeded').length === 3);
      expect(of('succeeded')[2]).toMatchObject({ dead: old, process: null });
      endRest(old, 'SIGKILL');
      await isEmpty(old);
    });
  });
}

const canLimit = process.geteuid?.() === 0 && (findMemoryV1Base() !== null || findCgroupBase() !== null);

describe.skipIf(!canLimit)('a memory limit of two generations', () => {
  beforeEach(() => {
    subject = makeRealKernel([]);
  });
  afterEach(() => subject.close());

  it('is that of each alone, and the end of one for want of it is not that of the other', async ({ skip }) => {
    if (subject.enforcesMemory === 'no') skip('no memory controller to be had');
    const limited = { ...spec, settings: { ...spec.settings, memory: 24 * 1024 * 1024 } };
    const old = start(exec('/bin/sleep', '600'), 1, limited);
    const fresh = start(exec('/usr/bin/perl', '-e', 'sleep 2; my $x = "x" x (64 << 20); sleep 600'), 2, limited);
    await hasEnded(fresh);
    expect(of('exited')[0]?.evidence).toMatchObject({ status: { signal: 'SIGKILL' }, oom: true });
    expect(isThere(old.pid)).toBe(true);
    subject.kernel.perform({
      ...{ type: 'signal', service: spec.name, process: old, signal: 'SIGTERM', to: 'group', thenContinue: 'yes' },
    });
    await hasEnded(old);
    expect(of('exited')[1]?.evidence).toMatchObject({ status: { signal: 'SIGTERM' }, oom: false });
  });
});
