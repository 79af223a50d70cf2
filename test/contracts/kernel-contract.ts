// What every kernel promises to the core: each order is answered by the events that effect.ts names, about the very
// process that was meant. Runs on the simulated host and on each rung of this machine's kernel.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Effect, Role } from '../../src/core/effect.js';
import { LOST, type ServiceEvent } from '../../src/core/event.js';
import { asPid, type ExitStatus, isSameProcess, type ProcessRef } from '../../src/core/process.js';
import type { Command, Leftovers, ServiceSpec } from '../../src/core/spec.js';
import { supervised, watched } from '../support/builders.js';
import type { Subject } from '../support/kernel-subject.js';

export interface Ability {
  /** Why a case cannot be run here. */
  readonly without?: { readonly core?: string; readonly foreignStatus?: string };
}

type Of<T extends ServiceEvent['type']> = Extract<ServiceEvent, { type: T }>;

export function kernelContract(name: string, make: () => Promise<Subject>, { without = {} }: Ability = {}): void {
  describe(`the kernel (${name})`, () => {
    let subject: Subject;
    beforeEach(async () => {
      subject = await make();
    });
    afterEach(() => subject.close());

    const perform = (effect: Effect): void => subject.kernel.perform(effect);
    const of = <T extends ServiceEvent['type']>(type: T, service: string): readonly Of<T>[] =>
      subject.events.filter((event): event is Of<T> => event.type === type && event.service === service);
    const order = (spec: ServiceSpec, command: Command, role: Role = 'main', generation = 1): void =>
      perform({ type: 'spawn', hook: 0, env: {}, spec, role, generation, command });

    async function start(
      spec: ServiceSpec,
      command: Command,
      role: Role = 'main',
      generation = 1,
    ): Promise<ProcessRef> {
      const before = of('spawned', spec.name).length;
      order(spec, command, role, generation);
      await subject.until(`${spec.name} is spawned`, () => of('spawned', spec.name).length > before);
      const process = of('spawned', spec.name).at(-1)?.process;
      if (process === undefined) throw new Error('no event');
      return process;
    }

    async function statusOf(command: Command): Promise<ExitStatus> {
      const spec = supervised();
      await start(spec, command);
      await subject.until('it has ended', () => of('exited', 'web').length > 0);
      return of('exited', 'web')[0]?.evidence.status ?? { type: 'unknown' };
    }

    const endRest = (
      spec: ServiceSpec,
      process: ProcessRef,
      signal: `SIG${string}`,
      policy: Leftovers = 'kill',
    ): void => perform({ type: 'endRest', service: spec.name, process, signal, policy });

    it('tells of a start with its role and generation, and of the end with its code (supervisors 4)', async () => {
      const spec = supervised();
      const process = await start(spec, subject.programs.exits(3), 'main', 7);
      expect(of('spawned', 'web')).toEqual([{ type: 'spawned', service: 'web', role: 'main', generation: 7, process }]);
      await subject.until('it has ended', () => of('exited', 'web').length > 0);
      expect(of('exited', 'web')[0]).toMatchObject({
        process,
        away: 'no',
        evidence: { status: { type: 'exited', code: 3 }, oom: false },
      });
    });

    it('tells exit 0 from a signal (supervisors 4)', async () => {
      expect(await statusOf(subject.programs.exits(0))).toEqual({ type: 'exited', code: 0 });
    });

    it('tells by which signal it died (supervisors 4)', async () => {
      const status = await statusOf(subject.programs.dies('SIGKILL'));
      expect(status).toEqual({ type: 'signaled', signal: 'SIGKILL', coreDumped: false });
    });

    it.skipIf(without.core !== undefined)('tells whether there was a core (supervisors 4)', async () => {
      const status = await statusOf(subject.programs.dies('SIGSEGV'));
      expect(status).toEqual({ type: 'signaled', signal: 'SIGSEGV', coreDumped: true });
    });

    it('answers a program that is not there with the name of the error (supervisors 4)', async () => {
      order(supervised(), subject.programs.missing());
      await subject.until('it has failed', () => of('spawnFailed', 'web').length > 0);
      expect(of('spawnFailed', 'web')[0]).toMatchObject({ role: 'main', generation: 1, errno: 'ENOENT' });
      expect(of('spawned', 'web')).toEqual([]);
    });

    it('tells of ten deaths in the same moment, each once (supervisors 2)', async () => {
      const specs = Array.from({ length: 10 }, (_, i) => supervised({ name: `s${i}` }));
      const processes: ProcessRef[] = [];
      for (const spec of specs) processes.push(await start(spec, subject.programs.lives()));
      for (const process of processes) subject.kill(process, 'SIGKILL');
      await subject.until('all have ended', () => specs.every((spec) => of('exited', spec.name).length > 0));
      await subject.quiet();
      for (const [i, spec] of specs.entries()) {
        const [exit, ...more] = of('exited', spec.name);
        expect(more).toEqual([]);
        expect(exit).toMatchObject({ process: processes[i], evidence: { status: { signal: 'SIGKILL' } } });
      }
    });

    it('follows a process that it did not start, to its end (supervisors 16)', async () => {
      const spec = watched();
      const process = await subject.stranger();
      perform({ type: 'follow', service: spec.name, process });
      await subject.quiet();
      expect(of('exited', 'ssh')).toEqual([]);
      subject.kill(process, 'SIGKILL');
      await subject.until('it has ended', () => of('exited', 'ssh').length > 0);
      await subject.quiet();
      expect(of('exited', 'ssh')).toHaveLength(1);
      expect(of('exited', 'ssh')[0]).toMatchObject({ process, away: 'no' });
      if (without.foreignStatus === undefined)
        expect(of('exited', 'ssh')[0]?.evidence.status).toMatchObject({ type: 'signaled', signal: 'SIGKILL' });
    });

    it('is told at once that a process that it is to follow is gone already', async () => {
      const process = await subject.stranger();
      subject.kill(process, 'SIGKILL');
      // Until its parent has asked about it, how it ended can still be seen: that is for kernel-rest.
      await subject.until('nothing of it is left', () => subject.isReaped(process));
      perform({ type: 'follow', service: watched().name, process });
      await subject.until('it was told', () => of('exited', 'ssh').length > 0);
      expect(of('exited', 'ssh')[0]).toMatchObject({ process, evidence: { status: { type: 'unknown' } } });
    });

    it('takes a pid that is a stranger’s now for a death, and never signals the stranger (supervisors 16, monitors 3)', async () => {
      const stranger = await subject.stranger();
      const dead: ProcessRef = { pid: asPid(stranger.pid), startTicks: stranger.startTicks - 1, inode: null };
      const { name: service } = watched();
      perform({ type: 'signal', service, process: dead, signal: 'SIGKILL', to: 'main', thenContinue: 'yes' });
      perform({ type: 'signal', service, process: dead, signal: 'SIGKILL', to: 'group', thenContinue: 'no' });
      perform({ type: 'endRest', service, process: dead, signal: 'SIGKILL', policy: 'kill' });
      perform({ type: 'follow', service, process: dead });
      await subject.until('it was told', () => of('exited', 'ssh').length > 0 && of('emptied', 'ssh').length > 0);
      await subject.quiet();
      expect(of('exited', 'ssh')).toEqual([expect.objectContaining({ process: dead })]);
      expect(subject.isAlive(stranger)).toBe(true);
    });

    it('says nothing of a process that it was told to forget', async () => {
      const { name: service } = watched();
      const process = await subject.stranger();
      perform({ type: 'follow', service, process });
      perform({ type: 'unfollow', service, process });
      subject.kill(process, 'SIGKILL');
      await subject.until('it is gone', () => !subject.isAlive(process));
      await subject.quiet();
      expect(of('exited', 'ssh')).toEqual([]);
    });

    it('wakes a stopped process, so that it hears its signal', async () => {
      const process = await start(supervised(), subject.programs.lives());
      subject.kill(process, 'SIGSTOP');
      perform({
        type: 'signal',
        service: supervised().name,
        process,
        signal: 'SIGTERM',
        to: 'main',
        thenContinue: 'yes',
      });
      await subject.until('it has ended', () => of('exited', 'web').length > 0);
      expect(of('exited', 'web')[0]?.evidence.status).toMatchObject({ signal: 'SIGTERM' });
    });

    it('says that nobody is left, when nobody is', async () => {
      const spec = supervised();
      const process = await start(spec, subject.programs.exits(0));
      await subject.until('it has ended', () => of('exited', 'web').length > 0);
      endRest(spec, process, 'SIGTERM');
      await subject.until('it is empty', () => of('emptied', 'web').length > 0);
      expect(of('emptied', 'web')).toEqual([{ type: 'emptied', service: 'web', process }]);
    });

    it('says that nobody is left only when that is so, after SIGKILL to who does not hear (supervisors 10)', async () => {
      const spec = supervised();
      const process = await start(spec, subject.programs.leavesDeafChild());
      await subject.until('its child is deaf', () => subject.hasDeafChild(process));
      perform({ type: 'signal', service: spec.name, process, signal: 'SIGTERM', to: 'main', thenContinue: 'yes' });
      await subject.until('it has ended', () => of('exited', 'web').length > 0);
      endRest(spec, process, 'SIGTERM');
      await subject.quiet();
      expect(of('emptied', 'web')).toEqual([]);
      expect(subject.groupOf(process)).not.toEqual([]);
      endRest(spec, process, 'SIGKILL');
      await subject.until('it is empty', () => of('emptied', 'web').length > 0);
      expect(subject.groupOf(process)).toEqual([]);
    });

    it('leaves what is left, where that is wished', async () => {
      const spec = supervised({ leftovers: 'leave' });
      const process = await start(spec, subject.programs.leavesDeafChild());
      await subject.until('its child is deaf', () => subject.hasDeafChild(process));
      subject.kill(process, 'SIGKILL');
      await subject.until('it has ended', () => of('exited', 'web').length > 0);
      endRest(spec, process, 'SIGKILL', 'leave');
      await subject.until('it is empty', () => of('emptied', 'web').length > 0);
      expect(subject.groupOf(process)).not.toEqual([]);
    });

    it('reaches the whole group where that is meant', async () => {
      const spec = supervised();
      const process = await start(spec, subject.programs.leavesDeafChild());
      await subject.until('its child is deaf', () => subject.hasDeafChild(process));
      perform({ type: 'signal', service: spec.name, process, signal: 'SIGKILL', to: 'group', thenContinue: 'no' });
      await subject.until('all are gone', () => subject.groupOf(process).length === 0);
    });

    it('ends a start command that hangs, and not the daemon that it brought up', async () => {
      const spec = watched({ pattern: { by: { type: 'exe', path: subject.daemonPath } } });
      const process = await start(spec, subject.programs.startsAndHangs(subject.daemonPath), 'start');
      await subject.until('the daemon is up', () => subject.daemons().length > 0);
      perform({ type: 'endHelper', service: spec.name, process, spec });
      await subject.until('it has ended', () => of('exited', 'ssh').length > 0);
      await subject.quiet();
      expect(of('exited', 'ssh')[0]?.process).toEqual(process);
      expect(subject.daemons()).toHaveLength(1);
    });

    async function prepare(spec: ServiceSpec, generation = 1): Promise<string | null> {
      const before = of('prepared', spec.name).length;
      perform({ type: 'prepare', spec, generation });
      await subject.until(`${spec.name} is prepared`, () => of('prepared', spec.name).length > before);
      const answer = of('prepared', spec.name).at(-1);
      expect(answer?.generation).toBe(generation);
      return answer?.problem ?? null;
    }

    it('prepares nothing where nothing is wished, and makes the directories that are', async () => {
      const path = subject.pathOf('run');
      expect(await prepare(supervised(), 3)).toBeNull();
      for (const generation of [4, 5])
        expect(await prepare(supervised({ directories: [{ path, mode: 0o750 }] }), generation)).toBeNull();
      expect(subject.at(path)).toBe('directory');
    });

    it('says why a directory cannot be made, or a path not cleaned', async () => {
      const [file, directory] = [subject.pathOf('file'), subject.pathOf('directory')];
      subject.place(file, 'file');
      subject.place(directory, 'directory');
      expect(await prepare(supervised({ directories: [{ path: file, mode: 0o755 }] }))).toMatch(/is no directory/);
      expect(await prepare(supervised({ clean: [directory] }))).toMatch(/is a directory/);
      expect([subject.at(file), subject.at(directory)]).toEqual(['file', 'directory']);
    });

    it('removes the socket that a killed process left, and none that a living one of the service has (graceful 8)', async () => {
      const path = subject.pathOf('agent.sock');
      const spec = supervised({ clean: [path, subject.pathOf('never-there')] });
      const binds = subject.programs.binds(path);
      const first = await start(spec, binds, 'main', 1);
      await subject.until('it is bound', () => subject.at(path) === 'socket');
      expect(await prepare(spec)).toBeNull();
      expect(subject.at(path)).toBe('socket');
      subject.kill(first, 'SIGKILL');
      await subject.until('it was killed', () => of('exited', 'web').length === 1);
      await start(spec, binds, 'main', 2);
      await subject.until('it finds what is left and gives up', () => of('exited', 'web').length === 2);
      expect(of('exited', 'web')[1]?.evidence.status).toEqual({ type: 'exited', code: 1 });
      expect(await prepare(spec, 3)).toBeNull();
      expect(subject.at(path)).toBeNull();
      const third = await start(spec, binds, 'main', 3);
      await subject.until('it is bound again', () => subject.at(path) === 'socket');
      expect(subject.isAlive(third)).toBe(true);
    });

    it('finds again what it had started, by its order alone', async () => {
      const spec = supervised();
      const process = await start(spec, subject.programs.lives(), 'main', 4);
      // A start counts before the new program's environment is in its place: who asks has been away meanwhile.
      await subject.quiet();
      perform({ type: 'reclaim', hook: 0, spec, role: 'main', generation: 4 });
      await subject.until('it was found', () => of('spawned', 'web').length > 1);
      const found = of('spawned', 'web')[1];
      expect(found).toMatchObject({ role: 'main', generation: 4 });
      expect(found !== undefined && isSameProcess(found.process, process)).toBe(true);
      subject.kill(process, 'SIGKILL');
      await subject.until('it has ended', () => of('exited', 'web').length > 0);
    });

    it('takes no command of a role for another of the same role', async () => {
      const lives = subject.programs.lives();
      const spec = supervised({ hooks: { beforeStart: [lives, lives] } });
      const spawn = { type: 'spawn', env: {}, spec, role: 'beforeStart', generation: 4, command: lives } as const;
      perform({ ...spawn, hook: 1 });
      await subject.until('it is spawned', () => of('spawned', 'web').length > 0);
      await subject.quiet();
      for (const hook of [0, 1]) perform({ type: 'reclaim', hook, spec, role: 'beforeStart', generation: 4 });
      await subject.until('one is lost', () => of('spawnFailed', 'web').length > 0);
      await subject.until('one is found', () => of('spawned', 'web').length > 1);
      await subject.quiet();
      const [first, found, ...others] = of('spawned', 'web').map(({ process }) => process);
      expect(others).toEqual([]);
      expect(first !== undefined && found !== undefined && isSameProcess(first, found)).toBe(true);
    });

    it('says LOST of an order of which nothing lives', async () => {
      const spec = supervised();
      await start(spec, subject.programs.lives(), 'main', 4);
      perform({ type: 'reclaim', hook: 0, spec, role: 'main', generation: 5 });
      perform({ type: 'reclaim', hook: 0, spec, role: 'start', generation: 4 });
      await subject.until('it was told', () => of('spawnFailed', 'web').length > 1);
      expect(of('spawnFailed', 'web')).toMatchObject([
        { errno: LOST, role: 'main', generation: 5 },
        { errno: LOST, role: 'start', generation: 4 },
      ]);
    });
  });
}
