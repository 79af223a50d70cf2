// What a process that the kernel layer has started finds and has, read back from the kernel in /proc; and the starts that
// cannot succeed. Nothing here depends on a rung, save where it says so.

import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServiceEvent } from '../../src/core/event.js';
import type { Command, ProcessSettings, ServiceSpec } from '../../src/core/spec.js';
import { millis } from '../../src/core/time.js';
import { readStat } from '../../src/kernel/identity.js';
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

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65534;

let subject: RealSubject;
beforeEach(() => {
  subject = makeRealKernel([]);
});
afterEach(() => subject.close());

type Wish = Partial<ProcessSettings>;

function service(wish: Wish = {}): ServiceSpec {
  const spec = supervised();
  return { ...spec, settings: { ...spec.settings, ...wish } };
}

const of = <T extends ServiceEvent['type']>(type: T): readonly Extract<ServiceEvent, { type: T }>[] =>
  subject.events.filter((event): event is Extract<ServiceEvent, { type: T }> => event.type === type);

function order(command: Command, spec = service()): void {
  subject.kernel.perform(spawning(spec, command));
}

/** Starts it, and waits until the hops are behind it. */
async function start(command: Command, spec = service(), comm = 'sleep'): Promise<number> {
  const failures = of('spawnFailed').length;
  order(command, spec);
  const failure = of('spawnFailed')[failures];
  if (failure !== undefined) throw new Error(failure.detail);
  const pid = of('spawned').at(-1)?.process.pid ?? 0;
  await subject.until(`${pid} is ${comm}`, () => statusOf(pid).get('Name') === comm);
  // The name comes before the arguments and the environment, see begin_new_exec in the kernel's fs/exec.c.
  await subject.until(`${pid} has its environment`, () => readFileSync(`/proc/${pid}/environ`).length > 0);
  return pid;
}

const sleeping = (wish: Wish = {}): Promise<number> => start(exec('/bin/sleep', '600'), service(wish));

function refusal(command: Command, wish: Wish = {}): { readonly errno: string; readonly detail: string } {
  order(command, service(wish));
  expect(of('spawned')).toEqual([]);
  const [failure] = of('spawnFailed');
  if (failure === undefined) throw new Error('it was not refused');
  return { errno: failure.errno, detail: failure.detail };
}

async function codeOf(command: Command, wish: Wish = {}): Promise<number | string> {
  order(command, service(wish));
  await subject.until('it has ended', () => of('exited').length > 0);
  const status = of('exited')[0]?.evidence.status;
  return status?.type === 'exited' ? status.code : JSON.stringify(status);
}

function statusOf(pid: number): ReadonlyMap<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n');
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
}

function limitsOf(pid: number): ReadonlyMap<string, readonly [string, string]> {
  const lines = readFileSync(`/proc/${pid}/limits`, 'utf8').trimEnd().split('\n').slice(1);
  return new Map(
    lines.map((line) => {
      const [soft = '', hard = ''] = line.slice(26).trim().split(/\s+/);
      return [line.slice(0, 26).trim(), [soft, hard]];
    }),
  );
}

/** Once it sleeps: the dynamic linker before it has libraries open. */
async function descriptorsOf(pid: number): Promise<readonly string[]> {
  await subject.until(`${pid} sleeps`, () => readStat(pid)?.state === 'S');
  return ownedFds(pid);
}

const ownedFds = (pid: number): readonly string[] =>
  readdirSync(`/proc/${pid}/fd`).map((fd) => `${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`)}`);

function environmentOf(pid: number): ReadonlyMap<string, string> {
  const words = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  return new Map(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
}

describe('a started process', () => {
  it('leads a session and a group of its own', async () => {
    const pid = await sleeping();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, ppid, pgrp, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    expect([ppid, pgrp, session].map(Number)).toEqual([process.pid, pid, pid]);
  });

  it('has every signal at its default and none blocked, though Node ignores SIGPIPE', async () => {
    const status = statusOf(await sleeping());
    for (const field of ['SigBlk', 'SigIgn', 'SigCgt', 'SigPnd', 'ShdPnd'])
      expect([field, status.get(field)]).toEqual([field, '0000000000000000']);
  });

  it('reads nothing, and holds no descriptor of the keeper', async () => {
    const held = openSync('/dev/zero', constants.O_RDONLY);
    const pid = await sleeping();
    expect(await descriptorsOf(pid)).toEqual(['0 /dev/null', '1 /dev/null', '2 /dev/null']);
    closeSync(held);
  });

  it('writes both streams to the descriptor of the service', async () => {
    const path = join(subject.home, 'web.log');
    const log = openSync(path, 'a');
    subject.writeTo(log);
    await codeOf(sh('echo out; echo err >&2; echo out again >> /dev/stdout'));
    expect(readFileSync(path, 'utf8')).toBe('out\nerr\nout again\n');
    closeSync(log);
  });

  it('has the environment of its user and what was written, and nothing of the keeper’s', async () => {
    process.env.SECRET_OF_THE_KEEPER = 'x';
    const env = environmentOf(await sleeping({ env: { COLOR: 'green=blue', EMPTY: '' } }));
    delete process.env.SECRET_OF_THE_KEEPER;
    const own = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'TZ', 'COLOR', 'EMPTY'];
    const ours = ['UPKEEP_SERVICE', 'UPKEEP_GENERATION', 'UPKEEP_ROLE', 'UPKEEP_TOKEN'];
    expect([...env.keys()].filter((name) => ![...own, ...ours].includes(name) && !name.startsWith('LC_'))).toEqual([]);
    expect(env.get('COLOR')).toBe('green=blue');
    expect(env.get('EMPTY')).toBe('');
    expect(env.get('PATH')).toBe('/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
    expect(ours.map((name) => env.get(name)).slice(0, 3)).toEqual(['web', '1', 'main']);
    expect(env.get('UPKEEP_TOKEN')).toBeTruthy();
  });

  it('is told its role, whatever it was started for', async () => {
    for (const role of ['start', 'stop', 'restart', 'reload', 'condition', 'afterStop'] as const) {
      const path = join(subject.home, role);
      const command = sh('echo "$UPKEEP_SERVICE $UPKEEP_GENERATION $UPKEEP_ROLE" > "$1"', path);
      subject.kernel.perform(spawning(service(), command, { role, generation: 9 }));
      expect(await written(path)).toBe(`web 9 ${role}\n`);
    }
  });

  it('is told what was ordered for it alone, which its settings do not change', async () => {
    const path = join(subject.home, 'told');
    const command = sh('echo "$UPKEEP_CAUSE $EXIT_STATUS $UPKEEP_SERVICE" > "$1"', path);
    const spec = service({ env: { EXIT_STATUS: '7' } });
    const env = { UPKEEP_CAUSE: 'signal', EXIT_STATUS: 'KILL', UPKEEP_SERVICE: 'other' };
    subject.kernel.perform(spawning(spec, command, { env, role: 'afterStop' }));
    expect(await written(path)).toBe('signal KILL web\n');
  });

  it('takes over what it is to inherit, and reads its files anew at each start', async () => {
    const file = join('/etc', `upkeep-test-${process.pid}.env`);
    const path = isRoot ? file : join(subject.home, 'env');
    process.env.KEPT = 'kept';
    try {
      writeFileSync(path, 'FROM_FILE="one two" # not a comment\n');
      const wish: Wish = { inheritEnv: ['KEPT'], envFiles: [path, `-${path}.missing`] };
      expect(environmentOf(await sleeping(wish)).get('KEPT')).toBe('kept');
      writeFileSync(path, 'FROM_FILE=three\n');
      expect(environmentOf(await sleeping(wish)).get('FROM_FILE')).toBe('three');
    } finally {
      delete process.env.KEPT;
      rmSync(path, { force: true });
    }
  });

  it('has its directory, umask, niceness and OOM score, and the keeper keeps its own', async () => {
    const before = [process.umask(), readFileSync('/proc/self/oom_score_adj', 'utf8'), readStatField(process.pid, 19)];
    const pid = await sleeping({ cwd: subject.home, umask: 0o027, nice: 7, oomScoreAdjust: 321 });
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe(subject.home);
    expect(statusOf(pid).get('Umask')).toBe('0027');
    expect(readStatField(pid, 19)).toBe('7');
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim()).toBe('321');
    const after = [process.umask(), readFileSync('/proc/self/oom_score_adj', 'utf8'), readStatField(process.pid, 19)];
    expect(after).toEqual(before);
  });

  it('has the limits that were written, and else those of before Node raised its own', async () => {
    const own = limitsOf(process.pid);
    const plain = limitsOf(await sleeping());
    const parent = limitsOf(process.ppid).get('Max open files')?.[0];
    expect(plain.get('Max open files')?.[1]).toBe(own.get('Max open files')?.[1]);
    expect([parent, '1024']).toContain(plain.get('Max open files')?.[0]);
    const wish: Wish = {
      limits: {
        nofile: { soft: 256, hard: 512 },
        core: { soft: 0, hard: 0 },
        nproc: { soft: 4000, hard: 4000 },
        cpu: { soft: 3000, hard: 3600 },
        fsize: { soft: 4096, hard: 8192 },
        stack: { soft: 4194304, hard: 4194304 },
        memlock: { soft: 0, hard: 0 },
      },
    };
    const limits = limitsOf(await sleeping(wish));
    expect(limits.get('Max open files')).toEqual(['256', '512']);
    expect(limits.get('Max core file size')).toEqual(['0', '0']);
    expect(limits.get('Max processes')).toEqual(['4000', '4000']);
    expect(limits.get('Max cpu time')).toEqual(['3000', '3600']);
    expect(limits.get('Max file size')).toEqual(['4096', '8192']);
    expect(limits.get('Max stack size')).toEqual(['4194304', '4194304']);
    expect(limits.get('Max locked memory')).toEqual(['0', '0']);
    expect(limitsOf(process.pid)).toEqual(own);
  });

  it.skipIf(!isRoot)('has no limit of open files beyond the kernel’s own, where none is wanted', async () => {
    const most = readFileSync('/proc/sys/fs/nr_open', 'utf8').trim();
    order(exec('/bin/sleep', '600'), service({ limits: { nofile: { soft: null, hard: null } } }));
    const [failure] = of('spawnFailed');
    if (failure !== undefined) {
      expect(failure.detail).toMatch(/nofile|limits/);
      return;
    }
    const pid = of('spawned')[0]?.process.pid ?? 0;
    await subject.until('it sleeps', () => statusOf(pid).get('Name') === 'sleep');
    expect([most, 'unlimited']).toContain(limitsOf(pid).get('Max open files')?.[1]);
  });

  it('says so by a newline on its descriptor, when it is ready', async () => {
    const spec = { ...service(), ready: { probe: { type: 'fd', fd: 5 }, timeout: millis(30_000) } } as const;
    order(sh('sleep 0.2; printf starting >&5; sleep 0.2; echo >&5; exec 5>&-; exec sleep 600'), spec);
    const spawned = of('spawned')[0];
    if (spawned === undefined) throw new Error('it was not started');
    subject.kernel.perform({ type: 'awaitReady', spec, process: spawned.process });
    await subject.until('it is ready', () => of('becameReady').length > 0);
    expect(of('becameReady')).toEqual([{ type: 'becameReady', service: 'web', process: spawned.process }]);
    expect(readdirSync(`/proc/${spawned.process.pid}/fd`)).not.toContain('6');
  });

  it('is not ready by closing its descriptor without a word, nor is it by dying', async () => {
    const spec = { ...service(), ready: { probe: { type: 'fd', fd: 3 }, timeout: millis(30_000) } } as const;
    order(sh('printf hello >&3; exec 3>&-; exit 0'), spec);
    for (const { process } of of('spawned')) subject.kernel.perform({ type: 'awaitReady', spec, process });
    await subject.until('it has ended', () => of('exited').length > 0);
    await subject.quiet();
    expect(of('becameReady')).toEqual([]);
  });
});

const readStatField = (pid: number, field: number): string => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[field - 3] ?? '';
};

describe.skipIf(!isRoot)('a process of another user', () => {
  const ids = (id: number): string => Array(4).fill(id).join('\t');

  it('has that user’s uid, gid and groups, and none of root’s', async () => {
    const status = statusOf(await sleeping({ user: 'nobody' }));
    expect([status.get('Uid'), status.get('Gid'), status.get('Groups')]).toEqual([
      ids(NOBODY),
      ids(NOBODY),
      String(NOBODY),
    ]);
    expect(status.get('CapEff')).toBe('0000000000000000');
    expect(status.get('CapInh')).toBe('0000000000000000');
  });

  it('has the groups that were written instead', async () => {
    const status = statusOf(await sleeping({ user: 'nobody', group: 'daemon', groups: ['mail', 'bin'] }));
    const gid = (name: string): string =>
      new RegExp(`^${name}:[^:]*:(\\d+):`, 'm').exec(readFileSync('/etc/group', 'utf8'))?.[1] ?? '';
    expect(status.get('Gid')).toBe(ids(Number(gid('daemon'))));
    const groups = new Set(status.get('Groups')?.split(' '));
    for (const name of ['mail', 'bin']) expect(groups).toContain(gid(name));
    expect(groups).not.toContain('0');
    expect(groups).not.toContain(String(NOBODY));
  });

  it('has a home, a name and a shell of its own', async () => {
    const env = environmentOf(await sleeping({ user: 'daemon' }));
    expect([env.get('USER'), env.get('LOGNAME'), env.get('HOME')]).toEqual(['daemon', 'daemon', '/usr/sbin']);
  });

  it('has a number that nobody has a name for, where that is written', async () => {
    const status = statusOf(await sleeping({ user: '54321' }));
    expect([status.get('Uid'), status.get('Gid')]).toEqual([ids(54321), ids(54321)]);
  });

  it('keeps the capabilities that it is given, as ambient ones', async () => {
    const status = statusOf(await sleeping({ user: 'nobody', capabilities: ['net_bind_service'] }));
    const only = (1n << 10n).toString(16).padStart(16, '0'); // CAP_NET_BIND_SERVICE
    for (const field of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect([field, status.get(field)]).toEqual([field, only]);
  });

  it('has none at all where none are written, not even in the bounding set', async () => {
    const status = statusOf(await sleeping({ capabilities: [] }));
    for (const field of ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect([field, status.get(field)]).toEqual([field, '0000000000000000']);
  });

  it('cannot win new privileges where that is written', async () => {
    expect(statusOf(await sleeping({ user: 'nobody', noNewPrivileges: 'yes' })).get('NoNewPrivs')).toBe('1');
    expect(statusOf(await sleeping({ user: 'nobody' })).get('NoNewPrivs')).toBe('0');
  });

  it('has signals at their default, its limits and no stray descriptor behind both hops too', async () => {
    const pid = await sleeping({ user: 'nobody', limits: { nproc: { soft: 5000, hard: 5000 } }, umask: 0o077 });
    expect(statusOf(pid).get('SigIgn')).toBe('0000000000000000');
    expect(statusOf(pid).get('Umask')).toBe('0077');
    expect(limitsOf(pid).get('Max processes')).toEqual(['5000', '5000']);
    expect(await descriptorsOf(pid)).toHaveLength(3);
    expect(readStatField(pid, 6)).toBe(String(pid));
  });

  it('gets its arguments whole, blanks, quotes and newlines with them', async () => {
    const words = ['a b', "it's", '"', '$HOME', 'x\ny', '--', ''];
    const path = join(subject.home, 'words');
    writeFileSync(path, '');
    chmodSync(path, 0o666);
    await codeOf(exec('/bin/sh', '-c', 'out=$1; shift; printf "%s\\0" "$@" > "$out"', 'sh', path, ...words), {
      user: 'nobody',
    });
    expect(readFileSync(path, 'utf8')).toBe(words.map((word) => `${word}\0`).join(''));
  });

  it('is the user of a single command, where a command names one', async () => {
    const pid = await start({ ...exec('/bin/sleep', '600'), user: 'nobody' });
    expect(statusOf(pid).get('Uid')).toBe(ids(NOBODY));
  });
});

describe('a start that cannot succeed (supervisors 4)', () => {
  it('names a program that is not there', () => {
    expect(refusal(exec('/usr/sbin/no-such-thing'))).toEqual({
      errno: 'ENOENT',
      detail: expect.stringContaining('/usr/sbin/no-such-thing'),
    });
  });

  it('names one that is in no directory of PATH', () => {
    expect(refusal(exec('no-such-thing'))).toEqual({
      errno: 'ENOENT',
      detail: expect.stringContaining('no-such-thing'),
    });
  });

  it('names one that is not executable', () => {
    const path = join(subject.home, 'plain');
    writeFileSync(path, 'text', { mode: 0o644 });
    expect(refusal(exec(path))).toEqual({ errno: 'EACCES', detail: expect.stringContaining(path) });
    subject.kernel.perform(spawning(service(), exec(subject.home), { generation: 2 }));
    expect(of('spawnFailed')[1]).toMatchObject({ errno: 'EACCES', detail: expect.stringContaining('directory') });
  });

  it('names one that is being written', async () => {
    const path = join(subject.home, 'busy');
    writeFileSync(path, readFileSync('/bin/sleep'), { mode: 0o755 });
    const writer = openSync(path, 'r+');
    try {
      expect(refusal(exec(path, '1'))).toEqual({ errno: 'ETXTBSY', detail: expect.stringContaining(path) });
    } finally {
      closeSync(writer);
    }
    // And it is no more once the writer is through.
    await start(exec(path, '600'), service(), 'busy');
  });

  it('names a script whose interpreter is missing, and one that has none', () => {
    const lost = script(subject, 'lost', '#!/no/such/interpreter\n');
    expect(refusal(exec(lost))).toEqual({ errno: 'ENOENT', detail: expect.stringContaining('interpreter') });
    const plain = script(subject, 'none', 'exit 0\n');
    subject.kernel.perform(spawning(service(), exec(plain), { generation: 2 }));
    expect(of('spawnFailed')[1]).toMatchObject({ errno: 'ENOEXEC', detail: expect.stringContaining(plain) });
  });

  it('names a directory that is missing, or is none', () => {
    const cwd = join(subject.home, 'gone');
    expect(refusal(exec('/bin/true'), { cwd })).toEqual({ errno: 'ENOENT', detail: expect.stringContaining(cwd) });
    writeFileSync(cwd, '');
    subject.kernel.perform(spawning(service({ cwd }), exec('/bin/true'), { generation: 2 }));
    expect(of('spawnFailed')[1]).toMatchObject({ errno: 'ENOTDIR', detail: expect.stringContaining(cwd) });
  });

  it('names a user, a group and an extra group that do not exist', () => {
    const names = [{ user: 'no-such-user' }, { group: 'no-such-group' }, { groups: ['no-such-extra'] }] as const;
    for (const wish of names) order(exec('/bin/true'), service(wish));
    expect(of('spawnFailed').map(({ detail }) => detail)).toEqual([
      expect.stringContaining('no-such-user'),
      expect.stringContaining('no-such-group'),
      expect.stringContaining('no-such-extra'),
    ]);
  });

  it('names an env file that is missing', () => {
    const path = join(tmpdir(), 'no-such.env');
    expect(refusal(exec('/bin/true'), { envFiles: [path] })).toEqual({
      errno: 'ENOENT',
      detail: expect.stringContaining(path),
    });
  });

  it.skipIf(!isRoot)('names an env file that somebody else could have written', () => {
    const path = join(subject.home, 'open.env');
    writeFileSync(path, 'LD_PRELOAD=/tmp/x.so\n');
    chmodSync(path, 0o666);
    expect(refusal(exec('/bin/true'), { envFiles: [path] })).toEqual({
      errno: 'EPERM',
      detail: expect.stringContaining(path),
    });
  });

  it.skipIf(!isRoot)('names a program that the service’s user may not run, before its user is changed', () => {
    const dir = join(subject.home, 'private');
    mkdirSync(dir, { mode: 0o700 });
    const path = join(dir, 'tool');
    writeFileSync(path, '#!/bin/sh\n', { mode: 0o755 });
    expect(refusal(exec(path), { user: 'nobody' })).toEqual({
      errno: 'EACCES',
      detail: expect.stringContaining('nobody'),
    });
  });

  it.skipIf(isRoot)('says that only root may run it as somebody else', () => {
    expect(refusal(exec('/bin/true'), { user: 'root' })).toEqual({
      errno: 'EPERM',
      detail: expect.stringContaining('root'),
    });
  });

  it('is told of arguments that are too long for the kernel', () => {
    const { errno } = refusal(exec('/bin/true', 'x'.repeat(4 * 1024 * 1024)));
    expect(errno).toBe('E2BIG');
  });

  it('leaves nothing behind: the next one starts', async () => {
    for (let i = 0; i < 20; i++) order(exec('/no/such/program'));
    expect(of('spawnFailed')).toHaveLength(20);
    expect(await codeOf(sh('exit 4'))).toBe(4);
    expect(subject.reports).toEqual([]);
  });
});

describe('a command beside a service', () => {
  it('is told by its exit status', async () => {
    const { signal } = new AbortController();
    expect(await subject.kernel.run(sh('exit 6'), service(), signal)).toEqual({ type: 'exited', code: 6 });
    expect(await subject.kernel.run(exec('/no/such/program'), service(), signal)).toEqual({ type: 'unknown' });
  });

  it('is killed with all that it started, when it is given up', async () => {
    const control = new AbortController();
    const path = join(subject.home, 'pids');
    const ran = subject.kernel.run(sh('sleep 600 & echo $! > "$1"; wait', path), service(), control.signal);
    const pid = Number(await written(path));
    control.abort();
    expect(await ran).toEqual({ type: 'signaled', signal: 'SIGKILL', coreDumped: false });
    await until('its child is gone', () => !isThere(pid));
  });
});

describe('the command that stands for a failed heartbeat', () => {
  const react = async (command: Command): Promise<string | null> => {
    const before = of('reacted').length;
    const env = { UPKEEP_HEARTBEAT: 'page', UPKEEP_DETAIL: '500 instead of 200-399' };
    subject.kernel.perform({ type: 'react', spec: service(), heartbeat: 'page', command, env });
    await subject.until('it has ended', () => of('reacted').length > before);
    const reacted = of('reacted')[before];
    expect(reacted).toMatchObject({ service: 'web', heartbeat: 'page' });
    return reacted?.problem ?? null;
  };

  it('knows what it is run for', async () => {
    const path = join(subject.home, 'told');
    expect(
      await react(sh('echo "$UPKEEP_SERVICE $UPKEEP_ROLE $UPKEEP_HEARTBEAT: $UPKEEP_DETAIL" > "$1"', path)),
    ).toBeNull();
    expect(await written(path)).toBe('web react page: 500 instead of 200-399\n');
  });

  it('says what went wrong with it', async () => {
    expect(await react(sh('exit 3'))).toBe('exit code 3');
    expect(await react(sh('kill -TERM $$'))).toBe('killed by SIGTERM');
    expect(await react(exec('/no/such/program'))).toBe('/no/such/program: no such file');
  });

  it('is killed with its group at its deadline', async () => {
    const path = join(subject.home, 'pids');
    const hanging = { ...sh('sleep 600 & echo $! > "$1"; wait', path), timeout: millis(1500) };
    expect(await react(hanging)).toBe('did not end within 1.5 s, killed');
    const pid = Number(await written(path));
    await until('its child is gone', () => !isThere(pid));
  });

  it('is not given up with the questions of its service, which it may restart itself', async () => {
    const path = join(subject.home, 'over');
    const ended = react(sh('sleep 0.5; echo over > "$1"', path));
    subject.kernel.perform({ type: 'stopAsking', service: service().name });
    expect(await ended).toBeNull();
  });
});

function isThere(pid: number): boolean {
  try {
    return statusOf(pid).get('State')?.startsWith('Z') === false;
  } catch {
    return false;
  }
}

describe('the keeper', () => {
  it('is not held by a start: its own children end as ever', async () => {
    const child = spawn('/bin/sh', ['-c', 'exit 5']);
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    for (let i = 0; i < 10; i++) order(sh('exit 0'));
    expect(await ended).toBe(5);
    await subject.until('all have ended', () => of('exited').length === 10);
  });
});
