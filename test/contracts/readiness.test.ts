// The port Readiness on real sockets, servers, commands and files.

import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/core/event.js';
import { asPid, type ExitStatus, type ProcessRef } from '../../src/core/process.js';
import type { ReadyProbe, ServiceSpec } from '../../src/core/spec.js';
import { connectAt } from '../../src/heartbeats/connect.js';
import type { RunCommand } from '../../src/readiness/exec.js';
import type { LogStart } from '../../src/readiness/log.js';
import { ReadinessProbes } from '../../src/readiness/probes.js';
import { command, supervised } from '../support/builders.js';

const DEADLINE = { timeout: 20_000, interval: 10 };
// Long enough for several tries, for tests that nothing happens.
const A_WHILE_MS = 400;

let directory = '';
const closers: Array<() => void> = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-ready-'));
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
  rmSync(directory, { recursive: true, force: true });
});

interface Waiting {
  readonly probes: ReadinessProbes;
  readonly events: Event[];
  readonly spec: ServiceSpec;
  readonly process: ProcessRef;
}

interface Parts {
  readonly run?: RunCommand;
  readonly logStart?: () => LogStart | null;
}

const refOf = (pid: number): ProcessRef => ({ pid: asPid(pid), startTicks: 1, inode: null });

function waitFor(probe: ReadyProbe, { run, logStart }: Parts = {}): Waiting {
  const events: Event[] = [];
  const probes = new ReadinessProbes({
    ask: () => Promise.resolve('unasked'),
    post: (event) => events.push(event),
    run: run ?? (() => Promise.resolve({ type: 'unknown' })),
    connect: (place, signal) => connectAt(place, { signal, begin: () => undefined }),
    logStart: logStart ?? (() => null),
  });
  closers.push(() => probes.close());
  const spec = supervised({ name: 'web', ready: { probe } });
  const process = refOf(4711);
  probes.await(spec, process);
  return { probes, events, spec, process };
}

const isReady = ({ events, spec, process }: Waiting): Promise<void> =>
  expect
    .poll(() => events, DEADLINE)
    .toEqual([{ type: 'becameReady', service: spec.name, process }]) as unknown as Promise<void>;

const isNotReady = async ({ events }: Waiting): Promise<void> => {
  await pause(A_WHILE_MS);
  expect(events).toEqual([]);
};

async function listen(
  server: Server | HttpServer,
  where: { host: string; port: number } | { path: string },
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(where, resolve));
  closers.push(() => server.close());
  const address = server.address();
  return address === null || typeof address === 'string' ? 0 : address.port;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('ready by port', () => {
  it('comes as soon as something listens, and once', async () => {
    const port = await freePort();
    const waiting = waitFor({ type: 'port', host: 'localhost', port });
    await isNotReady(waiting);
    await listen(createServer(), { host: '127.0.0.1', port });
    await isReady(waiting);
    await pause(A_WHILE_MS);
    expect(waiting.events).toHaveLength(1);
  });

  it('finds a listener on localhost whichever family it took', async () => {
    const port = await freePort();
    const hasIpv6 = await listen(createServer(), { host: '::1', port }).then(
      () => 'yes',
      () => 'no',
    );
    if (hasIpv6 === 'no') await listen(createServer(), { host: '127.0.0.1', port });
    await isReady(waitFor({ type: 'port', host: 'localhost', port }));
  });

  it('does not come after it was cancelled, nor for the process before', async () => {
    const port = await freePort();
    const waiting = waitFor({ type: 'port', host: '127.0.0.1', port });
    const later = refOf(4712);
    waiting.probes.await(waiting.spec, later);
    await listen(createServer(), { host: '127.0.0.1', port });
    await expect
      .poll(() => waiting.events, DEADLINE)
      .toEqual([{ type: 'becameReady', service: 'web', process: later }]);
    waiting.events.length = 0;
    waiting.probes.await(waiting.spec, later);
    waiting.probes.cancel(waiting.spec.name);
    await isNotReady(waiting);
  });
});

describe('ready by socket', () => {
  it('needs a listener, not only a file', async () => {
    const path = join(directory, 'sock');
    writeFileSync(path, '');
    const waiting = waitFor({ type: 'socket', path });
    await isNotReady(waiting);
    rmSync(path);
    await listen(createServer(), { path });
    await isReady(waiting);
  });
});

describe('ready by http', () => {
  it('needs a good status, and does not follow redirections', async () => {
    let status = 503;
    const asked: string[] = [];
    const server = createHttpServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.host}`);
      response.writeHead(status, { location: '/elsewhere' }).end('body');
    });
    const port = await listen(server, { host: '127.0.0.1', port: 0 });
    const waiting = waitFor({ type: 'http', url: `http://localhost:${port}/up?now=1` });
    await expect.poll(() => asked.length, DEADLINE).toBeGreaterThan(1);
    expect(waiting.events).toEqual([]);
    status = 302;
    await isReady(waiting);
    expect(new Set(asked)).toEqual(new Set([`GET /up?now=1 localhost:${port}`]));
  });

  it('lives with servers that close, answer nonsense or end in the middle', async () => {
    const answers = ['', 'nonsense\r\n\r\n', 'HTTP/1.1 200', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'];
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end((answers.length > 1 ? answers.shift() : answers[0]) ?? '');
    });
    const port = await listen(server, { host: '127.0.0.1', port: 0 });
    await isReady(waitFor({ type: 'http', url: `http://127.0.0.1:${port}/` }));
    expect(answers).toHaveLength(1);
  });
});

describe('ready by exec', () => {
  it('runs the command again until it exits 0', async () => {
    const outcomes: ExitStatus[] = [
      { type: 'unknown' },
      { type: 'exited', code: 1 },
      { type: 'signaled', signal: 'SIGKILL', coreDumped: false },
    ];
    let runs = 0;
    const run: RunCommand = () => {
      runs += 1;
      return Promise.resolve(outcomes.shift() ?? { type: 'exited', code: 0 });
    };
    await isReady(waitFor({ type: 'exec', command: command('true') }, { run }));
    expect(runs).toBe(4);
  });

  it('ends a command that takes too long, never runs two at once, and lives with a runner that throws', async () => {
    let running = 0;
    let ended = 0;
    const run: RunCommand = async (_command, _spec, signal) => {
      running += 1;
      expect(running).toBe(1);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      running -= 1;
      ended += 1;
      if (ended === 1) throw new Error('surprise');
      return { type: 'signaled', signal: 'SIGKILL', coreDumped: false };
    };
    const waiting = waitFor({ type: 'exec', command: command('sleep 60', 20) }, { run });
    await expect.poll(() => ended, DEADLINE).toBeGreaterThan(2);
    waiting.probes.close();
    await expect.poll(() => running, DEADLINE).toBe(0);
    expect(waiting.events).toEqual([]);
  });
});

describe('ready by log', () => {
  it('looks only at whole lines that came after the start', async () => {
    const path = join(directory, 'web.log');
    writeFileSync(path, 'listening\n');
    const waiting = waitFor({ type: 'log', regex: '^listening$' }, { logStart: () => ({ path, offset: 10 }) });
    appendFileSync(path, 'listen');
    await isNotReady(waiting);
    appendFileSync(path, 'ing\n');
    await isReady(waiting);
  });

  it('goes on when a rotation moves the log, when it is emptied, and when it is not there yet', async () => {
    const path = join(directory, 'web.log');
    let offset = 0;
    const waiting = waitFor({ type: 'log', regex: 'listening' }, { logStart: () => ({ path, offset }) });
    await isNotReady(waiting);
    writeFileSync(path, 'x'.repeat(5_000));
    await isNotReady(waiting);
    offset = -4_000;
    writeFileSync(path, `${'x'.repeat(1_000)}\n`);
    await isNotReady(waiting);
    truncateSync(path, 0);
    appendFileSync(path, 'listening\n');
    await isReady(waiting);
  });

  it('looks at no more than the beginning of a very long line', async () => {
    const path = join(directory, 'web.log');
    writeFileSync(path, `${'x'.repeat(1_048_576)}listening\n`);
    const waiting = waitFor({ type: 'log', regex: 'listening' }, { logStart: () => ({ path, offset: 0 }) });
    await isNotReady(waiting);
    appendFileSync(path, 'listening\n');
    await isReady(waiting);
  });
});

describe('ready by what others see', () => {
  it('is left to them for `alive` and `fd`', async () => {
    await isNotReady(waitFor({ type: 'fd', fd: 3 }));
  });
});
