// What is left of processes that the real kernel layer started: no zombie, no descriptor, nobody of a dead service; and
// what happens when something runs out. Only on this machine: a simulation has no descriptors and no orphans.

import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../src/core/effect.js';
import type { ServiceEvent } from '../../src/core/event.js';
import type { ProcessRef } from '../../src/core/process.js';
import type { Command, ProcessSettings, ServiceSpec } from '../../src/core/spec.js';
import { readStat } from '../../src/kernel/identity.js';
import { prlimit } from '../../src/kernel/syscalls.js';
import { supervised } from '../support/builders.js';
import { exec, makeRealKernel, type RealSubject, sh, spawning, until, written } from '../support/real-kernel.js';

const NOFILE = 7;
const CAP_SYS_RESOURCE = 1n << 24n;

type Of<T extends ServiceEvent['type']> = Extract<ServiceEvent, { type: T }>;

const RUNGS: readonly (readonly [name: string, without: readonly string[]])[] = [
  ['all features', []],
  ['Debian 12’s 6.1', ['pidfdInfo', 'pidfdInode']],
  ['no control groups', ['cgroup']],
  ['no uv_poll', ['uvPoll']],
  ['before 5.3: no pidfd', ['pidfd']],
];

describe.each(RUNGS)('a process that we started (%s)', (_, without) => {
  let subject: RealSubject;
  let generation: number;
  beforeEach(() => {
    subject = makeRealKernel(without);
    generation = 0;
  });
  afterEach(() => subject.close());

  const of = <T extends ServiceEvent['type']>(type: T): readonly Of<T>[] =>
    subject.events.filter((event): event is Of<T> => event.type === type);

  const specWith = (settings: Partial<ProcessSettings>, rest: Partial<ServiceSpec> = {}): ServiceSpec => {
    const spec = supervised();
    return { ...spec, ...rest, settings: { ...spec.settings, ...settings } };
  };

  const order = (spec: ServiceSpec, command: Command, role: Role = 'main'): void =>
    subject.kernel.perform(spawning(spec, command, { role, generation: ++generation }));

  function start(spec: ServiceSpec, command: Command, role: Role = 'main'): ProcessRef {
    order(spec, command, role);
    const born = of('spawned').at(-1);
    if (born?.generation !== generation) throw new Error(of('spawnFailed').at(-1)?.detail ?? 'nothing was said');
    return born.process;
  }

  function failureOf(spec: ServiceSpec, command: Command): { readonly errno: string; readonly detail: string } {
    order(spec, command);
    const failed = of('spawnFailed').at(-1);
    if (failed?.generation !== generation) throw new Error('it did not fail');
    return failed;
  }

  const ended = (ref: ProcessRef): Promise<void> =>
    until('it has ended', () => of('exited').some((event) => event.process === ref));

  /** What a shell line prints as a service with these settings. */
  async function printed(
    settings: Partial<ProcessSettings>,
    line: string,
    ...args: readonly string[]
  ): Promise<string> {
    const path = join(subject.home, `out-${generation}`);
    const fd = openSync(path, 'a');
    subject.writeTo(fd);
    const ref = start(specWith(settings), sh(line, ...args));
    await ended(ref);
    closeSync(fd);
    subject.writeTo(null);
    return readFileSync(path, 'utf8');
  }

  it('is not started where it would need more rights than the keeper has, and the sentence names the setting', async (context) => {
    const effective = /^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
    if ((BigInt(`0x${effective}`) & CAP_SYS_RESOURCE) !== 0n) context.skip('nothing is forbidden here');
    const hard = prlimit(0, NOFILE, null).hard ?? 0;
    const over = { nofile: { soft: 1024, hard: hard + 1 } };
    expect(failureOf(specWith({ limits: over }), exec('/bin/true'))).toMatchObject({
      errno: 'EPERM',
      detail: expect.stringContaining('limits.nofile'),
    });
    expect(failureOf(specWith({ oomScoreAdjust: -999 }), exec('/bin/true'))).toMatchObject({
      errno: 'EACCES',
      detail: expect.stringContaining('oomScoreAdjust'),
    });
    expect(await printed({}, 'echo fine')).toBe('fine\n');
  });

  it('is not started when the keeper has no descriptors left, and the next one is (supervisors 35)', async () => {
    const before = prlimit(0, NOFILE, null);
    const lowest = openSync('/dev/null', 'r');
    closeSync(lowest);
    prlimit(0, NOFILE, { soft: lowest, hard: before.hard });
    try {
      // What is kept in reserve may serve one more.
      order(specWith({}), exec('/bin/sleep', '600'));
      expect(failureOf(specWith({}), exec('/bin/sleep', '600'))).toMatchObject({ errno: 'EMFILE' });
    } finally {
      prlimit(0, NOFILE, before);
    }
    for (const { process } of of('spawned')) subject.kill(process, 'SIGKILL');
    for (const { process } of of('spawned')) await ended(process);
    await ended(start(specWith({}), exec('/bin/true')));
    expect(subject.reports).toEqual([]);
  });

  it('leaves no descriptor behind, many times (supervisors 35)', async () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    await ended(start(specWith({}), exec('/bin/true')));
    const before = open();
    for (let i = 0; i < (without.length === 0 ? 50 : 5); i++) {
      const all = Array.from({ length: 20 }, () => start(specWith({}, { name: supervised().name }), exec('/bin/true')));
      for (const ref of all) await ended(ref);
    }
    for (let i = 0; i < 20; i++) failureOf(specWith({}), exec('/no/such/program'));
    // Who is gone already is still moved into its control group, through two descriptors at a time.
    await until('all are closed', () => open() <= before);
  });

  it('ends beside children of child_process, and each hears of its own', async () => {
    const theirs = Array.from({ length: 40 }, (_, i) =>
      runs(`exit ${i}`).catch((error: { code: number }) => error.code),
    );
    const ours = Array.from({ length: 40 }, (_, i) => start(specWith({}), sh(`exit ${i}`)));
    const codes = await Promise.all(theirs);
    expect(codes).toEqual(['', ...Array.from({ length: 39 }, (_, i) => i + 1)]);
    for (const ref of ours) await ended(ref);
    const seen = ours.map((ref) => of('exited').find((event) => event.process === ref)?.evidence.status);
    expect(seen).toEqual(ours.map((_, code) => ({ type: 'exited', code })));
  });

  it('is known to be dead while a grandchild holds its output open (supervisors 3)', async () => {
    const path = join(subject.home, 'held');
    const fd = openSync(path, 'a');
    subject.writeTo(fd);
    const ref = start(specWith({}), sh('sleep 600 & echo $!; exit 5'));
    await ended(ref);
    const child = Number(await written(path));
    expect([undefined, 'Z']).not.toContain(readStat(child)?.state);
    expect(of('exited')[0]?.evidence.status).toEqual({ type: 'exited', code: 5 });
    closeSync(fd);
  });

  it('tells how much processor time it took', async () => {
    const ref = start(specWith({}), sh('i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'));
    await ended(ref);
    const evidence = of('exited')[0]?.evidence;
    // It began in our memory, which is far more than its own: that is not told as its peak.
    expect(evidence?.peakMemory).toBeNull();
    expect(evidence?.cpuTime).toBeGreaterThan(0);
    expect(evidence?.ticks).toBeGreaterThanOrEqual(ref.startTicks);
  });

  it('tells the peak of its memory where that is more than ours', async () => {
    const size = process.resourceUsage().maxRSS * 1024 + 32 * 1024 * 1024;
    await ended(start(specWith({}), exec('/usr/bin/perl', '-e', `my $x = "x" x ${size}`)));
    expect(of('exited')[0]?.evidence.peakMemory).toBeGreaterThanOrEqual(size);
  });

  it('leaves no zombie behind, nor does what it forked twice (supervisors 2)', async () => {
    const path = join(subject.home, 'pid');
    await ended(start(specWith({}), sh('(setsid sh -c \'echo $$ > "$1"; exec sleep 1\' sh "$1" &)', path)));
    const pid = Number(await written(path));
    await until('it is our child', () => readStat(pid)?.ppid === process.pid);
    await until('it is reaped', () => readStat(pid) === null);
    await until('no zombie is left', () => zombies().length === 0);
  });

  it('is ended with what left its session, while another service of ours goes on', async () => {
    const other = start({ ...specWith({}), name: supervised({ name: 'other' }).name }, exec('/bin/sleep', '600'));
    const path = join(subject.home, 'pid');
    const spec = specWith({});
    const ref = start(spec, sh('(setsid sh -c \'echo $$ > "$1"; exec sleep 600\' sh "$1" &); exec sleep 600', path));
    const strayed = Number(await written(path));
    subject.kill(ref, 'SIGKILL');
    await ended(ref);
    subject.kernel.perform({ type: 'endRest', service: spec.name, process: ref, signal: 'SIGTERM', policy: 'kill' });
    await until('it is empty', () => of('emptied').length > 0);
    expect([null, 'Z']).toContain(readStat(strayed)?.state ?? null);
    expect(subject.isAlive(other)).toBe(true);
  });

  it('is not hit by the end of its predecessor', async () => {
    const spec = specWith({});
    for (let i = 0; i < 5; i++) {
      const ref = start(spec, sh('trap "" TERM; sleep 600 & sleep 600 & wait'));
      subject.kill(ref, 'SIGKILL');
      await ended(ref);
      subject.kernel.perform({ type: 'endRest', service: spec.name, process: ref, signal: 'SIGKILL', policy: 'kill' });
      await until('it is empty', () => of('emptied').length > i);
    }
    const next = start(spec, exec('/bin/sleep', '600'));
    await subject.quiet();
    await subject.quiet();
    expect(subject.isAlive(next)).toBe(true);
  });

  it('is killed for want of memory, and that is its cause, where a control group can do it', async (context) => {
    if (subject.enforcesMemory === 'no') context.skip('no memory controller here');
    const spec = specWith({ memory: 32 * 1024 * 1024 });
    // Not before the group has taken it in: see docs/decisions/0001.
    const ref = start(spec, sh('sleep 2; exec tail /dev/zero'));
    await ended(ref);
    expect(of('exited')[0]?.evidence).toMatchObject({ oom: true, status: { type: 'signaled', signal: 'SIGKILL' } });
  });

  const zombies = (): readonly number[] =>
    readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
      .split(' ')
      .filter((word) => word.trim() !== '')
      .map(Number)
      .filter((pid) => readStat(pid)?.state === 'Z');
});

/** What a shell line prints as an ordinary child of Node. */
async function runs(line: string): Promise<string> {
  return (await promisify(execFile)('/bin/sh', ['-c', line])).stdout;
}
