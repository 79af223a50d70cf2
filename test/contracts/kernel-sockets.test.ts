// The sockets that are held for services, on this machine: what a program finds, what survives whom, and what is said where
// one cannot be had. Cases are those of graceful.md 6.

import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServiceEvent } from '../../src/core/event.js';
import type { ProcessRef } from '../../src/core/process.js';
import type { SocketSpec } from '../../src/core/socket.js';
import type { Command, ServiceSpec } from '../../src/core/spec.js';
import { holdersOf } from '../../src/kernel/holder-process.js';
import { readStat } from '../../src/kernel/identity.js';
import { environmentOf } from '../../src/kernel/processes-of.js';
import { supervised } from '../support/builders.js';
import { exec, makeRealKernel, type RealSubject, sh, spawning, until, written } from '../support/real-kernel.js';

const CHECKER = fileURLToPath(new URL('../support/listen-checker.pl', import.meta.url));
const isRoot = process.geteuid?.() === 0;

let subject: RealSubject;
beforeEach(() => {
  subject = makeRealKernel([]);
});
afterEach(() => subject.close());

const of = <T extends ServiceEvent['type']>(type: T): readonly Extract<ServiceEvent, { type: T }>[] =>
  subject.events.filter((event): event is Extract<ServiceEvent, { type: T }> => event.type === type);

type Wish = Partial<Omit<SocketSpec, 'address'>>;

const plain = { backlog: 64, lazy: 'no', freebind: 'no', reusePort: 'no' } as const;

const tcp = (port: number, host: string | null = '127.0.0.1', wish: Wish = {}): SocketSpec => ({
  name: 'http',
  ...plain,
  address: { type: 'tcp', host, port },
  ...wish,
});
const udp = (port: number, wish: Wish = {}): SocketSpec => ({
  ...tcp(port, '127.0.0.1', wish),
  address: { type: 'udp', host: '127.0.0.1', port },
});
const unix = (
  path: string,
  wish: Wish & { readonly mode?: number; readonly type?: 'stream' | 'datagram' } = {},
): SocketSpec => {
  const { mode = 0o666, type = 'stream', ...rest } = wish;
  return { name: 'unix', ...plain, address: { type, path, mode, user: null, group: null }, ...rest };
};

const web = (...sockets: readonly SocketSpec[]): ServiceSpec => supervised({ name: 'web', sockets });

/** Nobody has it now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

let generation = 0;
async function prepare(spec: ServiceSpec): Promise<string | null> {
  generation += 1;
  const wanted = generation;
  subject.kernel.perform({ type: 'prepare', spec, generation });
  const answer = () => of('prepared').find((event) => event.generation === wanted);
  await subject.until('it is prepared', () => answer() !== undefined);
  return answer()?.problem ?? null;
}

function start(spec: ServiceSpec, command: Command): ProcessRef {
  const failures = of('spawnFailed').length;
  subject.kernel.perform(spawning(spec, command));
  const failure = of('spawnFailed')[failures];
  if (failure !== undefined) throw new Error(failure.detail);
  const spawned = of('spawned').at(-1)?.process;
  if (spawned === undefined) throw new Error('nothing was started');
  return spawned;
}

const close = (spec: ServiceSpec): void => subject.kernel.perform({ type: 'closeSockets', spec });

async function end(target: ProcessRef): Promise<void> {
  const before = of('exited').length;
  subject.kill(target, 'SIGKILL');
  await subject.until(`${target.pid} has ended`, () => of('exited').length > before);
}

/** What a program finds that is started with the sockets of this service. */
async function found(spec: ServiceSpec): Promise<{ readonly said: readonly string[]; readonly process: ProcessRef }> {
  expect(await prepare(spec)).toBeNull();
  const file = join(subject.home, `said-${generation}`);
  const process = start(spec, exec('/usr/bin/perl', CHECKER, file));
  return { process, said: (await written(file)).trim().split('\n') };
}

const accepting = (): Command => exec('/usr/bin/perl', CHECKER, join(subject.home, 'accepting'), 'accept');

/** Asks until the end of the answer; the pid of who served it. */
function ask(to: { readonly port: number } | { readonly path: string }): {
  readonly socket: Socket;
  readonly answer: Promise<number>;
} {
  const socket = 'port' in to ? connect(to.port, '127.0.0.1') : connect(to.path);
  const answer = new Promise<number>((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (data) => {
      text += String(data);
    });
    socket.on('end', () => resolve(Number(text)));
    socket.on('error', reject);
  });
  return { socket, answer };
}

const socketsOf = (pid: number | 'self'): readonly string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return target.startsWith('socket:') ? [target] : [];
    } catch {
      return [];
    }
  });

const holders = (): readonly ProcessRef[] => holdersOf(subject.home, subject.features);
const record = (): { readonly entries: readonly unknown[] } | null => {
  const path = join(subject.home, 'held.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
};
const held = (count: number): Promise<void> =>
  subject.until(
    `${count} are held`,
    () => (record()?.entries.length ?? 0) === count && holders().length === (count > 0 ? 1 : 0),
  );

describe('a service with sockets', () => {
  it('finds them from 3 on, in the order of its definition, with their names and its own pid (B1, B3)', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const [path, log] = [join(subject.home, 'web.sock'), join(subject.home, 'log.sock')];
    const { said } = await found(
      web(
        tcp(a),
        unix(path, { name: 'admin' }),
        udp(b, { name: 'dns' }),
        unix(log, { name: 'dns', type: 'datagram' }),
        unix(`@upkeep-test-${process.pid}`, { name: 'hidden' }),
      ),
    );
    expect(said).toEqual([
      'pid mine',
      'fds 5',
      'names http:admin:dns:dns:hidden',
      `3 stream listens blocks 127.0.0.1|${a}`,
      `4 stream listens blocks ${path}`,
      `5 datagram blocks 127.0.0.1|${b}`,
      `6 datagram blocks ${log}`,
      `7 stream listens blocks @upkeep-test-${process.pid}`,
    ]);
  });

  it.skipIf(!existsSync('/usr/bin/systemd-socket-activate'))(
    'finds what systemd-socket-activate(1) gives it (B1)',
    async () => {
      const [port, other] = [await freePort(), await freePort()];
      const path = join(subject.home, 'web.sock');
      const file = join(subject.home, 'systemd');
      const theirs = spawn(
        '/usr/bin/systemd-socket-activate',
        [...['-l', `127.0.0.1:${port}`, '-l', path, '--fdname=http:unix'], ...['/usr/bin/perl', CHECKER, file]],
        { stdio: 'ignore', env: { ...process.env, UPKEEP_TOKEN: 'test' } },
      );
      await subject.until('it listens', () => existsSync(path));
      const client = ask({ path });
      client.answer.catch(() => {});
      const said = (await written(file)).trim().split('\n');
      theirs.kill('SIGKILL');
      client.socket.destroy();
      rmSync(path);
      const ours = await found(web(tcp(other), unix(path)));
      expect(ours.said.map((line) => line.replace(String(other), String(port)))).toEqual(said);
    },
  );

  it('has nothing in its environment that a shell would have put there, or have taken from it', async () => {
    const odd = { 'a.b': 'c', 'x-y': '1', PWD: '/not/here', IFS: ',', OPTIND: '3', A_1: ' two  words\n' };
    const names = (pid: number): readonly string[] =>
      readFileSync(`/proc/${pid}/environ`, 'latin1')
        .split('\0')
        .map((word) => word.split('=')[0] ?? '')
        .filter((name) => name !== '' && !name.startsWith('UPKEEP_'))
        .sort();
    const bare = start(web(), exec('/bin/sleep', '600'));
    const spec = web(tcp(await freePort()));
    expect(await prepare(spec)).toBeNull();
    const started = start(spec, exec('/bin/sleep', '600'));
    await subject.until(
      'it is itself',
      () => readStat(started.pid)?.comm === 'sleep' && readStat(bare.pid)?.comm === 'sleep',
    );
    await subject.until('its environment is there', () => names(started.pid).length > 0 && names(bare.pid).length > 0);
    expect(names(started.pid)).toEqual([...names(bare.pid), 'LISTEN_FDNAMES', 'LISTEN_FDS', 'LISTEN_PID'].sort());
    expect(readFileSync(`/proc/${started.pid}/cmdline`, 'latin1')).toBe('/bin/sleep\x00600\0');

    const settings = { ...spec.settings, env: odd };
    const withOdd = start({ ...spec, settings }, exec('sleep', '600'));
    await subject.until('it is itself', () => readStat(withOdd.pid)?.comm === 'sleep');
    await subject.until('its environment is there', () => names(withOdd.pid).length > 0);
    const variable = environmentOf(withOdd.pid);
    expect(Object.fromEntries(Object.keys(odd).map((name) => [name, variable(name)]))).toEqual(odd);
    expect(variable('LISTEN_PID')).toBe(String(withOdd.pid));
    expect(readFileSync(`/proc/${withOdd.pid}/cmdline`, 'latin1')).toBe('sleep\x00600\0');
  });

  it('is told its own pid for its watchdog, without any socket', async () => {
    const watched = { ...web(), watchdog: 3000 } as ServiceSpec;
    const started = start(watched, exec('/bin/sleep', '600'));
    await subject.until('it is itself', () => readStat(started.pid)?.comm === 'sleep');
    await subject.until(
      'it has its environment',
      () => environmentOf(started.pid)('WATCHDOG_PID') === String(started.pid),
    );
    expect(environmentOf(started.pid)('LISTEN_PID')).toBeNull();
  });

  it.each([100, 254])('may have %i of them, and they arrive in order (B10)', async (count) => {
    const paths = Array.from({ length: count }, (_, i) => join(subject.home, `s${i}`));
    const { said } = await found(web(...paths.map((path, i) => unix(path, { name: `n${i}` }))));
    expect(said[1]).toBe(`fds ${count}`);
    expect(said[2]).toBe(`names ${paths.map((_, i) => `n${i}`).join(':')}`);
    expect(said.slice(3)).toEqual(paths.map((path, i) => `${i + 3} stream listens blocks ${path}`));
  });

  it('gives the file of `ready: {fd}` a number of its own, or says which are free', async () => {
    const spec = web(tcp(await freePort()));
    expect(await prepare(spec)).toBeNull();
    const ready = (fd: number): ServiceSpec => ({ ...spec, ready: { ...spec.ready, probe: { type: 'fd', fd } } });
    expect(() => start(ready(3), exec('/bin/sleep', '600'))).toThrow(/`ready: \{fd: 3\}` .* write 4, or one above/);
    start(ready(4), sh('echo >&4; sleep 600'));
    const file = join(subject.home, 'ready/web');
    await subject.until('it has said so', () => existsSync(file) && readFileSync(file).length === 1);
  });

  it('meets no O_NONBLOCK of the one before it (B4), and takes none from one that lives beside it', async () => {
    const spec = web(tcp(await freePort()));
    expect(await prepare(spec)).toBeNull();
    const code = `require('net').createServer().listen({ fd: 3 }, () => require('fs').writeFileSync(process.argv[1], 'it\\n'))`;
    const node = start(spec, exec(process.execPath, '-e', code, join(subject.home, 'listens')));
    await written(join(subject.home, 'listens'));
    const beside = await found(spec);
    expect(beside.said[3]).not.toContain('blocks');
    await end(node);
    await end(beside.process);
    expect((await found(spec)).said[3]).toContain('blocks');
  });

  // A program that signals its parent where LISTEN_FDS is set, as those with facebookgo/grace do.
  it.skipIf(!isRoot)('has no right to signal the keeper where it has a user of its own (B11)', async () => {
    const spec = web(tcp(await freePort()));
    expect(await prepare(spec)).toBeNull();
    const settings = { ...spec.settings, user: '65534' };
    start({ ...spec, settings }, sh('kill -TERM $PPID 2> /dev/null && exit 1; exit 0'));
    await subject.until('it has ended', () => of('exited').length > 0);
    expect(of('exited')[0]?.evidence.status).toEqual({ type: 'exited', code: 0 });
  });
});

describe('a held socket', () => {
  it('takes connections while nothing runs, and the next one serves them (B5)', async () => {
    const port = await freePort();
    const spec = web(tcp(port));
    expect(await prepare(spec)).toBeNull();
    const first = ask({ port });
    const one = start(spec, accepting());
    expect(await first.answer).toBe(one.pid);
    await end(one);
    const asked = Array.from({ length: 20 }, () => ask({ port }));
    expect(await prepare(spec)).toBeNull();
    const two = start(spec, accepting());
    expect(new Set(await Promise.all(asked.map(({ answer }) => answer)))).toEqual(new Set([two.pid]));
  });

  it('keeps its path over restarts, and loses it when it is closed (B6)', async () => {
    const path = join(subject.home, 'deep/er/web.sock');
    const spec = web(unix(path, { mode: 0o640 }));
    const { process: one } = await found(spec);
    const before = lstatSync(path);
    expect(before.mode & 0o777).toBe(0o640);
    await end(one);
    const { process: two } = await found(spec);
    expect(lstatSync(path).ino).toBe(before.ino);
    await end(two);
    close(spec);
    await subject.until('its path is removed', () => !existsSync(path));
    await held(0);
  });

  it('is made anew where its path was removed', async () => {
    const path = join(subject.home, 'web.sock');
    const spec = web(unix(path));
    expect(await prepare(spec)).toBeNull();
    rmSync(path);
    expect(await prepare(spec)).toBeNull();
    start(spec, accepting());
    expect(await ask({ path }).answer).toBeGreaterThan(1);
  });

  it('stays as long as one of its pool is not stopped', async () => {
    const path = join(subject.home, 'web.sock');
    const member = (index: number): ServiceSpec =>
      supervised({ name: `web@${index}`, pool: { name: 'web', index, of: 2 }, sockets: [unix(path)] });
    expect(await prepare(member(1))).toBeNull();
    const { ino } = lstatSync(path);
    expect(await prepare(member(2))).toBeNull();
    expect(lstatSync(path).ino).toBe(ino);
    close(member(1));
    await subject.quiet();
    expect(lstatSync(path).ino).toBe(ino);
    close(member(2));
    await subject.until('its path is removed', () => !existsSync(path));
  });

  it('is another one when its address is, and the one of before is closed', async () => {
    const [a, b] = [join(subject.home, 'a.sock'), join(subject.home, 'b.sock')];
    const port = await freePort();
    const { process: one } = await found(web(tcp(port), unix(a)));
    // Who still runs keeps what it was given, until it ends or a next one runs without it.
    expect(await prepare(web(tcp(port), unix(b)))).toBeNull();
    expect([existsSync(a), existsSync(b)]).toEqual([true, true]);
    await end(one);
    const { said } = await found(web(tcp(port), unix(b)));
    expect(said.slice(3)).toEqual([`3 stream listens blocks 127.0.0.1|${port}`, `4 stream listens blocks ${b}`]);
    await subject.until('the first is gone', () => !existsSync(a));
    await held(2);
  });

  it('leaves none of its descriptors behind', async () => {
    const port = await freePort();
    const before = socketsOf('self').length;
    for (let i = 0; i < 20; i++) {
      const spec = web(tcp(port), unix(join(subject.home, `s${i}`)));
      expect(await prepare(spec)).toBeNull();
      close(spec);
    }
    await subject.until('all are closed', () => socketsOf('self').length === before);
    await held(0);
    expect(record()).toBeNull();
  });
});

describe('a lazy socket', () => {
  const wait = (spec: ServiceSpec): void => subject.kernel.perform({ type: 'awaitConnection', spec });

  it.each([
    [
      'a connection',
      async (port: number) => ask({ port }).answer.catch(() => {}),
      (port: number) => tcp(port, '127.0.0.1', { lazy: 'yes' }),
    ],
    [
      'a datagram',
      async (port: number) => {
        const sender = createSocket('udp4');
        sender.send('?', port, '127.0.0.1', () => sender.close());
      },
      (port: number) => udp(port, { lazy: 'yes' }),
    ],
  ] as const)('tells once of %s', async (_what, knock, socket) => {
    const port = await freePort();
    const spec = web(socket(port));
    expect(await prepare(spec)).toBeNull();
    wait(spec);
    await subject.quiet();
    expect(of('connected')).toEqual([]);
    void knock(port);
    void knock(port);
    await subject.until('it is told', () => of('connected').length > 0);
    await subject.quiet();
    expect(of('connected')).toHaveLength(1);
  });

  it('tells nothing any more when nobody asks, and all members of a pool when one does', async () => {
    const port = await freePort();
    const member = (index: number): ServiceSpec =>
      supervised({
        name: `web@${index}`,
        pool: { name: 'web', index, of: 2 },
        sockets: [tcp(port, '127.0.0.1', { lazy: 'yes' })],
      });
    for (const index of [1, 2, 3]) {
      expect(await prepare(member(index))).toBeNull();
      wait(member(index));
    }
    subject.kernel.perform({ type: 'stopAwaitingConnection', service: member(3).name });
    const { socket } = ask({ port });
    await subject.until('both are told', () => of('connected').length === 2);
    await subject.quiet();
    expect(of('connected').map(({ service }) => service)).toEqual(['web@1', 'web@2']);
    socket.destroy();
  });
});

describe('a socket that cannot be had', () => {
  it('names who has its port, and what would do', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const other = supervised({ name: 'other', sockets: [unix(join(subject.home, 'other.sock'))] });
    expect(await prepare(other)).toBeNull();
    const theirs = start(other, accepting());
    await written(join(subject.home, 'accepting'));
    expect(await prepare(web(tcp(port)))).toBe(
      `its socket http cannot be opened: 127.0.0.1:${port} is taken by another service, for which Upkeep holds it: stop that one, or choose another`,
    );
    expect(await prepare(web(unix(join(subject.home, 'other.sock'))))).toMatch(
      new RegExp(
        `^its socket unix cannot be opened: ${subject.home}/other.sock is taken by perl \\(pid ${theirs.pid}\\): stop`,
      ),
    );
    server.close();
    // Nor was it disturbed by the question.
    expect(await ask({ path: join(subject.home, 'other.sock') }).answer).toBe(theirs.pid);
  });

  it('says where an address is not of this host, and `freebind` takes it all the same', async () => {
    const port = await freePort();
    expect(await prepare(web(tcp(port, '192.0.2.7')))).toMatch(
      /no interface of this host has the address of 192\.0\.2\.7:\d+: .*`freebind: true`/,
    );
    expect(await prepare(web(tcp(port, '192.0.2.7', { freebind: 'yes' })))).toBeNull();
    expect(await prepare(web(tcp(port, '2001:db8::7', { freebind: 'yes' })))).toBeNull();
  });

  const firstFree = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1'));
  it.skipIf(isRoot || firstFree <= 80)('says what would do for a port that is root’s', async () => {
    expect(await prepare(web(tcp(80)))).toBe(
      `its socket http cannot be opened: a port below ${firstFree} is for root and for who has CAP_NET_BIND_SERVICE: ` +
        'run the keeper as root, choose another port than 80, or lower net.ipv4.ip_unprivileged_port_start',
    );
  });

  it('takes no name for an address, save localhost', async () => {
    const port = await freePort();
    expect(await prepare(web(tcp(port, 'example.org')))).toMatch(
      /^its socket http: example\.org:\d+ is a name, .*: write the address/,
    );
    expect((await found(web(tcp(port, 'localhost')))).said[3]).toContain(`127.0.0.1|${port}`);
  });

  it('without a host is one for both families; an address of IPv6 is that one alone', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const { said } = await found(web(tcp(a, null), tcp(b, '::1')));
    expect(said.slice(3)).toEqual([`3 stream listens blocks ::|${a}`, `4 stream listens blocks ::1|${b}`]);
    const { socket, answer } = ask({ port: a });
    answer.catch(() => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.destroy();
  });

  it('may share its port with others that say so too', async () => {
    const port = await freePort();
    const of = (name: string, reusePort: 'yes' | 'no'): ServiceSpec =>
      supervised({ name, sockets: [tcp(port, '127.0.0.1', { reusePort })] });
    expect(await prepare(of('one', 'yes'))).toBeNull();
    expect(await prepare(of('two', 'yes'))).toBeNull();
    expect(await prepare(of('three', 'no'))).toContain('is taken by');
  });

  it('removes a path on which nobody listens, and nothing else', async () => {
    const at = (name: string): string => join(subject.home, name);
    const stale = spawnSync('/usr/bin/perl', [
      '-MSocket',
      '-e',
      'socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un($ARGV[0])) or die',
      at('stale'),
    ]);
    expect(stale.status).toBe(0);
    expect(await prepare(web(unix(at('stale'))))).toBeNull();

    writeFileSync(at('file'), 'precious');
    expect(await prepare(web(unix(at('file'))))).toMatch(/file is there and is no socket: remove it by hand/);
    symlinkSync(at('file'), at('link'));
    expect(await prepare(web(unix(at('link'))))).toMatch(/link is there and is no socket/);
    mkdirSync(at('directory'));
    expect(await prepare(web(unix(at('directory'))))).toMatch(/directory is there and is no socket/);
    expect(readFileSync(at('file'), 'utf8')).toBe('precious');
    const long = `/tmp/${'x'.repeat(120)}`;
    expect(await prepare(web(unix(long)))).toMatch(/has 125 bytes, and the path of a socket has at most 107/);
  });

  it.skipIf(!isRoot)('belongs to the user of its service, and no other user’s is removed', async () => {
    const directory = join(subject.home, 'shared');
    mkdirSync(directory);
    chmodSync(directory, 0o1777);
    const spec = web(unix(join(directory, 'web.sock'), { mode: 0o600 }));
    const settings = { ...spec.settings, user: '65534', group: '65534' };
    expect(await prepare({ ...spec, settings })).toBeNull();
    const { uid, gid, mode } = lstatSync(join(directory, 'web.sock'));
    expect([uid, gid, mode & 0o777]).toEqual([65534, 65534, 0o600]);

    const theirs = join(directory, 'theirs');
    const bind = 'socket(S, PF_UNIX, SOCK_STREAM, 0); $> = 1; bind(S, sockaddr_un($ARGV[0])) or die';
    expect(spawnSync('/usr/bin/perl', ['-MSocket', '-e', bind, theirs]).status).toBe(0);
    expect(await prepare(web(unix(theirs)))).toMatch(/theirs is a socket of user \S+ \(1\): remove it by hand/);
  });
});

const RUNGS: readonly (readonly [name: string, without: readonly string[]])[] = [
  ['all features', []],
  ['Debian 12’s 6.1', ['pidfdInfo', 'pidfdInode']],
  ['uvPoll on the pool', ['uvPoll']],
];

for (const [name, without] of RUNGS) {
  describe(`the holder (${name})`, () => {
    beforeEach(async () => {
      await subject.close();
      subject = makeRealKernel(without);
    });

    it('has what is held, and nothing else, and is no more when nothing is', async () => {
      const spec = web(tcp(await freePort()), unix(join(subject.home, 'web.sock')));
      expect(await prepare(spec)).toBeNull();
      await held(2);
      const [holder] = holders();
      expect(readdirSync(`/proc/${holder?.pid}/fd`)).toHaveLength(5);
      close(spec);
      await held(0);
      expect(record()).toBeNull();
    });

    it('is not written down anew by a start that finds all as it was', async () => {
      const spec = web(tcp(await freePort()), unix(join(subject.home, 'web.sock')));
      expect(await prepare(spec)).toBeNull();
      await held(2);
      const written = statSync(join(subject.home, 'held.json')).ino;
      expect(await prepare(spec)).toBeNull();
      // Longer than it would take to be written.
      await pause(300);
      expect(statSync(join(subject.home, 'held.json')).ino).toBe(written);
    });

    it('brings the sockets over the death of the keeper: nobody is refused, nothing is opened twice (B5, B6)', async () => {
      const port = await freePort();
      const path = join(subject.home, 'web.sock');
      const spec = web(tcp(port), unix(path));
      expect(await prepare(spec)).toBeNull();
      await held(2);
      const { ino } = lstatSync(path);
      const before = new Set(socketsOf(holders()[0]?.pid ?? 0));
      const asked = [ask({ port }), ask({ path })];
      subject.succeed();
      expect(await prepare(spec)).toBeNull();
      expect(lstatSync(path).ino).toBe(ino);
      const two = start(spec, accepting());
      await subject.until('it has them', () => socketsOf(two.pid).length >= 2);
      expect(new Set(socketsOf(two.pid).slice(0, 2))).toEqual(before);
      expect(await asked[0]?.answer).toBe(two.pid);
      asked[1]?.answer.catch(() => {});
      asked[1]?.socket.destroy();
      close(spec);
      await held(0);
      await subject.until('its path is removed', () => !existsSync(path));
    });

    it('is started again when it is killed', async () => {
      const spec = web(tcp(await freePort()));
      expect(await prepare(spec)).toBeNull();
      await held(1);
      const [first] = holders();
      if (first === undefined) throw new Error('there is none');
      subject.kill(first, 'SIGKILL');
      await subject.until('there is another', () => holders().length === 1 && holders()[0]?.pid !== first.pid);
      await held(1);
    });

    it('may die with the keeper: what a living process of the service has is taken from there', async () => {
      const port = await freePort();
      const spec = web(tcp(port));
      expect(await prepare(spec)).toBeNull();
      const running = start(spec, accepting());
      await ask({ port }).answer;
      await held(1);
      for (const holder of holders()) subject.kill(holder, 'SIGKILL');
      subject.succeed();
      subject.kernel.perform({ type: 'follow', service: spec.name, process: running });
      await held(1);
      await end(running);
      const { answer } = ask({ port });
      expect(await prepare(spec)).toBeNull();
      const next = start(spec, accepting());
      expect(await answer).toBe(next.pid);
    });

    it('stands for what the file says, also while the file cannot be written', async () => {
      const [a, b] = [await freePort(), await freePort()];
      expect(await prepare(web(tcp(a)))).toBeNull();
      await held(1);
      const [first] = holders();
      // In its place: what cannot be replaced by a file.
      rmSync(join(subject.home, 'held.json'));
      mkdirSync(join(subject.home, 'held.json/x'), { recursive: true });
      expect(await prepare(web(tcp(a), tcp(b, '127.0.0.1', { name: 'other' })))).toBeNull();
      await subject.until('it is told', () =>
        subject.reports.some((text) => text.includes('would not outlive a keeper')),
      );
      expect(holders().map(({ pid }) => pid)).toContain(first?.pid);
      rmSync(join(subject.home, 'held.json'), { recursive: true });
      await held(2);
      expect(subject.reports.filter((text) => text.includes('would not outlive a keeper'))).toHaveLength(1);
    });

    it('that nobody wrote down is ended', async () => {
      const spec = web(tcp(await freePort()));
      expect(await prepare(spec)).toBeNull();
      await held(1);
      const stray = spawn('/usr/bin/setsid', ['/usr/bin/sleep', 'infinity'], {
        env: { UPKEEP_HOLDER: subject.home, UPKEEP_TOKEN: 'test' },
        stdio: 'ignore',
      });
      await until('there are two', () => holders().length === 2);
      subject.succeed();
      await subject.until('there is one', () => holders().length === 1);
      expect(holders()[0]?.pid).not.toBe(stray.pid);
    });
  });
}

describe('without pidfd_getfd', () => {
  it('nothing is held beside the keeper, and the sockets are bound anew', async () => {
    await subject.close();
    subject = makeRealKernel(['pidfdGetfd']);
    const path = join(subject.home, 'web.sock');
    const spec = web(unix(path));
    expect(await prepare(spec)).toBeNull();
    await subject.quiet();
    expect(holders()).toEqual([]);
    expect(await prepare(spec)).toBeNull();
    const running = start(spec, accepting());
    expect(await ask({ path }).answer).toBe(running.pid);
  });
});
