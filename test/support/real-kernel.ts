// The kernel of this machine as the contract sees it, with the features switched off that a rung of the ladder has not.
// Composed as daemon/outside.ts does. Every process of it carries this subject's token, and is gone after `close`.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Effect } from '../../src/core/effect.js';
import type { Event } from '../../src/core/event.js';
import { asPid, type ProcessRef } from '../../src/core/process.js';
import type { Command, ServiceName, ServiceSpec } from '../../src/core/spec.js';
import { Hearing } from '../../src/daemon/hearing.js';
import type { Outputs, Post } from '../../src/keeper/ports.js';
import { Batches } from '../../src/kernel/batches.js';
import { findCgroupBase, findMemoryV1Base } from '../../src/kernel/cgroup-mounts.js';
import { Exits } from '../../src/kernel/exits.js';
import { type Features, probeFeatures } from '../../src/kernel/features.js';
import { Groups } from '../../src/kernel/groups.js';
import { HeldDescriptors } from '../../src/kernel/held-descriptors.js';
import { isAlive, readStat } from '../../src/kernel/identity.js';
import { RealKernel, type Seeker } from '../../src/kernel/kernel.js';
import { KernelLog } from '../../src/kernel/kernel-log.js';
import { Killers } from '../../src/kernel/killers.js';
import { orphansOfServices } from '../../src/kernel/kin.js';
import { newMain } from '../../src/kernel/new-main.js';
import { NotifySockets } from '../../src/kernel/notify-sockets.js';
import { ProcConnector, probeProcConnector } from '../../src/kernel/proc-connector.js';
import { variableOf } from '../../src/kernel/processes-of.js';
import { createPump } from '../../src/kernel/pump.js';
import { Reaper } from '../../src/kernel/reaper.js';
import { ServiceSockets } from '../../src/kernel/service-sockets.js';
import { Sleeps } from '../../src/kernel/sleeps.js';
import { Speakers } from '../../src/kernel/speakers.js';
import { StateFiles } from '../../src/kernel/state-files.js';
import { StoredDescriptors } from '../../src/kernel/stored-descriptors.js';
import { closeOnExecFrom } from '../../src/kernel/syscalls.js';
import { instanceName, openTraceInstance } from '../../src/kernel/trace-instance.js';
import { Witnesses } from '../../src/kernel/witnesses.js';
import { admit, fullSentence } from '../../src/protocol/fd-store.js';
import type { Subject } from './kernel-subject.js';

export interface RealSubject extends Subject {
  readonly kernel: RealKernel;
  readonly features: Features;
  /** Temporary, readable by everybody. */
  readonly home: string;
  readonly reports: readonly string[];
  /** Of what services said by sd_notify. */
  readonly complaints: readonly string[];
  readonly batches: Batches;
  /** The fd store of the keeper that runs now. */
  readonly stored: StoredDescriptors;
  /** Is told of each event while it is posted. */
  onEvent(hear: Post): void;
  readonly enforcesMemory: 'yes' | 'no';
  /** Where the processes write from now on; null: nowhere. */
  writeTo(descriptor: number | null): void;
  /** As after `kill -9`: the kernel forgets all, what it started lives on, and another takes its place. */
  succeed(): void;
  /** What is found of an earlier kernel must have begun since then, in ticks since boot. */
  recordedAt(ticks: number): void;
}

export const exec = (...argv: readonly string[]): Command => ({ argv, timeout: null, user: null });
export const sh = (script: string, ...args: readonly string[]): Command => exec('/bin/sh', '-c', script, 'sh', ...args);

/** The order to start the main process of a first generation, or what `more` says. */
export const spawning = (spec: ServiceSpec, command: Command, more: Partial<Spawn> = {}): Spawn => ({
  type: 'spawn',
  hook: 0,
  env: {},
  spec,
  role: 'main',
  generation: 1,
  command,
  ...more,
});

type Spawn = Extract<Effect, { type: 'spawn' }>;

// As programs of the field do, it takes whatever is at its path for another of its kind.
const BINDS = 'socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un($ARGV[0])) or exit 1; listen(S, 1); sleep 600';

const LONGEST = 60_000;

export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + LONGEST;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${LONGEST / 1000} s: ${what}`);
    await sleep(5);
  }
}

export function makeRealKernel(without: readonly string[]): RealSubject {
  closeOnExecFrom(3);
  const home = mkdtempSync(join(tmpdir(), 'upkeep-kernel-'));
  chmodSync(home, 0o755);
  let trace = without.includes('tracefs') ? null : openTraceInstance(instanceName(home));
  const openLog = (): KernelLog | null => (without.includes('kmsg') ? null : KernelLog.open());
  let log = openLog();
  const [hasTrace, hasLog] = [trace, log].map((one) => () => (one === null ? 'no' : 'yes') as 'yes' | 'no');
  const features = probeFeatures(without, probeProcConnector, hasTrace, hasLog);
  const token = randomBytes(8).toString('hex');
  const events: Event[] = [];
  const reports: string[] = [];
  const complaints: string[] = [];
  const batches = new Batches();
  let listener: Post = () => {};
  const report = (problem: string, error: unknown): void => void reports.push(`${problem}: ${String(error)}`);
  const daemonPath = join(home, 'patrold');
  copyFileSync('/bin/sleep', daemonPath);
  const outputs: Outputs & { descriptor: number | null } = {
    descriptor: null,
    descriptorFor: () => outputs.descriptor,
    release: () => {},
  };
  const seeker: Seeker = {
    look: () => {},
    stopSeeking: () => {},
    matches: (spec, pid) =>
      spec.kind.type === 'watched' &&
      spec.kind.pattern.by.type === 'exe' &&
      readLine(pid).startsWith(`${spec.kind.pattern.by.path}\0`),
    close: () => {},
  };
  const strangers: ChildProcess[] = [];
  let begun = 0;

  const make = () => {
    const pump = createPump(features, report);
    const connector = features.procConnector === 'yes' ? new ProcConnector(pump) : null;
    const isFollowed = (pid: number): boolean => exits.isFollowed(pid);
    const killers = trace === null ? null : new Killers(trace, pump, isFollowed, report);
    const witnesses = new Witnesses({ killers, log, sleeps: new Sleeps(), report });
    const exits: Exits = new Exits(
      pump,
      features,
      (pid) => connector?.exitStatusOf(pid) ?? null,
      (process, evidence) => witnesses.testify(process, evidence),
    );
    const listening = features.pidfdInfo === 'no' ? (connector?.listen(() => {}) ?? null) : null;
    const groups = new Groups(
      {
        base: features.cgroup === 'yes' ? findCgroupBase() : null,
        memoryV1: features.cgroup === 'yes' ? findMemoryV1Base() : null,
        instance: `test-${token}`,
      },
      report,
      () => orphansOfServices(exits),
    );
    const reaper = new Reaper(isFollowed);
    const speakers = new Speakers(features, groups);
    const post: Post = (event) => {
      events.push(event);
      listener(event);
    };
    const complain = (service: ServiceName, text: string): void => void complaints.push(`${service}: ${text}`);
    const hearing = new Hearing({
      post,
      speakers,
      newMain: (service, named) => newMain(service, named, features, speakers),
      batches,
      complain,
    });
    const held = new HeldDescriptors({ directory: home, features, exits, report });
    const notifySockets = new NotifySockets({
      directory: join(home, 'notify'),
      pump,
      held,
      features,
      hear: (service, datagram) => hearing.hear(service, datagram),
      complain: (service, reason) => hearing.complain(service, reason),
      hasRoom: () => batches.hasRoom,
    });
    const sockets = new ServiceSockets({ held, pump, report });
    const stored = new StoredDescriptors({
      pump,
      held,
      batches,
      admit,
      onFull: (service, ...counts) => complain(service, fullSentence(...counts)),
      complain,
      now: Date.now,
    });
    const kernel = new RealKernel({
      nextTime: () => null,
      post,
      report,
      features,
      pump,
      exits,
      notifySockets,
      speakers,
      held,
      sockets,
      stored,
      groups,
      reaper,
      witnesses,
      seeker: { ...seeker, close: () => listening?.close() },
      outputs,
      readiness: { await: () => {}, cancel: () => {} },
      asking: { ask: () => {}, stop: () => {} },
      handovers: { export: () => {}, endExport: () => {}, say: () => {} },
      stateFiles: new StateFiles(join(home, 'handover')),
      socket: join(home, 'control.sock'),
      token,
      begunAt: () => begun,
      readyFiles: join(home, 'ready'),
    });
    return { kernel, groups, held, stored };
  };

  let current = make();
  const refs = (): readonly ProcessRef[] =>
    events.flatMap((event) => (event.type === 'spawned' ? [event.process] : []));
  return {
    features,
    home,
    reports,
    complaints,
    batches,
    onEvent: (hear) => {
      listener = hear;
    },
    events,
    daemonPath,
    get kernel() {
      return current.kernel;
    },
    get stored() {
      return current.stored;
    },
    get enforcesMemory() {
      return current.groups.enforcesMemory;
    },
    writeTo: (descriptor) => {
      outputs.descriptor = descriptor;
    },
    recordedAt: (ticks) => {
      begun = ticks;
    },
    succeed: () => {
      current.kernel.close();
      trace = trace === null ? null : openTraceInstance(instanceName(home));
      log = openLog();
      current = make();
    },
    programs: {
      lives: () => exec('/bin/sleep', '600'),
      exits: (code) => sh(`exit ${code}`),
      dies: (signal) => ({ ...sh(`cd "$1"; ulimit -c unlimited; kill -${signal.slice(3)} $$`, home) }),
      binds: (path) => exec('/usr/bin/perl', '-MSocket', '-e', BINDS, path),
      missing: () => exec(join(home, 'no-such-program')),
      // The child inherits the deafness; the shell hears again before its second child is there.
      leavesDeafChild: () => sh(`trap '' TERM; sleep 600 & trap - TERM; sleep 600 & wait $!`),
      startsAndHangs: (daemon) => sh(`setsid "$1" 600 & sleep 600`, daemon),
    },
    pathOf: (name) => join(home, name),
    at: (path) => {
      const stat = lstatSync(path, { throwIfNoEntry: false });
      return stat === undefined ? null : stat.isSocket() ? 'socket' : stat.isDirectory() ? 'directory' : 'file';
    },
    place: (path, what) => {
      if (what === 'file') writeFileSync(path, '');
      else mkdirSync(path);
    },
    until: (what, holds) =>
      until(what, holds).catch((error: unknown) => {
        throw new Error(`${String(error)}; told: ${JSON.stringify([reports, events])}`);
      }),
    quiet: () => sleep(300),
    isAlive: (process) => isAlive(process, features),
    isReaped: ({ pid, startTicks }) => readStat(pid)?.startTicks !== startTicks,
    kill: (target, signal) => void process.kill(target.pid, signal),
    hasDeafChild: (leader) => groupOf(leader).length === 3,
    groupOf,
    daemons: () => pidsOfProc().filter((pid) => isLiving(pid) && readLine(pid).startsWith(`${daemonPath}\0`)),
    stranger: async () => {
      // Below a parent of its own, which reaps it: the child of nobody that the kernel layer knows.
      const parent = spawn('/bin/sh', ['-c', 'sleep 600 & echo $!; wait; sleep 600'], {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, UPKEEP_TOKEN: token },
      });
      strangers.push(parent);
      const line = await new Promise<string>((resolve) => parent.stdout.once('data', (data) => resolve(String(data))));
      const pid = Number(line);
      await until('it is sleep', () => readStat(pid)?.comm === 'sleep');
      return { pid: asPid(pid), startTicks: readStat(pid)?.startTicks ?? 0, inode: null };
    },
    close: async () => {
      for (const stranger of strangers) stranger.kill('SIGKILL');
      const left = (): readonly number[] => pidsOfProc().filter((pid) => isLiving(pid) && isOurs(pid));
      await until('all of the test are dead', () => {
        for (const pid of left()) killQuietly(pid);
        return left().length === 0;
      });
      await until('the main processes are gone', () => refs().every((ref) => !isAlive(ref, features)));
      current.held.end();
      current.kernel.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

const pidsOfProc = (): readonly number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid);

const groupOf = (leader: ProcessRef): readonly number[] =>
  pidsOfProc().filter((pid) => isLiving(pid) && readStat(pid)?.pgrp === leader.pid);

const isLiving = (pid: number): boolean => !['Z', 'X', undefined].includes(readStat(pid)?.state);

function readLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

/** Below us, and marked as all that the kernel layer starts, and our strangers. */
function isOurs(pid: number): boolean {
  let above = readStat(pid)?.ppid ?? 0;
  while (above > 1 && above !== process.pid) above = readStat(above)?.ppid ?? 0;
  return above === process.pid && variableOf(pid, 'UPKEEP_TOKEN') !== null;
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended meanwhile
  }
}

/** A file of this test, made executable. */
export function script(subject: RealSubject, name: string, text: string): string {
  const path = join(subject.home, name);
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

/** What `path` holds once somebody has written a whole line to it. */
export async function written(path: string): Promise<string> {
  await until(
    `${path} is written`,
    () => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0 && readFileSync(path, 'utf8').endsWith('\n'),
  );
  return readFileSync(path, 'utf8');
}
