// Who ended a process, as the real kernel tells it. Needs root and tracefs; where they are not, it says so and is skipped.
// Instances are the machine's: other keepers run beside these tests, and theirs are left alone.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ExitEvidence, ExitStatus, Killer, ProcessRef } from '../../src/core/process.js';
import type { Command } from '../../src/core/spec.js';
import { readStat } from '../../src/kernel/identity.js';
import { Killers } from '../../src/kernel/killers.js';
import { createPump } from '../../src/kernel/pump.js';
import { close } from '../../src/kernel/syscalls.js';
import { instanceName, openTraceInstance } from '../../src/kernel/trace-instance.js';
import { supervised } from '../support/builders.js';
import {
  exec,
  makeRealKernel,
  type RealSubject,
  script,
  sh,
  spawning,
  until,
  written,
} from '../support/real-kernel.js';
import { mountTracefs } from '../support/tracefs.js';

const tracefs = mountTracefs();
const INSTANCES = '/sys/kernel/tracing/instances';
const sleeper = exec('/bin/sleep', '600');

describe.skipIf(tracefs === 'no')('who ended a process', () => {
  let subject: RealSubject;
  beforeEach(() => {
    subject = makeRealKernel([]);
  });
  afterEach(() => subject.close());

  function start(command: Command = sleeper, name = 'web'): ProcessRef {
    const spec = supervised({ name });
    subject.kernel.perform(spawning(spec, command));
    const born = subject.events.findLast((event) => event.type === 'spawned');
    if (born?.type !== 'spawned') throw new Error('it did not start');
    return born.process;
  }

  async function endOf(ref: ProcessRef): Promise<ExitEvidence> {
    const find = () => subject.events.find((event) => event.type === 'exited' && event.process === ref);
    await until('it has ended', () => find() !== undefined);
    const found = find();
    if (found?.type !== 'exited') throw new Error('unreachable');
    return found.evidence;
  }

  /** A service that says in a file when it has got so far that it can be signalled. */
  async function ready(lines: string): Promise<ProcessRef> {
    // A thread is known by its process only while that lives.
    const path = `${subject.home}/ready`;
    const ref = start(sh(`${lines}\necho yes > "$1"; while :; do sleep 0.05; done`, path));
    await written(path);
    return ref;
  }

  /** Someone else's shell line, whose `$1` is this pid; resolves with the pid of that shell when it is over. */
  function run(shell: string, line: string, pid: number): Promise<number> {
    const child = spawn(shell, ['-c', line, shell, String(pid)], { stdio: 'ignore' });
    return new Promise((resolve) => child.once('exit', () => resolve(child.pid ?? 0)));
  }

  it('is the shell whose own kill it was, with its person, its command and who runs that', async () => {
    const ref = start();
    const [{ by, status }, pid] = await Promise.all([
      endOf(ref),
      run('/bin/bash', 'kill -9 "$1"; sleep 0.5; :', ref.pid),
    ]);
    expect(status).toMatchObject({ type: 'signaled', signal: 'SIGKILL' });
    expect(by).toMatchObject({ pid, name: 'bash', grade: 'seen', signal: 'SIGKILL' });
    expect(by?.uid).not.toBeNull();
    expect(by?.command).toBe(`/bin/bash -c kill -9 "$1"; sleep 0.5; : /bin/bash ${ref.pid}`);
    expect(by?.parent).toMatchObject({ pid: process.pid });
  });

  it('is /bin/kill and pkill too, which are gone a moment later', async () => {
    const first = start();
    const [{ by: killed }] = await Promise.all([endOf(first), run('/bin/sh', '/bin/kill -9 "$1"', first.pid)]);
    // The kernel forgets the name of a process that is gone, now and then; the next test says how rarely.
    expect(['kill', null]).toContain(killed?.name ?? null);
    const path = script(subject, 'patrol', '#!/bin/sh\nsleep 600 & wait');
    const second = start(exec(path));
    await until('it is the script', () => readStat(second.pid)?.comm === 'patrol');
    const [{ by, status }] = await Promise.all([endOf(second), run('/bin/sh', `pkill -TERM -f '^/bin/sh ${path}'`, 0)]);
    expect(status).toMatchObject({ signal: 'SIGTERM' });
    expect(['pkill', null]).toContain(by?.name ?? null);
  });

  it('has a name in at least 95 of 100 kills by who is gone at once, and never the wrong one', async () => {
    const told: (Killer | null)[] = [];
    for (let i = 0; i < 100; i++) {
      const ref = start(sleeper, `web${i}`);
      const [{ by }] = await Promise.all([endOf(ref), run('/bin/sh', '/bin/kill -9 "$1"', ref.pid)]);
      told.push(by);
    }
    const names = told.map((by) => by?.name ?? null);
    const named = names.filter((name) => name === 'kill').length;
    console.info(`the sender was named in ${named} of 100 kills`);
    expect([...new Set(names)].filter((name) => name !== 'kill' && name !== null)).toEqual([]);
    expect(named).toBeGreaterThanOrEqual(95);
  });

  it('is whoever asked politely, where the process heard it and ended with a code; that is concluded', async () => {
    const ref = await ready('trap "exit 0" TERM');
    const [{ by, status }] = await Promise.all([endOf(ref), run('/bin/bash', 'kill "$1"; sleep 0.5; :', ref.pid)]);
    expect(status).toEqual({ type: 'exited', code: 0 });
    expect(by).toMatchObject({ name: 'bash', grade: 'inferred', signal: 'SIGTERM' });
  });

  it('is the one who asked, not the process itself, where it tidies up and passes the signal on to itself', async () => {
    const ref = await ready('trap "trap - TERM; kill -TERM \\$\\$" TERM');
    const [{ by, status }] = await Promise.all([endOf(ref), run('/bin/bash', 'kill "$1"; sleep 0.5; :', ref.pid)]);
    expect(status).toMatchObject({ type: 'signaled', signal: 'SIGTERM' });
    expect(by).toMatchObject({ name: 'bash', grade: 'inferred' });
  });

  it('is nobody where a reload was asked for and the process then failed by itself', async () => {
    const ref = await ready('trap "sleep 0.2; exit 3" HUP');
    const [{ by, status }] = await Promise.all([endOf(ref), run('/bin/bash', 'kill -HUP "$1"', ref.pid)]);
    expect([status, by]).toEqual([{ type: 'exited', code: 3 }, null]);
  });

  it('is nobody where we did it, where it did it itself, and where it touched what it may not', async () => {
    const ours = start();
    subject.kernel.perform({
      ...{ type: 'signal', service: supervised().name, process: ours },
      ...{ signal: 'SIGTERM', to: 'main', thenContinue: 'yes' },
    });
    expect(await endOf(ours)).toMatchObject({ status: { signal: 'SIGTERM' }, by: null });
    const itself = start(sh('ulimit -c 0; kill -SEGV $$'));
    expect(await endOf(itself)).toMatchObject({ status: { signal: 'SIGSEGV' }, by: null });
    const fault = start(sh('ulimit -c 0; exec perl -e \'my $x = unpack("P1", pack("J", 1))\''));
    expect(await endOf(fault)).toMatchObject({ status: { signal: 'SIGSEGV' }, by: null });
  });

  it('is found in a storm of a thousand kills, which leaves nothing behind', async () => {
    const ref = start();
    const line = 'for i in {1..500}; do sleep 600 & done; kill -9 $(jobs -p) "$1"; kill -9 $(jobs -p); sleep 0.5; :';
    const more = 'for i in {1..500}; do sleep 600 & done; kill -9 $(jobs -p); wait';
    const [{ by }, pid] = await Promise.all([endOf(ref), run('/bin/bash', line, ref.pid), run('/bin/bash', more, 0)]);
    expect(by).toMatchObject({ name: 'bash', pid, grade: 'seen' });
    const next = start(sleeper, 'next');
    const [after] = await Promise.all([endOf(next), run('/bin/bash', 'kill -9 "$1"; sleep 0.2; :', next.pid)]);
    expect(after.by).toMatchObject({ name: 'bash' });
  });

  it('is found for a process that is nobody’s child of ours, and for a thread of it that was meant', async () => {
    const stranger = await subject.stranger();
    subject.kernel.perform({ type: 'follow', service: supervised().name, process: stranger });
    const [{ by }] = await Promise.all([endOf(stranger), run('/bin/bash', 'kill -9 "$1"; sleep 0.5; :', stranger.pid)]);
    expect(by).toMatchObject({ name: 'bash', signal: 'SIGKILL' });

    const path = `${subject.home}/ready`;
    const program = `process.on("SIGTERM", () => setTimeout(() => process.exit(7), 300)); setInterval(() => {}, 1e6); require("fs").writeFileSync(${JSON.stringify(path)}, "yes\\n")`;
    const threaded = start(exec(process.execPath, '-e', program));
    await written(path);
    const threads = readdirSync(`/proc/${threaded.pid}/task`).map(Number);
    const thread = threads.find((id) => id !== threaded.pid) ?? 0;
    const [threadEnd] = await Promise.all([endOf(threaded), run('/bin/bash', 'kill "$1"; sleep 0.5; :', thread)]);
    expect(threadEnd.by).toMatchObject({ name: 'bash', signal: 'SIGTERM' });
  });

  it('is asked of the kernel through an instance that is gone at the end', async () => {
    const directory = `${INSTANCES}/${instanceName(subject.home)}`;
    expect(existsSync(directory)).toBe(true);
    subject.succeed();
    expect(existsSync(directory)).toBe(true);
    await subject.close();
    expect(existsSync(directory)).toBe(false);
    subject = makeRealKernel(['tracefs']);
    expect([subject.features.tracefs, existsSync(`${INSTANCES}/${instanceName(subject.home)}`)]).toEqual(['no', false]);
    const ref = start();
    const [{ by }] = await Promise.all([endOf(ref), run('/bin/bash', 'kill -9 "$1"', ref.pid)]);
    expect(by).toBeNull();
  });
});

describe.skipIf(tracefs === 'no')('the instance of a keeper that was killed', () => {
  it('is taken over by the next with all that was noted meanwhile', async () => {
    const name = `upkeep.test-${process.pid}`;
    const dead = openTraceInstance(name);
    if (dead === null) throw new Error('no instance');
    close(dead.fd);
    const victim = spawn('sleep', ['600'], { stdio: 'ignore' });
    const pid = victim.pid ?? 0;
    const startTicks = readStat(pid)?.startTicks ?? 0;
    const gone = new Promise((resolve) => victim.once('exit', resolve));
    spawnSync('/bin/bash', ['-c', `kill -9 ${pid}; :`]);
    await gone;
    const instance = openTraceInstance(name);
    if (instance === null) throw new Error('it was not taken over');
    const fail = (problem: string, error: unknown): never => {
      throw new Error(problem, { cause: error });
    };
    const pump = createPump({ uvPoll: 'yes' }, fail);
    const killers = new Killers(instance, pump, () => false, fail);
    const ref = { pid: pid as ProcessRef['pid'], startTicks, inode: null };
    // A later process with the same number was hit by nobody.
    const later = { ...ref, startTicks: startTicks + 100_000 };
    const unseen: ExitStatus = { type: 'unknown' };
    const { killer } = killers.about(ref, unseen);
    expect(killer).toMatchObject({ name: 'bash', grade: 'inferred', signal: 'SIGKILL' });
    expect(killers.about(later, unseen).killer).toBeNull();
    killers.close();
    pump.close();
    expect(existsSync(`${INSTANCES}/${name}`)).toBe(false);
  });
});
