// Looks at real processes, on each rung on which they are found differently: told by the kernel, and by scans alone.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/core/event.js';
import { chooseMain, type Look, type Pattern } from '../../src/core/pattern.js';
import type { ServiceSpec } from '../../src/core/spec.js';
import { Looker } from '../../src/kernel/appearances.js';
import { probeFeatures } from '../../src/kernel/features.js';
import { ProcConnector, probeProcConnector } from '../../src/kernel/proc-connector.js';
import { createPump, type Pump } from '../../src/kernel/pump.js';
import { watched } from '../support/builders.js';

const isRoot = process.geteuid?.() === 0;
const hears = probeProcConnector() === 'yes';
const features = probeFeatures([]);

const fail = (problem: string, error: unknown): void => {
  throw new Error(problem, { cause: error });
};

let home: string;
let pump: Pump;
let looks: Map<string, Look[]>;
let started: ChildProcess[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'upkeep-look-'));
  pump = createPump(features, fail);
  looks = new Map();
  started = [];
});

afterEach(() => {
  pump.close();
  for (const look of looks.values()) for (const pid of look.flatMap(pidsOf)) killIfOurs(pid);
  for (const child of started) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

const pidsOf = (look: Look | undefined): readonly number[] => look?.matches.map((facts) => facts.process.pid) ?? [];

/** Daemons have left us: they are known by this test's own directory on their command lines. */
function killIfOurs(pid: number): void {
  try {
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(home)) process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended already
  }
}

/** A program of its own to look for: what it is copied from sleeps as long as it is told. */
function program(name = 'patrold'): string {
  const path = join(home, name);
  copyFileSync('/bin/sleep', path);
  return path;
}

function start(command: string, ...args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: 'ignore', cwd: '/' });
  started.push(child);
  return child;
}

/** Leaves it behind with init (or whoever reaps here) as its parent, as daemons do. */
const DAEMONIZE = 'use POSIX; exit if fork; POSIX::setsid(); exit if fork; sleep 0; exec @ARGV;';

function service(name: string, pattern: Partial<Pattern>): ServiceSpec {
  return watched({ name, pattern });
}

function post(event: Event): void {
  if (event.type === 'looked') looks.set(event.service, [...(looks.get(event.service) ?? []), event.look]);
}

const last = (name: string): Look | undefined => looks.get(name)?.at(-1);
const told = (name: string): number => looks.get(name)?.length ?? 0;

async function until(what: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!what()) {
    if (Date.now() > end) throw new Error(`not within 30 s; seen: ${JSON.stringify([...looks])}`);
    await sleep(5);
  }
}

/** Node says `spawn` when exec has begun; the new command line is there a moment later. */
const isRunning = async (child: ChildProcess): Promise<void> => {
  await new Promise<void>((resolve) => child.once('spawn', () => resolve()));
  await until(() => readFileSync(`/proc/${child.pid}/cmdline`, 'latin1').startsWith(`${child.spawnargs[0]}\0`));
};

const rungs = [
  { rung: 'told by the kernel', connector: hears ? 'yes' : 'absent' },
  { rung: 'without procConnector', connector: 'no' },
] as const;

describe.each(rungs)('a look, $rung', ({ connector }) => {
  let looker: Looker;
  const runs = it.skipIf(connector === 'absent');
  const runsAsRoot = it.skipIf(connector === 'absent' || !isRoot);

  beforeEach(() => {
    looker = new Looker({ features, connector: connector === 'yes' ? new ProcConnector(pump) : null, post });
  });
  afterEach(() => looker.close());

  runs('finds what runs, once, and says what it is', async () => {
    const path = program();
    const child = start(path, '60');
    await isRunning(child);
    looker.look(service('a', { by: { type: 'exe', path } }), 'once');
    expect(told('a')).toBe(0);
    await until(() => told('a') === 1);
    expect(last('a')?.matches).toMatchObject([
      {
        process: { pid: child.pid },
        exe: path,
        argv: [path, '60'],
        uid: process.geteuid?.(),
        foreignNamespace: 'no',
        comm: 'patrold',
      },
    ]);
    expect(last('a')?.unseen).toBeNull();
  });

  runs('answers all who ask, and those who look for nothing that runs too', async () => {
    const path = program();
    const child = start(path, '60');
    await isRunning(child);
    looker.look(service('exe', { by: { type: 'exe', path } }), 'once');
    looker.look(service('name', { by: { type: 'name', name: 'patrold' } }), 'once');
    looker.look(service('line', { by: { type: 'match', regex: `^${path} 60$` } }), 'once');
    looker.look(service('none', { by: { type: 'exe', path: `${path}-not` } }), 'once');
    await until(() => ['exe', 'name', 'line', 'none'].every((name) => told(name) === 1));
    for (const name of ['exe', 'line']) expect(pidsOf(last(name))).toEqual([child.pid]);
    // Others of that name may run, of tests beside this one.
    expect(pidsOf(last('name'))).toContain(child.pid);
    expect(last('none')).toEqual({ matches: [], pidFile: { type: 'none' }, unseen: null });
  });

  runs('knows an executable that was replaced by an upgrade', async () => {
    const path = program();
    const child = start(path, '60');
    await isRunning(child);
    unlinkSync(path);
    program();
    looker.look(service('a', { by: { type: 'exe', path } }), 'once');
    await until(() => told('a') === 1);
    expect(pidsOf(last('a'))).toEqual([child.pid]);
  });

  runs('while seeking tells of a daemon that forks twice, and of its death', async () => {
    const path = program();
    const spec = service('a', { by: { type: 'exe', path } });
    looker.look(spec, 'on');
    await until(() => told('a') === 1);
    expect(pidsOf(last('a'))).toEqual([]);
    start('perl', '-e', DAEMONIZE, path, '60');
    await until(() => pidsOf(last('a')).length === 1);
    const [pid = 0] = pidsOf(last('a'));
    expect(looker.matches(spec, pid)).toBe(true);
    expect(looker.matches(spec, process.pid)).toBe(false);
    process.kill(pid, 'SIGKILL');
    await until(() => pidsOf(last('a')).length === 0);
  });

  runs('while seeking tells of one that forks without an exec, and whose parent then ends', async () => {
    const script = join(home, 'forker');
    writeFileSync(script, 'select undef, undef, undef, 0.2; exit if fork; sleep 60;');
    looker.look(service('a', { by: { type: 'exe', path: script } }), 'on');
    await until(() => told('a') === 1);
    const parent = start('perl', script);
    const isLeft = (look: Look | undefined): boolean =>
      look?.matches.length === 1 && look.matches[0]?.process.pid !== parent.pid;
    await until(() => isLeft(last('a')));
    await until(() => last('a')?.matches[0]?.ppid !== parent.pid);
    expect(last('a')?.matches[0]?.script).toBe(script);
  });

  runs('while seeking sees a process that becomes the daemon later, by exec', async () => {
    const path = program();
    looker.look(service('a', { by: { type: 'exe', path } }), 'on');
    await until(() => told('a') === 1);
    const shell = start('sh', '-c', `sleep 0.3; exec ${path} 60`);
    await until(() => pidsOf(last('a')).length === 1);
    expect(pidsOf(last('a'))).toEqual([shell.pid]);
  });

  runs('while seeking sees a process that calls itself so after a while', async () => {
    looker.look(service('a', { by: { type: 'name', name: 'patrold-by-title' } }), 'on');
    await until(() => told('a') === 1);
    const child = start('perl', '-e', 'select undef, undef, undef, 0.2; $0 = "patrold-by-title: ready"; sleep 60;');
    await until(() => pidsOf(last('a')).length === 1);
    expect(pidsOf(last('a'))).toEqual([child.pid]);
  });

  runs('finds the script of an interpreter, also by a relative path, and no editor that has it open', async () => {
    const script = join(home, 'patrol.pl');
    writeFileSync(script, 'sleep 60;');
    const child = spawn('perl', ['-w', 'patrol.pl'], { stdio: 'ignore', cwd: home });
    started.push(child, start('tail', '-f', script), start('sh', '-c', `sleep 60; : ${script}`));
    await isRunning(child);
    looker.look(service('a', { by: { type: 'exe', path: script } }), 'on');
    looker.look(service('b', { by: { type: 'name', name: 'patrol.pl' } }), 'on');
    await until(() => pidsOf(last('a')).length === 1 && pidsOf(last('b')).length === 1);
    expect([pidsOf(last('a')), pidsOf(last('b'))]).toEqual([[child.pid], [child.pid]]);
  });

  runs('tells the main process from those below it', async () => {
    const script = join(home, 'prefork.pl');
    writeFileSync(script, 'for (1..3) { if (!fork) { sleep 60; exit } } sleep 60;');
    const by = { type: 'exe', path: script } as const;
    looker.look(service('a', { by }), 'on');
    const master = start('perl', script);
    await until(() => pidsOf(last('a')).length === 4);
    const { kind } = service('a', { by });
    const look = last('a');
    if (kind.type !== 'watched' || look === undefined) throw new Error('no look');
    expect(chooseMain(kind.pattern, look, { identity: null, deadSince: null })).toMatchObject({
      type: 'main',
      facts: { process: { pid: master.pid } },
    });
  });

  runs('answers the last of several orders alone: what was sought before it is not told after it', async () => {
    const path = program();
    const child = start(path, '60');
    await isRunning(child);
    looker.look(service('a', { by: { type: 'exe', path } }), 'on');
    looker.look(service('a', { by: { type: 'exe', path: join(home, 'nowhere') } }), 'on');
    looker.look(service('b', { by: { type: 'exe', path } }), 'on');
    await until(() => told('a') > 0 && told('b') > 0);
    expect(pidsOf(last('b'))).toEqual([child.pid]);
    expect(looks.get('a')?.map(pidsOf)).toEqual([[]]);
  });

  runs('is told no more after the seeking has stopped', async () => {
    const path = program();
    looker.look(service('a', { by: { type: 'exe', path } }), 'on');
    looker.look(service('b', { by: { type: 'exe', path } }), 'on');
    await until(() => told('a') === 1 && told('b') === 1);
    looker.stopSeeking(service('a', {}).name);
    start(path, '60');
    await until(() => pidsOf(last('b')).length === 1);
    expect(told('a')).toBe(1);
  });

  runs('believes a pid file that the daemon writes a second after its parent has gone (supervisors 14)', async () => {
    const path = program();
    const pidFile = join(home, 'run', 'patrold.pid');
    const pattern = { by: { type: 'exe', path }, pidFile } as const;
    looker.look(service('a', pattern), 'on');
    await until(() => told('a') === 1);
    const two = start(path, '60');
    start(path, '61');
    await until(() => pidsOf(last('a')).length === 2);
    expect(last('a')?.pidFile).toEqual({ type: 'none' });
    await sleep(1000);
    mkdirSync(join(home, 'run'));
    writeFileSync(pidFile, `${two.pid}\n`);
    await until(() => last('a')?.pidFile.type === 'names');
    expect(last('a')?.pidFile).toEqual({ type: 'names', pid: two.pid });
  });

  runs(
    'does not believe a pid file that names a stranger, and leaves that alone (supervisors 15, monitors 3)',
    async () => {
      const path = program();
      const stranger = start('sleep', '60');
      const pidFile = join(home, 'patrold.pid');
      writeFileSync(pidFile, `${stranger.pid}\n`);
      looker.look(service('a', { by: { type: 'exe', path }, pidFile }), 'once');
      await until(() => told('a') === 1);
      expect(last('a')).toEqual({
        matches: [],
        pidFile: { type: 'refused', reason: `${pidFile} names process ${stranger.pid}, which does not match` },
        unseen: null,
      });
      expect(stranger.exitCode).toBeNull();
      expect(stranger.signalCode).toBeNull();
    },
  );

  runs('by a pid file alone finds what it names as soon as it is written', async () => {
    const pidFile = join(home, 'any.pid');
    looker.look(service('a', { by: { type: 'pidFile' }, pidFile }), 'on');
    await until(() => told('a') === 1);
    expect(last('a')).toEqual({ matches: [], pidFile: { type: 'none' }, unseen: null });
    const child = start('sleep', '60');
    await isRunning(child);
    // The directories of the temporary file belong to us or to root, or are sticky.
    writeFileSync(pidFile, `${child.pid}\n`, { mode: 0o644 });
    await until(() => pidsOf(last('a')).length === 1);
    expect(pidsOf(last('a'))).toEqual([child.pid]);
  });

  runsAsRoot('by a pid file alone refuses one that somebody else could have written (supervisors 15)', async () => {
    const pidFile = join(home, 'any.pid');
    const child = start('sleep', '60');
    writeFileSync(pidFile, `${child.pid}\n`);
    chmodSync(pidFile, 0o666);
    looker.look(service('a', { by: { type: 'pidFile' }, pidFile }), 'once');
    await until(() => told('a') === 1);
    expect(last('a')?.matches).toEqual([]);
    expect(last('a')?.pidFile).toMatchObject({
      type: 'refused',
      reason: expect.stringContaining('can be written by others'),
    });
  });

  runsAsRoot('leaves out the processes of containers, unless told to count them', async () => {
    const path = program();
    start('unshare', '--pid', '--fork', '--kill-child', '--', path, '60');
    looker.look(service('in', { by: { type: 'exe', path }, containers: 'yes' }), 'on');
    await until(() => pidsOf(last('in')).length === 1);
    looker.look(service('out', { by: { type: 'exe', path } }), 'once');
    await until(() => told('out') === 1);
    expect(pidsOf(last('out'))).toEqual([]);
    expect(last('in')?.matches[0]?.foreignNamespace).toBe('yes');
  });

  runs('narrows by user', async () => {
    const path = program();
    await isRunning(start(path, '60'));
    looker.look(service('mine', { by: { type: 'exe', path }, user: String(process.geteuid?.()) }), 'once');
    looker.look(service('other', { by: { type: 'exe', path }, user: '54321' }), 'once');
    await until(() => told('mine') === 1 && told('other') === 1);
    expect([pidsOf(last('mine')).length, pidsOf(last('other')).length]).toEqual([1, 0]);
  });
});

describe('a seeking looker', () => {
  it('listens only while somebody seeks by more than a pid file', async () => {
    const open = { count: 0 };
    const listen: ProcConnector['listen'] = () => {
      open.count += 1;
      return {
        close: () => {
          open.count -= 1;
        },
      };
    };
    const connector = Object.assign(new ProcConnector(pump), { listen });
    const looker = new Looker({ features, connector, post });
    const path = program();
    looker.look(service('once', { by: { type: 'exe', path } }), 'once');
    looker.look(service('file', { by: { type: 'pidFile' }, pidFile: join(home, 'x.pid') }), 'on');
    expect(open.count).toBe(0);
    looker.look(service('a', { by: { type: 'exe', path } }), 'on');
    looker.look(service('b', { by: { type: 'exe', path } }), 'on');
    expect(open.count).toBe(1);
    await until(() => told('a') === 1);
    looker.stopSeeking(service('a', {}).name);
    expect(open.count).toBe(1);
    looker.stopSeeking(service('b', {}).name);
    expect(open.count).toBe(0);
    looker.close();
  });

  it('looks again for itself when the kernel has lost events', async () => {
    const hear: { tell: Parameters<ProcConnector['listen']>[0] } = { tell: () => {} };
    const listen: ProcConnector['listen'] = (onEvents) => {
      hear.tell = onEvents;
      return { close: () => {} };
    };
    const connector = Object.assign(new ProcConnector(pump), { listen });
    const looker = new Looker({ features, connector, post });
    const path = program();
    looker.look(service('a', { by: { type: 'exe', path } }), 'on');
    await until(() => told('a') === 1);
    const child = start(path, '60');
    await isRunning(child);
    hear.tell([{ type: 'lost' }]);
    await until(() => pidsOf(last('a')).length === 1);
    expect(pidsOf(last('a'))).toEqual([child.pid]);
    looker.close();
  });
});
