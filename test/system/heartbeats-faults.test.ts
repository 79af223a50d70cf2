// The promise: whatever goes wrong on the way to a service, or at its other end, has its right answer among the three, and no
// restart follows from what says nothing about the service. By a real keeper, its askers, and servers that misbehave.

import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { HeartbeatStatus } from '../../src/core/status.js';
import { issueCertificate } from '../support/certificate.js';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive, readQuietly, signal } from '../support/running.js';
import { talkingServer } from '../support/talking-server.js';

const isRoot = process.getuid?.() === 0;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serving(talk: string | ((socket: Socket) => void)): Promise<number> {
  const server = await talkingServer(talk);
  closers.push(server.close);
  return server.port;
}

/** Says it again and again, until nobody listens. */
const drip =
  (first: string, again: string, pause: number) =>
  (socket: Socket): void => {
    socket.write(first);
    const timer = setInterval(() => socket.write(again), pause);
    socket.once('close', () => clearInterval(timer));
  };

const service = { run: ['sleep', '100000'] };
const rules = { every: '500ms', timeout: '20s', grace: '0s', fails: 1, then: 'notice' };
const asked = (heartbeat: Readonly<Record<string, unknown>>) => ({ ...service, heartbeat: { ...rules, ...heartbeat } });

/** Once it has answered so often. */
async function answered(home: Home, name: string, times = 1): Promise<HeartbeatStatus> {
  const { health } = await home.when(name, ({ health: { heartbeats } }) =>
    heartbeats.every(({ answers }) => answers.length >= times),
  );
  const [heartbeat] = health.heartbeats;
  if (heartbeat === undefined) throw new Error(`${name} has no heartbeat`);
  return heartbeat;
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

describe('a server that', () => {
  it('misbehaves has failed, and is told how', async () => {
    const home = newHome();
    const { key, cert } = issueCertificate({ name: 'other', for: 'DNS:other.example' });
    const secure = createServer({ key, cert }, (socket) => socket.on('error', () => undefined).end(OK));
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    closers.push(() => secure.close());
    const address = secure.address();
    const securePort = typeof address === 'object' ? address?.port : 0;
    const http = async (talk: string | ((socket: Socket) => void), more = {}) =>
      asked({ http: `http://127.0.0.1:${await serving(talk)}/`, ...more });
    const cases: Readonly<Record<string, readonly [unknown, RegExp]>> = {
      sorry: [await http('HTTP/1.1 500 Oops\r\n\r\n'), /^500 instead of 200-399$/],
      shut: [await http((socket) => socket.destroy()), /^(closed by the server without an answer|reset by .*)$/],
      slow: [await http(drip('HTTP/1.1 200 OK\r\nx: ', 'y', 100), { timeout: '1s' }), /^no answer within 1 s /],
      endless: [
        await http(drip('HTTP/1.1 200 OK\r\n', `x: ${'y'.repeat(4000)}\r\n`, 5)),
        /^headers longer than 16 KiB$/,
      ],
      ring: [await http('HTTP/1.1 302 Found\r\nlocation: /ring\r\n\r\n', { redirects: 5 }), /^redirected in a ring/],
      foreign: [
        asked({ http: `https://127.0.0.1:${securePort}/` }),
        /^nobody that we trust vouches for its certificate/,
      ],
      hostile: [
        asked({ tcp: await serving('\u001b[31m\u202ered\u0007\u009b2J'), expect: 'never' }),
        /^closed after 16 bytes that do not match \/never\/: " \[31m red 2J"$/,
      ],
    };
    home.configure(Object.fromEntries(Object.entries(cases).map(([name, [one]]) => [name, one])));
    await home.start();
    for (const [name, [, detail]] of Object.entries(cases)) {
      expect(await answered(home, name)).toMatchObject({ result: 'failed', detail: expect.stringMatching(detail) });
    }
  });

  it('says what a pattern never comes to an end with takes no time from the others', async () => {
    const home = newHome();
    const port = await serving(OK);
    const evil = await serving(`HTTP/1.1 200 OK\r\n\r\n${'a'.repeat(60_000)}!`);
    home.configure({
      evil: asked({ http: `http://127.0.0.1:${evil}/`, expect: { body: '(a+)+$' }, then: 'restart' }),
      good: asked({ http: `http://127.0.0.1:${port}/`, then: 'restart' }),
    });
    await home.start();
    const detail = '/(a+)+$/ takes too long for what came; write a simpler expression';
    expect(await answered(home, 'evil', 3)).toMatchObject({ result: 'unasked', detail });
    await home.when('good', ({ health: { heartbeats } }) =>
      heartbeats.every(({ answers }) => answers.filter(({ result }) => result === 'good').length >= 3),
    );
    expect((await home.service('evil')).restarts.total).toBe(0);
  });
});

describe('what cannot be asked restarts nothing:', () => {
  it('a user, a program, a name that is not there', async () => {
    const home = newHome();
    const [good, unasked] = ['good', 'unasked'];
    const cases: Readonly<Record<string, readonly [Readonly<Record<string, unknown>>, string, RegExp]>> = {
      user: [{ exec: 'true', user: 'nosuch-user' }, unasked, isRoot ? /^no such user: nosuch-user$/ : /only a keeper/],
      program: [{ exec: '/no/such/program' }, unasked, /^\/no\/such\/program: no such program$/],
      plain: [{ exec: '/etc/passwd' }, unasked, /may not execute it$/],
      name: [{ tcp: 'nosuch.invalid:80' }, unasked, /^nosuch\.invalid (does not resolve|cannot be resolved)/],
      itself: [{ exec: ['sh', '-c', 'kill -SEGV $$'] }, unasked, /^sh was killed by SIGSEGV$/],
      fine: [{ exec: ['sh', '-c', 'echo fine'] }, good, /^fine$/],
    };
    home.configure(
      Object.fromEntries(Object.entries(cases).map(([name, [one]]) => [name, asked({ ...one, then: 'restart' })])),
    );
    await home.start();
    for (const [name, [, result, detail]] of Object.entries(cases)) {
      expect(await answered(home, name, 2)).toMatchObject({ result, detail: expect.stringMatching(detail) });
      expect((await home.service(name)).restarts.total).toBe(0);
    }
  });

  it.skipIf(!isRoot)('a name of fifty addresses finds the one that works, beside a resolver that hangs', async () => {
    const home = newHome();
    const swallows = createSocket('udp4');
    const resolver = `127.${53 + (process.pid % 200)}.${process.pid % 251}.53`;
    await new Promise<void>((resolve) => swallows.bind(53, resolver, resolve));
    closers.push(() => new Promise<void>((resolve) => swallows.close(resolve)));
    const others = Array.from({ length: 49 }, (_, index) => `127.70.${index}.1 many.test`);
    const hosts = home.write('hosts', [...others, '127.0.0.1 many.test', ''].join('\n'));
    const names = home.write('resolv.conf', `nameserver ${resolver}\n`);
    const script = 'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"';
    home.configure({
      many: asked({ http: `http://many.test:${await serving(OK)}/`, then: 'restart' }),
      hangs: asked({ tcp: 'hangs.test:80', timeout: '1s', then: 'restart' }),
    });
    await home.start([], { before: ['unshare', '-m', 'sh', '-c', script, 'sh', hosts, names] });
    expect(await answered(home, 'hangs', 2)).toMatchObject({ result: 'unasked' });
    expect(await answered(home, 'many', 2)).toMatchObject({ result: 'good', detail: '200' });
    for (const name of ['many', 'hangs']) expect((await home.service(name)).restarts.total).toBe(0);
  });

  it('a keeper without a descriptor for an asker, which asks again when there are some', async () => {
    const home = newHome();
    home.configure({ web: asked({ tcp: await serving(OK), then: 'restart' }) });
    const { pid } = await home.start();
    await home.recorded();
    await home.when('web', ({ health }) => health.state === 'ok');
    const limit = (soft: number): unknown => execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${soft}:`]);
    limit(readdirSync(`/proc/${pid}/fd`).length + 1);
    for (const asker of askersOf(pid)) signal(asker, 'SIGKILL');
    const detail = /too few descriptors left/;
    await home.when('web', ({ health }) => detail.test(health.heartbeats[0]?.detail ?? ''));
    limit(4096);
    const { restarts } = await home.when('web', ({ health }) => health.state === 'ok');
    expect(restarts.total).toBe(0);
  });
});

describe('a keeper that is killed while questions are open', () => {
  it('leaves neither askers nor their programs, and the next one neither restarts nor tells anything twice', async () => {
    const home = newHome();
    const forLong = `${3000 + (process.pid % 1000)}.4711`;
    const hangs = ['sh', '-c', `setsid -w sleep ${forLong}; exit 1`];
    const programs = (): readonly number[] => runningWith(forLong);
    home.configure(
      {
        program: asked({ exec: hangs, timeout: '60s', then: 'restart' }),
        silent: asked({ tcp: await serving(() => undefined), expect: 'x', timeout: '60s', then: 'restart' }),
        sorry: asked({ tcp: await serving('no'), expect: 'yes' }),
      },
      { notices: { channels: { file: { file: home.at('notices') } }, rules: [{ tell: ['file'] }], digest: '1s' } },
    );
    const first = await home.start();
    await home.until('a program that hangs', () => programs().length === 2);
    await home.until('a notice', () => home.read('notices').includes('sorry'));
    const askers = askersOf(first.pid);
    expect(askers).not.toEqual([]);
    await first.end('SIGKILL');
    await home.until('an end of the askers', () => ![...askers, ...programs()].some(isAlive));
    const before = tellings(home);
    await home.start();
    await answered(home, 'sorry', 3);
    expect(tellings(home)).toBe(before);
    for (const name of ['program', 'silent', 'sorry'])
      expect(await home.service(name)).toMatchObject({ state: 'running', generation: 1, restarts: { total: 0 } });
  });
});

const tellings = (home: Home): number => home.read('notices').split('sorry').length;

/** The askers that are children of this process. */
const askersOf = (parent: number): readonly number[] =>
  readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8')
    .split(' ')
    .filter((pid) => pid.trim() !== '' && readQuietly(`/proc/${pid}/cmdline`).includes('asker.js'))
    .map(Number);

const runningWith = (word: string): readonly number[] =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && readQuietly(`/proc/${pid}/cmdline`).includes(word))
    .map(Number)
    .filter(isAlive);
