// The promise: whatever a client does or the host lacks, the keeper lives, keeps, and serves the others (supervisors 35).

import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive, signal } from '../support/running.js';

const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

/** A connection that says this and then nothing; it never reads, unless asked to. */
function open(home: Home, text: string | Buffer): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(home.socket, () => resolve(socket));
    sockets.add(socket);
    socket.on('error', () => resolve(socket));
    socket.write(text);
  });
}

const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** It keeps: a killed service is back. It serves: a command is answered. */
async function worksStill(home: Home, code = 0): Promise<void> {
  const pid = await home.running('web');
  signal(pid, 'SIGKILL');
  const next = await home.running('web', pid);
  expect(isAlive(next)).toBe(true);
  expect((await home.upkeep('status')).code).toBe(code);
}

describe('the keeper lives and serves others', () => {
  it.each([
    ['half a request line', 'GET /v1/sta'],
    ['half a header', 'GET /v1/status HTTP/1.1\r\nHost: x\r\nX-Long'],
    ['half a body', 'POST /v1/services/web/stop HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"reason"'],
    ['nothing', ''],
    ['a megabyte of garbage', Buffer.alloc(1 << 20, 0xc3)],
    ['a megabyte of header', `GET /v1/status HTTP/1.1\r\nX: ${'x'.repeat(1 << 20)}\r\n\r\n`],
    ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
  ])('after %s', async (_what, text) => {
    const home = newHome();
    home.configure({ web: { run: 'sleep 1000' } });
    const keeper = await home.start();
    await home.running('web');
    await Promise.all(Array.from({ length: 5 }, () => open(home, text)));
    await worksStill(home);
    expect((await home.service('web')).override).toBeNull();
    expect(keeper.said()).not.toMatch(/ error /);
  });

  it('after requests that mean nothing: each is answered with what is wrong', async () => {
    const home = newHome();
    home.configure({ web: { run: 'sleep 1000' } });
    await home.start();
    const pid = await home.running('web');
    const ask = async (path: string, body: unknown = {}) => {
      const answer = await home.post(path, body);
      return answer.type === 'error' ? [answer.status, answer.message] : [200, answer.type];
    };
    expect(await ask('/v1/services/nobody/stop')).toEqual([404, 'there is no service nobody']);
    expect(await ask('/v1/services/web/explode')).toEqual([
      404,
      expect.stringMatching(/^there is no verb explode; there are start, /),
    ]);
    expect(await ask('/v1/services/web/stop', [])).toEqual([400, 'the body is to be a JSON object']);
    expect(await ask('/v1/services/web/stop', { for: 'soon' })).toEqual([
      400,
      '`for` is to be a duration like 30m or 2h',
    ]);
    expect(await ask('/v1/services/web/stop?wait=long')).toEqual([
      400,
      expect.stringMatching(/wait=long is no duration/),
    ]);
    expect(await ask('/v1/services/web/signal', { signal: 9 })).toEqual([
      400,
      expect.stringMatching(/is to be a name like SIGHUP/),
    ]);
    expect(await ask('/v1/services/web/hold', { reason: 'x'.repeat(2 << 20) })).toEqual([
      413,
      'the request is larger than 1 MiB',
    ]);
    expect(await ask('/v1/services/%zz/stop')).toEqual([400, 'the path is not valid percent-encoding']);
    expect(await ask('/v1/plan', { file: 'relative' })).toEqual([400, '`file` is to be an absolute path']);
    // Nothing changes by GET (monitors 39).
    expect(await home.get('/v1/services/web/stop')).toMatchObject({ type: 'error' });
    expect(await home.running('web')).toBe(pid);
  });

  it('with three hundred connections open, and gives their descriptors back', async () => {
    const home = newHome();
    home.configure({ web: { run: 'sleep 1000' } });
    const keeper = await home.start();
    await home.running('web');
    await home.recorded();
    const before = descriptors(keeper.pid);
    await Promise.all(Array.from({ length: 300 }, () => open(home, 'GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n')));
    // What a young keeper still had open for its start may be gone by now.
    await home.until('all of them', () => descriptors(keeper.pid) >= before + 290);
    await worksStill(home);
    for (const socket of sockets) socket.destroy();
    await home.until('the descriptors back', () => descriptors(keeper.pid) <= before + 1);
  });

  it('while readers of events never read: they are dropped, and that is counted', async () => {
    const home = newHome();
    const restart = { delay: '0s', limit: 'none', backoff: { max: '0s' } };
    // It stands in each event: the readers' megabytes are full the sooner.
    const description = 'one of ten that end at once '.repeat(60).trim();
    home.configure({
      web: { run: 'sleep 1000' },
      ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`f${i}`, { run: 'true', restart, description }])),
    });
    await home.start();
    await home.running('web');
    for (let i = 0; i < 20; i += 1) {
      const socket = await open(home, 'GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
      socket.pause();
    }
    const dropped = async (): Promise<number> => {
      const { body } = (await home.get('/v1/keeper')) as {
        readonly body: { readonly counters: { readonly eventReadersDropped: number } };
      };
      return body.counters.eventReadersDropped;
    };
    await home.until('the readers dropped', async () => (await dropped()) === 20, 100);
    for (let i = 0; i < 10; i += 1) await home.post(`/v1/services/f${i}/stop`);
    await worksStill(home);
  });
});

describe('a keeper without descriptors', () => {
  it('goes on keeping, refuses what it cannot do, and says so', async () => {
    const home = newHome();
    const web = { run: 'sleep 1000' };
    home.configure({ web });
    const keeper = await home.start();
    await home.running('web');
    // Node itself needs more while it loads the program.
    expect((await home.spawn(['prlimit', '--pid', String(keeper.pid), '--nofile=100:100']).ended).code).toBe(0);
    home.configure({
      web,
      ...Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`s${i}`, { run: 'sleep 1000' }])),
    });
    expect((await home.upkeep('apply')).code).toBe(0);
    const last = await home.when('s99', ({ lastDeath }) => lastDeath !== null);
    expect(last.lastDeath).toMatchObject({ cause: 'spawn', errno: 'EMFILE', pid: null });
    await worksStill(home, 3);
    await expect
      .poll(() => keeper.said(), { timeout: 10_000 })
      .toMatch(/s99 failed to start: the keeper has too few descriptors left \(EMFILE\); raise its limit/);
    expect(keeper.said()).not.toMatch(/cannot be opened|could not be|while it was|does not end/);
    const pids = home.processes().filter((pid) => pid !== keeper.pid);
    expect(pids.length).toBeGreaterThan(3);
    expect((await keeper.end('SIGTERM')).code).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
  });
});
