import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { members, supervised } from '../../test/support/builders.js';
import { failedStart } from '../core/death.js';
import type { Event, Speaker } from '../core/event.js';
import { outlookOf } from '../core/outlook.js';
import { asPid, noFindings } from '../core/process.js';
import { serviceName } from '../core/spec.js';
import { newService, type Service } from '../core/state.js';
import type { Status } from '../core/status.js';
import { instant, millis, wallTime } from '../core/time.js';
import { worldOf } from '../core/world.js';
import { type ControlListener, openControlListener } from '../kernel/control-listener.js';
import { call, follow } from './client.js';
import type { Peer } from './judge.js';
import { ControlServer } from './server.js';

let directory: string;
let socket: string;
let server: ControlServer;
let listener: ControlListener;
let services: Map<string, Service>;
let posted: Event[];
let peer: Peer;
let opened: { service: string; pid: number; channel: Socket }[];
const reports: string[] = [];
const speaker = (pid: number, uid: number): Speaker => {
  const process = { pid: asPid(pid), startTicks: 1, inode: null };
  return { process, uid, isMember: 'yes', kinOf: process };
};
const now = () => ({ instant: instant(0), wall: wallTime(0), random: 0 });

const status: Status = {
  version: 1,
  host: 'web1',
  time: '2026-11-20T10:00:00.000Z',
  keeper: {
    pid: 1,
    since: '2026-11-20T10:00:00.000Z',
    version: '0',
    config: '/etc/upkeep/upkeep.yaml',
    pending: false,
    without: [],
    owner: null,
    problems: [],
  },
  services: [],
};

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-control-'));
  socket = join(directory, 'control.sock');
  services = new Map([['web', newService(supervised({ name: 'web' }), instant(0))]]);
  posted = [];
  reports.length = 0;
  opened = [];
  peer = { pid: process.pid, uid: 0, gid: 0 };
  server = new ControlServer({
    post: (event) => posted.push(event),
    services: () => services,
    outlook: () => outlookOf(worldOf(services)),
    status: () => status,
    keeper: () => ({ pid: 1 }),
    channels: (details) => ({ version: 1, channels: [], details }),
    now,
    without: [],
    elsewhere: () => [],
    history: () => Promise.resolve({ type: 'unavailable', problem: 'there is none here' }),
    test: () => Promise.resolve({ answer: { result: 'good', ms: millis(3), detail: '200' }, steps: [] }),
    judges: {
      keeperUid: 990,
      isInGroup: ({ uid }) => uid === 1001,
      serviceOf: ({ pid }) => (pid === 4242 ? 'web' : null),
    },
    peerOf: () => peer,
    describe: ({ pid, uid }) => ({ pid, uid, name: 'test', user: null, grade: 'seen' }),
    detail: () => ({ secret: 'argv' }),
    fds: (name) => (name === 'web' ? { version: 1, descriptors: [] } : null),
    govern: {
      apply: () => Promise.resolve({ applied: true }),
      plan: () => Promise.resolve({ entries: [] }),
      broken: () => Promise.reject(new Error('bug')),
    },
    handover: {
      knows: (name) => services.has(name),
      memberOf: (_service, { pid, uid }) =>
        pid === 4242 ? 'it is process 4242, which is none of its processes' : speaker(pid, uid),
      open: (service, { process }, channel) => {
        opened.push({ service, pid: process.pid, channel });
        channel.on('end', () => channel.end());
        return { close: (reason) => void channel.end(`${reason}\n`) };
      },
    },
    report: (problem) => reports.push(problem),
  });
  listener = openControlListener(socket, 16);
  await server.listen(listener.share());
});

afterEach(() => {
  server.close();
  listener.close();
  rmSync(directory, { recursive: true });
});

const get = (path: string) => call({ socket, method: 'GET', path, patience: 5000 });
const post = (path: string, body?: unknown) => call({ socket, method: 'POST', path, body, patience: 5000 });

describe('the control socket', () => {
  it('may be opened by everybody', () => {
    expect(statSync(socket).mode & 0o777).toBe(0o666);
  });

  it('answers with the status', async () => {
    expect(await get('/v1/status')).toEqual({ type: 'ok', status: 200, body: status });
  });

  it('posts what an operator asks, with who asked, and answers 202 with an operation to follow', async () => {
    const answer = await post('/v1/services/web/stop', { reason: 'a\nb\u001b[31m', for: '2h' });
    expect(answer).toMatchObject({ type: 'ok', status: 202, body: { service: 'web', verb: 'stop' } });
    expect(posted).toMatchObject([
      {
        type: 'asked',
        service: 'web',
        ask: { verb: 'stop', reason: 'a b [31m', lasts: 'always' },
        by: { uid: 0, grade: 'seen' },
      },
    ]);
  });

  it('posts what several are asked as one, and tells of each what came of it', async () => {
    services.set('db', newService(supervised({ name: 'db' }), instant(0)));
    const answer = await post('/v1/services', { verb: 'restart', services: ['web', 'db', 'nix', 'web'], reason: 'x' });
    expect(answer).toMatchObject({
      status: 202,
      body: {
        version: 1,
        operations: [
          { service: 'web', verb: 'restart', id: '1' },
          { service: 'db', verb: 'restart', id: '2' },
          { service: 'nix', id: null, progress: { type: 'failed', text: 'there is no service nix' } },
        ],
      },
    });
    expect(posted).toMatchObject([{ type: 'together', events: [{ service: 'web' }, { service: 'db' }] }]);
    expect(await get('/v1/operations/2?wait=50ms')).toMatchObject({ status: 200, body: { service: 'db' } });
  });

  it('takes the plain name of a pool for all of its members', async () => {
    for (const spec of members('shop', 2)) services.set(spec.name, newService(spec, instant(0)));
    const events = [{ service: 'shop@1' }, { service: 'shop@2' }];
    const operations = events.map((event) => ({ ...event, verb: 'reset', progress: { type: 'done' } }));
    expect(await post('/v1/services/shop/reset')).toMatchObject({ status: 202, body: { version: 1, operations } });
    expect(await post('/v1/services/shop/reset?wait=5s')).toMatchObject({ status: 200, body: { operations } });
    expect(await post('/v1/services', { verb: 'reset', services: ['shop@2', 'shop'] })).toMatchObject({ status: 202 });
    expect(posted).toMatchObject([
      { type: 'together', events },
      { type: 'together', events },
      { type: 'together', events: [...events].reverse() },
    ]);
    expect(await get('/v1/services/shop')).toMatchObject({ status: 200, body: { version: 1, pool: 'shop' } });
    expect(await get('/v1/services/shap')).toMatchObject({ status: 404 });
  });

  it('judges each of several for itself', async () => {
    services.set('db', newService(supervised({ name: 'db' }), instant(0)));
    peer = { ...peer, uid: 1002, pid: 4242 };
    expect(await post('/v1/services', { verb: 'restart', services: ['web', 'db'] })).toMatchObject({
      body: { operations: [{ id: '1' }, { id: null, progress: { type: 'failed' } }] },
    });
    expect(posted).toMatchObject([{ type: 'asked', service: 'web' }]);
  });

  it('tells everybody what a stop would do to others, and does nothing', async () => {
    services.set('db', newService(supervised({ name: 'db', needs: ['web'] }), instant(0)));
    peer = { ...peer, uid: 1002 };
    expect(await post('/v1/impact', { verb: 'stop', services: ['web'] })).toEqual({
      type: 'ok',
      status: 200,
      body: { version: 1, verb: 'stop', down: [], restarted: [], spared: [] },
    });
    expect(posted).toEqual([]);
  });

  it('waits for the outcome where that is asked, and for as long as is asked', async () => {
    const answer = await post('/v1/services/web/reset?wait=5s');
    expect(answer).toMatchObject({ type: 'ok', status: 200, body: { progress: { type: 'done' } } });
    const pending = await post('/v1/services/web/start?wait=50ms');
    expect(pending).toMatchObject({ type: 'ok' });
  });

  it.each([
    [{ uid: 0 }, 'stop', 202],
    [{ uid: 990 }, 'stop', 202],
    [{ uid: 1001 }, 'stop', 202],
    [{ uid: 1002 }, 'stop', 403],
    [{ uid: 1002, pid: 4242 }, 'restart', 202],
    [{ uid: 1002, pid: 4242 }, 'reload', 202],
    [{ uid: 1002, pid: 4242 }, 'stop', 403],
  ])('judges by peer credentials: %o %s → %d', async (who, verb, expected) => {
    peer = { ...peer, ...who };
    const answer = await post(`/v1/services/web/${verb}`);
    expect(answer.type === 'no-keeper' ? 0 : answer.status).toBe(expected);
  });

  it('lets nobody but root and its own user apply, not even the group', async () => {
    peer = { ...peer, uid: 1001 };
    expect(await post('/v1/apply')).toMatchObject({ type: 'error', status: 403, code: 'forbidden' });
    expect(await post('/v1/plan')).toMatchObject({ type: 'ok' });
    peer = { ...peer, uid: 990 };
    expect(await post('/v1/apply')).toMatchObject({ type: 'ok', body: { applied: true } });
  });

  it('tells strangers the status without command lines', async () => {
    const card = { ...status, services: [] };
    expect(card.services).toEqual([]);
    peer = { ...peer, uid: 1002 };
    expect(await get('/v1/services/web')).toMatchObject({ type: 'error', status: 404 });
    expect(await get('/v1/status')).toMatchObject({ type: 'ok' });
  });

  it('tells strangers of the channels without the words in which they failed', async () => {
    expect(await get('/v1/notices')).toMatchObject({ type: 'ok', body: { details: 'yes' } });
    peer = { ...peer, uid: 1002 };
    expect(await get('/v1/notices')).toMatchObject({ type: 'ok', body: { details: 'no' } });
  });

  it('tells what is held for a service to its operators alone', async () => {
    expect(await get('/v1/services/web/fds')).toMatchObject({ type: 'ok', body: { descriptors: [] } });
    expect(await get('/v1/services/nobody/fds')).toMatchObject({ type: 'error', status: 404, code: 'no-service' });
    peer = { ...peer, uid: 1002 };
    expect(await get('/v1/services/web/fds')).toMatchObject({ type: 'error', status: 403, code: 'forbidden' });
  });

  it('changes nothing by GET (monitors 39)', async () => {
    expect(await get('/v1/services/web/stop')).toMatchObject({ type: 'error', status: 404 });
    expect(await get('/v1/apply')).toMatchObject({ type: 'error', status: 404 });
    expect(posted).toEqual([]);
  });

  it.each([
    ['/v1/services/nix/stop', {}, 404, 'no-service'],
    ['/v1/services/web/dance', {}, 404, 'no-verb'],
    ['/v1/services/web/stop', { for: '5' }, 400, 'bad-for'],
    ['/v1/services/web/stop', { untilBoot: 'yes' }, 400, 'bad-flag'],
    ['/v1/services/web/signal', { signal: 'SIGNIX' }, 400, 'bad-signal'],
    ['/v1/services/web/stop', [1], 400, 'bad-body'],
    ['/v1/services/web/start?wait=5', {}, 400, 'bad-wait'],
    ['/v1/services', { verb: 'stop' }, 400, 'bad-services'],
    ['/v1/services', { services: ['web'] }, 400, 'bad-verb'],
    ['/v1/impact', { verb: 'start', services: ['web'] }, 400, 'bad-verb'],
    ['/v1/constructor', {}, 404, 'not-found'],
    ['/v1/services/%ZZ/stop', {}, 400, 'bad-path'],
  ])('refuses what it does not understand: %s %o', async (path, body, expected, code) => {
    expect(await post(path, body)).toMatchObject({ type: 'error', status: expected, code });
    expect(posted).toEqual([]);
  });

  it('takes no ask from another type of body, and survives rubbish (supervisors 35)', async () => {
    await new Promise<void>((resolve) => {
      const raw = connect(socket, () => raw.end('\u0000\u0001 rubbish\r\n\r\n'));
      raw.on('data', () => {});
      raw.on('close', () => resolve());
    });
    expect(await get('/v1/status')).toMatchObject({ type: 'ok' });
  });

  it('serves others while a client sends half a request (supervisors 35)', async () => {
    const half = connect(socket, () =>
      half.write('POST /v1/services/web/stop HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{'),
    );
    half.on('error', () => {});
    expect(await get('/v1/status')).toMatchObject({ type: 'ok' });
    half.destroy();
    expect(posted).toEqual([]);
  });

  it('does not let one ordinary user shut out the others', async () => {
    peer = { ...peer, uid: 1002 };
    const sockets = Array.from({ length: 40 }, () => connect(socket));
    const closed = await new Promise<number>((resolve) => {
      let n = 0;
      for (const one of sockets) {
        one.on('error', () => {});
        one.on('close', () => {
          n += 1;
          if (n === 8) resolve(n);
        });
      }
    });
    expect(closed).toBe(8);
    peer = { ...peer, uid: 0 };
    expect(await get('/v1/status')).toMatchObject({ type: 'ok' });
    for (const one of sockets) one.destroy();
  });

  it('reports its own defects without telling the client about them', async () => {
    expect(await post('/v1/broken')).toMatchObject({
      type: 'error',
      status: 500,
      message: 'the keeper could not answer; see its log',
    });
    expect(reports).toEqual(['a request failed']);
  });

  it('streams changes as they happen', async () => {
    const seen: unknown[] = [];
    const stop = new AbortController();
    const onEvent = (data: unknown): void => {
      seen.push(data);
      stop.abort();
    };
    const done = follow(socket, { onOpen: () => {}, onEvent }, stop.signal);
    const change = {
      service: 'web',
      time: 0,
      generation: 1,
      from: 'running',
      to: 'stopped',
      what: { type: 'stopped' },
    } as never;
    const timer = setInterval(() => server.events.tell([change], services), 20);
    await done;
    clearInterval(timer);
    expect(seen[0]).toMatchObject({
      version: 1,
      service: 'web',
      to: 'stopped',
      text: 'web: web is stopped',
      time: '1970-01-01T00:00:00.000Z',
    });
  });

  it('follows without the command lines of strangers, whoever listens', async () => {
    const seen: string[] = [];
    const stop = new AbortController();
    const onEvent = (data: unknown): void => {
      seen.push(JSON.stringify(data));
      stop.abort();
    };
    peer = { ...peer, uid: 1002 };
    const done = follow(socket, { onOpen: () => {}, onEvent }, stop.signal);
    const parent = { pid: 6, name: 'cron-of-root' };
    const who = { pid: 7, name: 'mysql', uid: 0, user: 'root', command: 'mysql -phunter2', parent } as const;
    const by = { ...who, grade: 'seen', signal: 'SIGKILL' } as const;
    const end = { ...failedStart('signal', { type: 'unknown' }, null, 'x', now()), by };
    const death = { ...end, findings: { ...noFindings, sentAt: 4711 } };
    const what = { type: 'died', death, next: { type: 'start' } } as const;
    const change = { service: serviceName('web'), time: wallTime(0), generation: 1, what } as const;
    const timer = setInterval(
      () => server.events.tell([{ ...change, from: 'running', to: 'backoff', wave: null }], services),
      20,
    );
    await done;
    clearInterval(timer);
    expect(seen[0]).toContain('"name":"mysql"');
    expect(seen[0]).not.toMatch(/hunter2|cron-of-root|4711/);
  });

  it('writes metrics that Prometheus reads', async () => {
    const answer = await get('/metrics');
    expect(answer).toMatchObject({ type: 'ok' });
    const text = answer.type === 'ok' ? String(answer.body) : '';
    expect(text).toContain('# TYPE upkeep_service_up gauge');
    expect(text).toContain('# TYPE upkeep_service_blocked gauge');
  });
});

/** Asks for an upgrade, and collects what is answered. */
function upgrade(path: string, headers = 'Connection: Upgrade\r\nUpgrade: upkeep-handover/1\r\n', early = '') {
  const client = connect(socket);
  const seen = { text: '', ended: false };
  client.on('error', () => {});
  client.setEncoding('utf8').on('data', (text: string) => {
    seen.text += text;
  });
  client.on('close', () => {
    seen.ended = true;
  });
  client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n${early}`);
  return { client, seen };
}

const holds = (what: () => boolean): Promise<void> => expect.poll(what, { timeout: 20_000, interval: 5 }).toBe(true);

describe('a hand-over channel', () => {
  it('is the connection of a process of that service, with what it has said already', async () => {
    const { client, seen } = upgrade('/v1/services/web/handover', undefined, '{"say":"hello"}\n');
    await holds(() => opened.length > 0);
    expect(opened[0]).toMatchObject({ service: 'web', pid: process.pid });
    let heard = '';
    opened[0]?.channel.on('data', (piece: Buffer) => {
      heard += piece.toString();
    });
    await holds(() => heard !== '');
    expect(heard).toBe('{"say":"hello"}\n');
    opened[0]?.channel.write('{"do":"drain"}\n');
    await holds(() => seen.text.includes('drain'));
    expect(seen.text).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: upkeep-handover/1\r\n\r\n{"do":"drain"}\n',
    );
    client.destroy();
  });

  it.each([
    ['a stranger', 4242, '/v1/services/web/handover', 'upkeep-handover/1', 403, 'forbidden'],
    ['who names no service', 7, '/v1/services/nix/handover', 'upkeep-handover/1', 404, 'not-found'],
    ['who wants another protocol', 7, '/v1/services/web/handover', 'websocket', 400, 'no-upgrade'],
    ['who wants another path', 7, '/v1/status', 'upkeep-handover/1', 400, 'no-upgrade'],
    ['who names nothing that can be read', 7, '/v1/services/%zz/handover', 'upkeep-handover/1', 400, 'bad-path'],
  ])('is refused to %s, with an error that says why', async (_, pid, path, protocol, status, code) => {
    peer = { pid, uid: 1000, gid: 1000 };
    const { seen } = upgrade(path, `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`);
    await holds(() => seen.ended);
    const [head, body = ''] = seen.text.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(body)).toMatchObject({ error: { code } });
    expect([opened, reports]).toEqual([[], []]);
  });

  it('is not to be had without an upgrade', async () => {
    expect(await get('/v1/services/web/handover')).toMatchObject({ status: 426, code: 'no-upgrade' });
  });

  it('is one for each process: a newer one takes the place of the older', async () => {
    const first = upgrade('/v1/services/web/handover');
    await holds(() => opened.length === 1);
    const second = upgrade('/v1/services/web/handover');
    await holds(() => first.seen.ended);
    expect(first.seen.text).toMatch(/another channel, which takes the place of this one/);
    expect(second.seen.ended).toBe(false);
    second.client.destroy();
  });

  it('takes no place from who wants an answer, and there are only so many of a service', async () => {
    const lines = [];
    for (let pid = 1; pid <= 40; pid++) {
      peer = { pid: 5000 + pid, uid: 1000, gid: 1000 };
      const line = upgrade('/v1/services/web/handover');
      await holds(() => line.seen.text !== '');
      lines.push(line);
    }
    expect(opened).toHaveLength(16);
    expect(lines.at(-1)?.seen.text).toMatch(/^HTTP\/1.1 429 .*too-many/s);
    expect(await get('/v1/status')).toMatchObject({ status: 200 });
    for (const { client } of lines) client.destroy();
    await holds(() => opened.every(({ channel }) => channel.destroyed));
    peer = { pid: 6000, uid: 1000, gid: 1000 };
    const again = upgrade('/v1/services/web/handover');
    await holds(() => opened.length === 17);
    again.client.destroy();
  });

  it('does not hold up a keeper whose program is replaced, and is told of it', async () => {
    const { seen } = upgrade('/v1/services/web/handover');
    await holds(() => opened.length === 1);
    await server.pause(60_000);
    await holds(() => seen.ended);
    expect(seen.text).toMatch(/connect again/);
  });
});
