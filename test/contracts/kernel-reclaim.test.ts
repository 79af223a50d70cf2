// What a kernel that takes the place of one that was killed may take for its own, on real processes: each condition of the
// rule by itself, and what is said while nobody is there.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOST, type ServiceEvent } from '../../src/core/event.js';
import { isSameProcess, type ProcessRef } from '../../src/core/process.js';
import type { Command, ServiceSpec } from '../../src/core/spec.js';
import { millis } from '../../src/core/time.js';
import { ticksNow } from '../../src/kernel/boot-clock.js';
import { variableOf } from '../../src/kernel/processes-of.js';
import { supervised } from '../support/builders.js';
import { exec, makeRealKernel, type RealSubject, sh, spawning, until } from '../support/real-kernel.js';

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65_534;
const spec = supervised();

let subject: RealSubject;
beforeEach(() => {
  subject = makeRealKernel([]);
});
afterEach(() => subject.close());

const of = <T extends ServiceEvent['type']>(type: T, service = 'web'): readonly Extract<ServiceEvent, { type: T }>[] =>
  subject.events.filter(
    (event): event is Extract<ServiceEvent, { type: T }> => event.type === type && event.service === service,
  );

const isThere = (pid: number): boolean => existsSync(`/proc/${pid}/exe`);
const uidOf = (pid: number): number =>
  Number(/^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? -1);
const nameOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();

function start(command: Command, service: ServiceSpec = spec): ProcessRef {
  subject.kernel.perform(spawning(service, command));
  const born = of('spawned', service.name)[0];
  if (born === undefined) throw new Error(JSON.stringify(subject.events));
  return born.process;
}

/** The pid that a script has written to a file of the home. */
async function pidIn(name: string): Promise<number> {
  const read = (): number => {
    const path = join(subject.home, name);
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  };
  await until(`${name} is written`, () => read() > 0);
  return read();
}

/** What the next kernel finds of the order that began `service`; null: nothing. */
async function reclaimed(service: ServiceSpec = spec): Promise<ProcessRef | null> {
  const before = of('spawned', service.name).length;
  subject.succeed();
  subject.kernel.perform({ type: 'reclaim', hook: 0, spec: service, role: 'main', generation: 1 });
  await subject.until('it was told', () => of('spawned', service.name).length > before || lost(service) !== undefined);
  return of('spawned', service.name)[before]?.process ?? null;
}

const asNobody = (one: ServiceSpec): ServiceSpec => ({ ...one, settings: { ...one.settings, user: 'nobody' } });
const lost = (service: ServiceSpec) => of('spawnFailed', service.name).find(({ errno }) => errno === LOST);

describe('a process without a record', () => {
  it('is not taken when it is older than the record of the order', async () => {
    const main = start(exec('/bin/sleep', '600'));
    subject.recordedAt(main.startTicks + 1);
    expect(await reclaimed()).toBeNull();
    expect(isThere(main.pid)).toBe(true);
  });

  it('is taken when it is as young as the record, which counts in the same hundredths of a second', async () => {
    subject.recordedAt(ticksNow());
    const main = start(exec('/bin/sleep', '600'));
    await subject.quiet();
    const found = await reclaimed();
    expect(found !== null && isSameProcess(found, main)).toBe(true);
  });

  it('is not taken while its parent is another process of the service, even in a session of its own', async () => {
    const script = '(setsid sh -c \'echo $$ > "$1"; exec sleep 600\' sh "$1"; :) & exec sleep 600';
    const main = start(sh(script, join(subject.home, 'pid')));
    const pid = await pidIn('pid');
    subject.kill(main, 'SIGKILL');
    await subject.until('it has ended', () => of('exited').length > 0);
    expect(await reclaimed()).toBeNull();
    expect(isThere(pid)).toBe(true);
  });

  it('is the oldest where an orphan of it, in a session of its own, has inherited the token', async () => {
    const script = '(setsid sh -c \'echo $$ > "$1"; exec sleep 600\' sh "$1" &); exec sleep 600';
    const main = start(sh(script, join(subject.home, 'pid')));
    await pidIn('pid');
    const found = await reclaimed();
    expect(found !== null && isSameProcess(found, main)).toBe(true);
  });

  it.runIf(isRoot)('is not taken from a user who forged or inherited the token', async () => {
    const script =
      '(setsid setpriv --reuid 65534 --clear-groups sh -c \'echo $$ > "$1"; exec sleep 600\' sh "$1" &); exec sleep 600';
    const path = join(subject.home, 'pid');
    const main = start(sh(`: > "$1"; chmod 666 "$1"; ${script}`, path));
    const pid = await pidIn('pid');
    expect([uidOf(pid), variableOf(pid, 'UPKEEP_TOKEN')]).toEqual([NOBODY, variableOf(main.pid, 'UPKEEP_TOKEN')]);
    subject.kill(main, 'SIGKILL');
    await subject.until('it has ended', () => of('exited').length > 0);
    expect(await reclaimed()).toBeNull();
    expect(isThere(pid)).toBe(true);
  });

  it.runIf(isRoot)('is not taken when it is root’s and was to be another user’s', async () => {
    const own = asNobody(spec);
    const main = start(exec('/bin/sleep', '600'));
    await subject.quiet();
    expect(await reclaimed(own)).toBeNull();
    expect(isThere(main.pid)).toBe(true);
  });

  it.runIf(isRoot)('is taken when it runs as the user it was to run as, also if it became that by itself', async () => {
    const other = asNobody(supervised({ name: 'other' }));
    const main = start(exec('/bin/sleep', '600'), other);
    await until('it is itself', () => isThere(main.pid) && nameOf(main.pid) === 'sleep');
    const dropper = start(exec('/usr/bin/perl', '-e', `$( = $) = ${NOBODY}; $< = $> = ${NOBODY}; sleep 600`));
    await until('it has given root up', () => uidOf(dropper.pid) === NOBODY);
    const found = await reclaimed();
    expect(found !== null && isSameProcess(found, dropper)).toBe(true);
    expect(await reclaimed(other)).toMatchObject({ pid: main.pid });
  });
});

it('a hundred orders are answered by one pass over /proc', async () => {
  const services = Array.from({ length: 100 }, (_, n) => supervised({ name: `s${n}` }));
  const pids = services.map((one) => start(exec('/bin/sleep', '600'), one).pid);
  await subject.quiet();
  subject.succeed();
  for (const one of services)
    subject.kernel.perform({ type: 'reclaim', hook: 0, spec: one, role: 'main', generation: 1 });
  const found = (): readonly (number | undefined)[] => services.map(({ name }) => of('spawned', name)[1]?.process.pid);
  await subject.until('the first was told', () => found().some((pid) => pid !== undefined));
  expect(found()).toEqual(pids);
});

it('the question of a readiness probe that the kernel before was asking is ended', async () => {
  const probe = sh('echo $$ > "$1"; exec sleep 600', join(subject.home, 'pid'));
  const asking = { ...spec, ready: { probe: { type: 'exec', command: probe }, timeout: null } } as const;
  const main = start(exec('/bin/sleep', '600'), asking);
  void subject.kernel.run(probe, asking, new AbortController().signal);
  const pid = await pidIn('pid');
  subject.succeed();
  subject.kernel.perform({ type: 'follow', service: asking.name, process: main });
  subject.kernel.perform({ type: 'awaitReady', spec: asking, process: main });
  await subject.until('it is gone', () => !isThere(pid));
  expect(isThere(main.pid)).toBe(true);
});

describe('a service that says it is ready on a descriptor', () => {
  const ready = { ...spec, ready: { probe: { type: 'fd', fd: 3 }, timeout: millis(30_000) } } as const;
  const files = (): readonly string[] => readdirSync(join(subject.home, 'ready'));

  it('may say so while nobody is there: it gets no signal, and the next kernel hears it', async () => {
    const main = start(
      sh('while [ ! -e "$1/go" ]; do sleep 0.02; done; echo >&3; echo $$ > "$1/pid"; exec sleep 600', subject.home),
      ready,
    );
    subject.kernel.perform({ type: 'awaitReady', spec: ready, process: main });
    subject.succeed();
    start(exec('/bin/touch', join(subject.home, 'go')), supervised({ name: 'go' }));
    await pidIn('pid');
    await subject.quiet();
    expect(of('becameReady')).toEqual([]);
    subject.kernel.perform({ type: 'awaitReady', spec: ready, process: main });
    await subject.until('it is ready', () => of('becameReady').length > 0);
    expect(of('becameReady')).toEqual([{ type: 'becameReady', service: 'web', process: main }]);
    expect(isThere(main.pid)).toBe(true);
    expect(files()).toEqual(['web']);
    subject.kernel.perform({ type: 'stopAwaitingReady', service: ready.name });
    expect(files()).toEqual([]);
  });

  it('is not ready by what a process before it says', async () => {
    const main = start(
      sh('while [ ! -e "$1" ]; do sleep 0.02; done; echo >&3; exec sleep 600', join(subject.home, 'go')),
      ready,
    );
    subject.kernel.perform(spawning(ready, exec('/bin/sleep', '600'), { generation: 2 }));
    const second = of('spawned')[1];
    if (second === undefined) throw new Error('it was not started');
    subject.kernel.perform({ type: 'awaitReady', spec: ready, process: second.process });
    start(exec('/bin/touch', join(subject.home, 'go')), supervised({ name: 'go' }));
    await until('it has spoken', () => nameOf(main.pid) === 'sleep');
    await subject.quiet();
    expect(of('becameReady')).toEqual([]);
  });
});
