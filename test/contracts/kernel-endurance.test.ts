// What must not wear out: descriptors, timers, zombies, and the end of the process that holds the kernel layer.

import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServiceEvent } from '../../src/core/event.js';
import { readStat } from '../../src/kernel/identity.js';
import { ownChildren } from '../../src/kernel/processes-of.js';
import { prlimit } from '../../src/kernel/syscalls.js';
import { supervised } from '../support/builders.js';
import { exec, makeRealKernel, type RealSubject, sh, spawning, until } from '../support/real-kernel.js';

const NOFILE = 7;

let subject: RealSubject;
beforeEach(() => {
  subject = makeRealKernel([]);
});
afterEach(() => subject.close());

const spec = supervised();
const of = <T extends ServiceEvent['type']>(type: T): readonly Extract<ServiceEvent, { type: T }>[] =>
  subject.events.filter((event): event is Extract<ServiceEvent, { type: T }> => event.type === type);
const openDescriptors = (): number => readdirSync('/proc/self/fd').length;
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('five hundred starts and ends', () => {
  it('leave no descriptor, no timer and no zombie behind', async () => {
    const ready = { ...spec, ready: { ...spec.ready, probe: { type: 'fd', fd: 3 } } } as const;
    const round = async (): Promise<void> => {
      const ended = of('exited').length;
      for (let i = 0; i < 50; i++) {
        const one = { ...ready, name: supervised({ name: `s${i}` }).name };
        subject.kernel.perform(spawning(one, sh('echo >&3; exit 0')));
      }
      await subject.until('all have ended', () => of('exited').length === ended + 50);
      for (const { service, process } of of('exited').slice(ended)) {
        subject.kernel.perform({ type: 'stopAwaitingReady', service });
        subject.kernel.perform({ type: 'endRest', service, process, signal: 'SIGTERM', policy: 'kill' });
      }
    };
    await round();
    await subject.quiet();
    const before = [openDescriptors(), timers()] as const;
    for (let i = 0; i < 9; i++) await round();
    await subject.until('all are emptied', () => of('emptied').length === 500);
    await until('descriptors are closed', () => openDescriptors() <= before[0]);
    await until('timers are gone', () => timers() <= before[1]);
    await until('no zombie is left', () => ownChildren().every((pid) => readStat(pid)?.state !== 'Z'));
    expect(of('exited')).toHaveLength(500);
    expect(subject.reports).toEqual([]);
  });

  it('leave nothing behind either when none of them can be started', () => {
    const order = (): void => subject.kernel.perform(spawning(spec, exec('/no/such/program')));
    order();
    const before = openDescriptors();
    for (let i = 0; i < 499; i++) order();
    expect(of('spawnFailed')).toHaveLength(500);
    // The test before may have been closing some still.
    expect(openDescriptors()).toBeLessThanOrEqual(before);
  });
});

describe('without a descriptor left (supervisors 35)', () => {
  it('a start is followed all the same or fails with EMFILE, and all works again afterwards', async () => {
    const living = exec('/bin/sleep', '600');
    subject.kernel.perform(spawning(spec, living));
    const own = prlimit(0, NOFILE, null);
    const hoard: number[] = [];
    const names = ['first', 'second', 'third', 'fourth'].map((name) => supervised({ name }));
    prlimit(0, NOFILE, { soft: 256, hard: own.hard });
    try {
      for (;;) hoard.push(openSync('/dev/null', 'r'));
    } catch {
      // all are taken
    }
    try {
      for (const one of names) subject.kernel.perform(spawning(one, living));
      // What was kept in reserve may do for the first; a start that cannot be followed is not made.
      const failed = of('spawnFailed');
      expect(failed.length).toBeGreaterThan(0);
      for (const one of failed)
        expect(one).toMatchObject({ errno: 'EMFILE', detail: expect.stringContaining('descriptors') });
      const started = of('spawned').slice(1);
      expect(started.length + failed.length).toBe(names.length);
      for (const { process } of started) subject.kill(process, 'SIGKILL');
      await subject.until('their deaths are seen', () => of('exited').length === started.length);
      // Its pidfd was open before: this death is seen in spite of all.
      const first = of('spawned')[0]?.process;
      if (first === undefined) throw new Error('it was not started');
      subject.kill(first, 'SIGKILL');
      await subject.until('its death is seen', () => of('exited').some((event) => event.process === first));
    } finally {
      for (const fd of hoard) closeSync(fd);
      prlimit(0, NOFILE, own);
    }
    subject.kernel.perform(spawning(spec, sh('exit 3'), { generation: 2 }));
    const last = of('spawned').at(-1)?.process;
    await subject.until('it has ended', () => of('exited').some(({ process }) => process === last));
    expect(of('exited').at(-1)?.evidence.status).toEqual({ type: 'exited', code: 3 });
  });
});

describe('a closed kernel', () => {
  it('lets its process end by itself, on every way of waiting', async () => {
    const program = join(import.meta.dirname, '../support/kernel-that-closes.mjs');
    for (const without of ['', 'uvPoll', 'pidfd', 'cgroup']) {
      const env = { ...process.env, UPKEEP_WITHOUT: without };
      const said = await promisify(execFile)(process.execPath, [program], { env, timeout: 30_000 });
      expect(said).toEqual({ stdout: 'spawned exited closed\n', stderr: '' });
    }
  });
});
