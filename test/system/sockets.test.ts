// The promise: whoever connects to a service is served, by this generation or the next, whatever dies in between: a process, a
// hundred of them, or the keeper. Cases are those of graceful.md 6.

import { existsSync, lstatSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { readQuietly } from '../support/running.js';

const CHECKER = fileURLToPath(new URL('../support/listen-checker.pl', import.meta.url));

/** Serves each connection of its first socket with its pid, one after the other. */
const accepting = (home: Home): readonly string[] => ['/usr/bin/perl', CHECKER, home.at('said'), 'accept'];

/** Sets O_NONBLOCK on what it is given, as every Node does. */
const NODE = `require('net').createServer((client) => client.end(process.pid + '\\n')).listen({ fd: 3 })`;
const PYTHON = `
import os, socket
listener = socket.socket(fileno=3)
while True:
    client, _ = listener.accept()
    client.sendall(b'%d\\n' % os.getpid())
    client.close()
`;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The pid of who served; rejects when it is refused, or hung up on. */
function ask(to: number | string): Promise<number> {
  return new Promise((resolve, reject) => {
    const client = typeof to === 'number' ? connect(to, '127.0.0.1') : connect(to);
    let text = '';
    client.setEncoding('utf8').on('data', (data) => {
      text += String(data);
    });
    client.on('error', reject);
    client.on('close', () => (text === '' ? reject(new Error('nobody served')) : resolve(Number(text))));
  });
}

const isRefused = (to: number | string): Promise<boolean> =>
  ask(to).then(
    () => false,
    (error: Error) => /ECONNREFUSED|ENOENT/.test(error.message),
  );

/** Nobody of it accepts any more: of a connection that it takes in its last moment it tells nobody. */
async function killed(home: Home, pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await home.until(`${pid} to be dead`, () => /^(\S+ \(.*\) Z .*)?$/s.test(readQuietly(`/proc/${pid}/stat`)));
}

const holders = (home: Home): readonly string[] =>
  readdirSync('/proc').filter(
    (pid) => /^\d+$/.test(pid) && readQuietly(`/proc/${pid}/environ`).includes(`UPKEEP_HOLDER=${home.at('run')}\0`),
  );

const said = async (home: Home): Promise<readonly string[]> => {
  await home.until('the program to say what it found', () => existsSync(home.at('said')));
  return home.read('said').trim().split('\n');
};

describe('a service with sockets', () => {
  it('finds them as under systemd (B1), and loses none while it is killed again and again (B5)', async () => {
    const home = newHome();
    const port = await freePort();
    home.configure({
      web: {
        run: accepting(home),
        sockets: { http: `127.0.0.1:${port}`, admin: { listen: home.at('admin.sock'), mode: '0600' } },
        restart: { delay: '50ms', limit: 'none', backoff: { max: '100ms' } },
      },
    });
    await home.start();
    expect(await said(home)).toEqual([
      'pid mine',
      'fds 2',
      'names http:admin',
      `3 stream listens blocks 127.0.0.1|${port}`,
      `4 stream listens blocks ${home.at('admin.sock')}`,
    ]);
    let before = await home.running('web');
    for (let i = 0; i < 10; i++) {
      await killed(home, before);
      const served = await Promise.all(Array.from({ length: 10 }, () => ask(port)));
      expect(served.every((pid) => pid !== before)).toBe(true);
      before = await home.running('web', before);
    }
  });

  it('may be Node once and python after it: a blocking accept waits (B4)', async () => {
    const home = newHome();
    const port = await freePort();
    const web = (...run: readonly string[]): void =>
      home.configure({ web: { run, sockets: { http: `127.0.0.1:${port}` } } });
    web(process.execPath, '-e', NODE);
    await home.start();
    const node = await home.running('web');
    expect(await ask(port)).toBe(node);
    web('/usr/bin/python3', '-c', PYTHON);
    expect((await home.upkeep('apply')).code).toBe(0);
    const python = await home.running('web', node);
    expect(await ask(port)).toBe(python);
    expect(await ask(port)).toBe(python);
    expect((await home.service('web')).process?.pid).toBe(python);
  });

  it('keeps its path over a restart, and has none when it is stopped (B6)', async () => {
    const home = newHome();
    const path = home.at('web.sock');
    home.configure({ web: { run: accepting(home), sockets: { unix: path } } });
    await home.start();
    const one = await home.running('web');
    const { ino } = lstatSync(path);
    expect((await home.upkeep('restart', 'web')).code).toBe(0);
    const two = await home.running('web', one);
    expect(lstatSync(path).ino).toBe(ino);
    expect(await ask(path)).toBe(two);
    expect((await home.upkeep('stop', 'web')).code).toBe(0);
    await home.until('its path to be removed', () => !existsSync(path));
    await home.until('nothing to be held', () => holders(home).length === 0);
    expect((await home.upkeep('start', 'web')).code).toBe(0);
    expect(await ask(path)).toBe(await home.running('web'));
  });

  it('is started by the first connection where its socket is lazy (B7), and not waited for where it is removed', async () => {
    const home = newHome();
    const [port, other] = [await freePort(), await freePort()];
    const lazy = (at: number) => ({
      run: accepting(home),
      sockets: { http: { listen: `127.0.0.1:${at}`, lazy: true } },
    });
    home.configure({ web: lazy(port), never: lazy(other) });
    await home.start();
    await home.when('web', ({ state }) => state === 'waiting');
    expect((await home.service('web')).process ?? null).toBeNull();
    expect(await ask(port)).toBe(await home.running('web'));
    expect((await home.service('never')).state).toBe('waiting');
    home.configure({ web: lazy(port) });
    expect((await home.upkeep('apply')).code).toBe(0);
    await home.until('its port to be closed', () => isRefused(other));
  });

  it('gets another socket with a new definition, and keeps the one that has not changed', async () => {
    const home = newHome();
    const port = await freePort();
    const web = (name: string): void =>
      home.configure({ web: { run: accepting(home), sockets: { http: `127.0.0.1:${port}`, admin: home.at(name) } } });
    web('one.sock');
    await home.start();
    const one = await home.running('web');
    const inode = (pid: number): string => readlinkSync(`/proc/${pid}/fd/3`);
    const before = inode(one);
    web('two.sock');
    expect((await home.upkeep('apply')).code).toBe(0);
    const two = await home.running('web', one);
    expect(await ask(port)).toBe(two);
    expect(inode(two)).toBe(before);
    await home.until('the first path to be removed', () => !existsSync(home.at('one.sock')));
    expect(existsSync(home.at('two.sock'))).toBe(true);
  });

  it('may be several that share them', async () => {
    const home = newHome();
    const port = await freePort();
    home.configure({ web: { run: accepting(home), instances: 3, sockets: { http: `127.0.0.1:${port}` } } });
    await home.start();
    const pids = [];
    for (const index of [1, 2, 3]) pids.push(await home.running(`web@${index}`));
    expect(pids).toContain(await ask(port));
    expect((await home.upkeep('stop', 'web@1', 'web@2')).code).toBe(0);
    expect(await ask(port)).toBe(pids[2]);
    expect((await home.upkeep('stop', 'web@3')).code).toBe(0);
    await home.until('the port to be closed', () => isRefused(port));
  });

  it('says who has its port, and starts once that is free', async () => {
    const home = newHome();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    home.configure({
      web: {
        run: accepting(home),
        sockets: { http: `127.0.0.1:${port}` },
        restart: { delay: '100ms', limit: 'none', backoff: { max: '200ms' } },
      },
    });
    const keeper = await home.start();
    await home.until('it to be told', () => keeper.said().includes(`127.0.0.1:${port} is taken by`));
    expect(keeper.said()).toContain(`(pid ${process.pid})`);
    server.close();
    const pid = await home.running('web');
    expect(await ask(port)).toBe(pid);
  });
});

describe('a keeper that is killed', () => {
  it('refuses nobody, whether the service is up or down meanwhile', async () => {
    const home = newHome();
    const [up, down] = [await freePort(), await freePort()];
    home.configure({
      up: { run: accepting(home), sockets: { http: `127.0.0.1:${up}` } },
      down: {
        run: ['sh', '-c', 'test -e "$1" || exit 7; shift; exec "$@"', 'sh', home.at('may'), ...accepting(home)],
        sockets: { http: `127.0.0.1:${down}`, unix: home.at('down.sock') },
        restart: { delay: '200ms', limit: 'none', backoff: { max: '1s' } },
      },
    });
    const first = await home.start();
    const pid = await home.running('up');
    await home.when('down', ({ state }) => state === 'backoff');
    const { ino } = lstatSync(home.at('down.sock'));
    await first.end('SIGKILL');
    expect(holders(home)).toHaveLength(1);
    const waiting = [ask(down), ask(down)];
    expect(await ask(up)).toBe(pid);
    home.write('may', '');
    await home.start();
    const served = await home.running('down');
    expect(await Promise.all(waiting)).toEqual([served, served]);
    expect(lstatSync(home.at('down.sock')).ino).toBe(ino);
    await killed(home, pid);
    const next = await ask(up);
    expect(next).toBe(await home.running('up', pid));
  });

  it('loses nothing when what held the sockets is killed with it: the service itself has them', async () => {
    const home = newHome();
    const port = await freePort();
    home.configure({ web: { run: accepting(home), sockets: { http: `127.0.0.1:${port}` } } });
    const first = await home.start();
    const pid = await home.running('web');
    await home.until('it is held', () => holders(home).length === 1);
    await first.end('SIGKILL');
    for (const holder of holders(home)) process.kill(Number(holder), 'SIGKILL');
    await home.start();
    expect(await home.running('web')).toBe(pid);
    await home.until('it is held', () => holders(home).length === 1);
    await killed(home, pid);
    expect(await ask(port)).toBe(await home.running('web', pid));
  });
});

describe('what is held', () => {
  it('outlives a keeper whose runtime directory somebody has emptied', async () => {
    const home = newHome();
    const path = home.at('web.sock');
    home.configure({ web: { run: accepting(home), sockets: { unix: path } } });
    const first = await home.start();
    const pid = await home.running('web');
    await home.until('it is held', () => existsSync(home.at('run/held.json')));
    rmSync(home.at('run'), { recursive: true });
    await home.until('it is said again', () => existsSync(home.at('run/held.json')));
    await first.end('SIGKILL');
    await killed(home, pid);
    const waiting = ask(path);
    await home.start();
    expect(await waiting).toBe(await home.running('web', pid));
  });
});

describe('a keeper that ends', () => {
  it('leaves nothing behind with its services, and all of it with `--leave`', async () => {
    const home = newHome();
    const path = home.at('web.sock');
    const [lazy, broken] = [home.at('lazy.sock'), home.at('broken.sock')];
    home.configure({
      web: { run: accepting(home), sockets: { unix: path } },
      lazy: { run: accepting(home), sockets: { unix: { listen: lazy, lazy: true } } },
      broken: { run: 'false', sockets: { unix: broken }, restart: { delay: '1h' } },
    });
    const leaving = await home.start(['--leave']);
    const pid = await home.running('web');
    await home.when('broken', ({ state }) => state === 'backoff');
    expect([lazy, broken].map((at) => existsSync(at))).toEqual([true, true]);
    await leaving.end('SIGTERM');
    expect(holders(home)).toHaveLength(1);
    expect(await ask(path)).toBe(pid);
    const staying = await home.start();
    expect(await home.running('web')).toBe(pid);
    await staying.end('SIGTERM');
    expect(holders(home)).toEqual([]);
    expect([path, lazy, broken].map((at) => existsSync(at))).toEqual([false, false, false]);
  });

  it('is replaced in place with its sockets', async () => {
    const home = newHome();
    const path = home.at('web.sock');
    home.configure({ web: { run: accepting(home), sockets: { unix: path } } });
    await home.start();
    const pid = await home.running('web');
    const { ino } = lstatSync(path);
    expect((await home.upkeep('upgrade')).code).toBe(0);
    await home.until('it answers', async () => (await home.get('/v1/status')).type === 'ok');
    expect(await home.running('web')).toBe(pid);
    await killed(home, pid);
    expect(await ask(path)).toBe(await home.running('web', pid));
    expect(lstatSync(path).ino).toBe(ino);
    expect(holders(home)).toHaveLength(1);
  });
});
