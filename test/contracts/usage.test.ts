// What all processes of a service take together, measured of real ones: on the rungs on which they are found by different means.

import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessRef } from '../../src/core/process.js';
import type { ProcessQuestion } from '../../src/core/question.js';
import type { Command, ServiceSpec } from '../../src/core/spec.js';
import type { Usage } from '../../src/core/usage.js';
import { findCgroupBase } from '../../src/kernel/cgroup-mounts.js';
import { countNames, openFilesOf } from '../../src/kernel/open-files.js';
import { childrenOf } from '../../src/kernel/processes-of.js';
import { supervised, watched } from '../support/builders.js';
import { exec, makeRealKernel, type RealSubject, spawning, until, written } from '../support/real-kernel.js';

type Measured = Extract<Usage, { type: 'measured' }>;

const MIB = 1024 ** 2;
const spec = supervised();

let subject: RealSubject;
afterEach(() => subject.close());

for (const [name, without] of [
  ['all features', []],
  ['no control groups', ['cgroup']],
  ['no control groups, no pidfd', ['cgroup', 'pidfd']],
] as const) {
  describe(`what a service takes (${name})`, () => {
    beforeEach(() => {
      subject = makeRealKernel(without);
    });

    it('is counted over its main process, its children, and who has left its session', async () => {
      const main = start(
        perl(`${HOLD} hold(64); open($_, '<', '/dev/null') for @fds[0..49];
        if (!fork) { hold(32); say('child'); sleep 600 }
        if (!fork) { setpgrp; require POSIX; POSIX::setsid(); if (!fork) { hold(16); say('orphan'); sleep 600 } exit }
        wait; say('main'); sleep 600`),
      );
      for (const who of ['main', 'child', 'orphan']) await written(join(subject.home, who));
      await placed(main);
      const usage = await measured(main);
      expect(usage).toMatchObject({ processes: 3, threads: 3 });
      expect(usage.memory).toBeGreaterThan((64 + 32 + 16) * MIB);
      // Its children have not written to what it held at the fork, and count it all the same.
      expect(usage.memory).toBeLessThan((3 * 64 + 32 + 16 + 50) * MIB);
      expect(usage.openFiles).toBeGreaterThan(150);
    });

    it('has its processor time counted from one question to the next, also of a child that has ended', async () => {
      const main = start(
        perl(`${HOLD} $SIG{USR1} = sub { if (!fork) { 1 while (times)[0] + (times)[1] < 0.6; exit } wait; say('burnt') };
        say('main'); sleep 600 while 1`),
      );
      await written(join(subject.home, 'main'));
      await placed(main);
      const before = performance.now();
      expect((await measured(main)).cpu).toBeNull();
      subject.kernel.perform({
        ...{ type: 'signal', service: spec.name, process: main, signal: 'SIGUSR1', to: 'main', thenContinue: 'no' },
      });
      await written(join(subject.home, 'burnt'));
      // Sooner than after a second there is no answer, and what was counted is not lost.
      await sleep(Math.max(0, 1100 - (performance.now() - before)));
      const { cpu } = await measured(main);
      const used = ((cpu ?? 0) / 100) * (performance.now() - before);
      expect(used).toBeGreaterThan(500);
      expect(used).toBeLessThan(1500);
    });
  });
}

describe('what a service takes', () => {
  beforeEach(() => {
    subject = makeRealKernel([]);
  });

  it('has the threads and the open files of a program with many', async () => {
    const script = `for (let i = 0; i < 40; i++) require('fs').openSync('/dev/null');
      for (let i = 0; i < 3; i++) new (require('worker_threads').Worker)('setInterval(() => {}, 1e6)', { eval: true });
      setTimeout(() => require('fs').writeFileSync(process.argv[1], 'there\\n'), 100)`;
    const main = start(exec(process.execPath, '-e', script, join(subject.home, 'main')));
    await written(join(subject.home, 'main'));
    const usage = await measured(main);
    expect(usage.processes).toBe(1);
    expect(usage.threads).toBeGreaterThanOrEqual(4);
    expect(usage.openFiles).toBeGreaterThan(40);
  });

  it('is not seen of a main process that has ended', async () => {
    const main = start(exec('/bin/true'));
    await subject.until('it has ended', () => subject.events.some(({ type }) => type === 'exited'));
    expect(await usageOf(main)).toEqual({ type: 'unseen' });
  });

  it('has what it shares after a fork counted once where that decides, and at most too much of it where not', async () => {
    const main = start(perl(`${HOLD} hold(64); for (1..3) { if (!fork) { sleep 600 } } say('main'); sleep 600`));
    await written(join(subject.home, 'main'));
    await subject.until('its children are there', () => childrenOf(main.pid).length === 3);
    const under = (mebibytes: number): ProcessQuestion => ({
      ...asked,
      memory: { is: '<', than: mebibytes * MIB },
    });
    const loose = await measured(main, spec, under(1000));
    const strict = await measured(main, spec, under(100));
    expect(loose.memory).toBeGreaterThan(4 * 64 * MIB);
    expect(strict.memory).toBeGreaterThan(64 * MIB);
    expect(strict.memory).toBeLessThan(100 * MIB);
  });

  it('is told for many who ask at once', async () => {
    const main = start(exec('/bin/sleep', '600'));
    const usages = await Promise.all(Array.from({ length: 50 }, () => measured(main)));
    expect(usages.every(({ processes }) => processes === 1)).toBe(true);
  });

  it.runIf(findCgroupBase() !== null)('leaves out who was moved out of the group of a daemon', async () => {
    const main = start(
      perl(`${HOLD} for my $who ('stays', 'moved') { if (!fork) { say($who, $$); sleep 600 } }
      say('main'); sleep 600`),
      supervised({ name: 'its-parent' }),
    );
    const moved = await written(join(subject.home, 'moved'));
    const stays = await written(join(subject.home, 'stays'));
    for (const pid of [main.pid, Number(stays), Number(moved)]) await placed({ pid });
    const daemon = watched({ name: 'daemon' });
    expect(await measured(main, daemon)).toMatchObject({ processes: 3 });
    const group = join(findCgroupBase() ?? '', `upkeep-usage-${process.pid}`);
    mkdirSync(group);
    try {
      writeFileSync(join(group, 'cgroup.procs'), moved);
      expect(await measured(main, daemon)).toMatchObject({ processes: 2 });
    } finally {
      process.kill(Number(moved), 'SIGKILL');
      await until('nobody is in the group', () => removed(group));
    }
  });

  it('counts the names of descriptors where the kernel does not', async () => {
    expect(await countNames('/proc/self/fd')).toBeGreaterThan(3);
    expect(await openFilesOf(2 ** 22 + 1)).toBe(0);
  });
});

const HOLD = `$| = 1; my ($home, @held, @fds) = shift;
  sub hold { my $m = 'x'; $m x= $_[0] << 20; push @held, $m; }
  sub say { open(my $f, '>', "$home/$_[0].new"); print $f ($_[1] // 'there'), "\\n"; close $f; rename "$home/$_[0].new", "$home/$_[0]"; }`;

const perl = (script: string): Command => exec('/usr/bin/perl', '-e', script, subject.home);

function start(command: Command, service: ServiceSpec = spec): ProcessRef {
  subject.kernel.perform(spawning(service, command));
  const spawned = subject.events.find((event) => event.type === 'spawned');
  if (spawned === undefined) throw new Error(JSON.stringify(subject.events));
  return spawned.process;
}

/** Into a group of its own it comes some time after its start, where it does. */
const placed = ({ pid }: { readonly pid: number }): Promise<void> =>
  subject.features.cgroup === 'no'
    ? Promise.resolve()
    : until(`process ${pid} is in its group`, () => readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes('.service\n'));

const least = { is: '>', than: 0 } as const;
const asked: ProcessQuestion = { kind: 'process', memory: null, cpu: least, threads: least, openFiles: least };

const usageOf = (main: ProcessRef, service: ServiceSpec = spec, question = asked): Promise<Usage> =>
  subject.kernel.usageOf({ spec: service, process: main, heartbeat: 'process', question });

async function measured(main: ProcessRef, service: ServiceSpec = spec, question = asked): Promise<Measured> {
  const usage = await usageOf(main, service, question);
  if (usage.type !== 'measured') throw new Error(`not measured: ${usage.type}`);
  return usage;
}

function removed(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}
