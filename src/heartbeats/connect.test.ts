import { execFileSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { anAsking } from '../../test/support/asking.js';
import { listenSilently } from '../../test/support/silent-listener.js';
import { connectTo, connectUnix } from './connect.js';
import { judge, Verdict } from './judge.js';
import { firstOf, targetAt } from './race.js';

const closers: Array<() => void> = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(where: { host: string; port: number } | { path: string }): Promise<number> {
  const server: Server = createServer((socket) => socket.on('error', () => undefined).resume());
  closers.push(() => server.close());
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(where, resolve));
  return 'path' in where ? 0 : (server.address() as AddressInfo).port;
}

/** One that was free a moment ago. */
async function freePort(): Promise<number> {
  const port = await listen({ host: '127.0.0.1', port: 0 });
  closers.pop()?.();
  return port;
}

function aDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'upkeep-connect-'));
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The socket goes when the test ends. */
async function taken(connecting: Promise<Socket>): Promise<Socket> {
  const socket = await connecting;
  closers.push(() => socket.destroy());
  return socket;
}

const verdictOf = async (connecting: Promise<Socket>) => {
  const error: unknown = await connecting.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof Verdict ? error.finding : error;
};

describe('a connection', () => {
  it('finds what listens on localhost by ::1 alone (dependencies 4)', async () => {
    const port = await listen({ host: '::1', port: 0 });
    const socket = await taken(connectTo({ host: 'localhost', port }, anAsking()));
    expect(socket.remoteAddress).toBe('::1');
  });

  it('finds what listens on localhost by 127.0.0.1 alone (dependencies 4)', async () => {
    const port = await listen({ host: '127.0.0.1', port: 0 });
    const socket = await taken(connectTo({ host: 'localhost', port }, anAsking()));
    expect(socket.remoteAddress).toBe('127.0.0.1');
  });

  it('does not throw away an address that is good but slow (dependencies 4)', async () => {
    const slow = await listenSilently(40, 1);
    closers.push(slow.close);
    const refusing = await freePort();
    const targets = [
      targetAt({ host: '127.0.0.40', port: slow.port }),
      targetAt({ host: '127.0.0.1', port: refusing }),
    ];
    const connecting = taken(firstOf(targets, anAsking().signal));
    // By now the second address has refused, and Node would have given up the first.
    setTimeout(slow.wake, 600);
    expect((await connecting).remoteAddress).toBe('127.0.0.40');
  });

  it('to 50 addresses of which 49 refuse finds the one that works', async () => {
    const port = await listen({ host: '127.0.0.90', port: 0 });
    const targets = Array.from({ length: 50 }, (_, index) => targetAt({ host: `127.0.0.${41 + index}`, port }));
    expect((await taken(firstOf(targets, anAsking().signal))).remoteAddress).toBe('127.0.0.90');
  });

  it('to 50 addresses of which 49 are silent finds the one that works within the deadline', async () => {
    const silent = await listenSilently(41, 49);
    closers.push(silent.close);
    await listen({ host: '127.0.0.90', port: silent.port });
    const targets = [...silent.addresses, '127.0.0.90'].map((host) => targetAt({ host, port: silent.port }));
    const asking = anAsking();
    const timer = setTimeout(asking.end, 5000);
    closers.push(() => clearTimeout(timer));
    expect((await taken(firstOf(targets, asking.signal))).remoteAddress).toBe('127.0.0.90');
  });

  it('that every address refuses has failed, and says who refused', async () => {
    const port = await freePort();
    expect(await verdictOf(connectTo({ host: 'localhost', port }, anAsking()))).toEqual({
      result: 'failed',
      detail: `refused by [::1]:${port} and 127.0.0.1:${port}`,
    });
    const many = Array.from({ length: 50 }, (_, index) => targetAt({ host: `127.0.0.${41 + index}`, port }));
    expect(await verdictOf(firstOf(many, anAsking().signal))).toEqual({
      result: 'failed',
      detail: `refused by 127.0.0.41:${port}, 127.0.0.42:${port}, 127.0.0.43:${port} and 47 more`,
    });
  });

  it('to which no way leads could not be asked for, unless another address has refused', async () => {
    const port = await freePort();
    const nowhere = targetAt({ host: '255.255.255.255', port });
    const signal = anAsking().signal;
    expect(await verdictOf(firstOf([nowhere], signal))).toEqual({
      result: 'unasked',
      detail: `no route to 255.255.255.255:${port}`,
    });
    expect(await verdictOf(firstOf([nowhere, targetAt({ host: '127.0.0.1', port })], signal))).toEqual({
      result: 'failed',
      detail: `no route to 255.255.255.255:${port}, refused by 127.0.0.1:${port}`,
    });
  });

  it('to a name that does not resolve could not be asked for', async () => {
    const asking = anAsking();
    expect(await verdictOf(connectTo({ host: 'nothing.invalid', port: 80 }, asking))).toMatchObject({
      result: 'unasked',
      detail: expect.stringContaining('nothing.invalid'),
    });
    expect(asking.steps).toEqual(['resolve']);
  });

  it('for which no descriptor is left could not be made, which is held against nobody (monitors 11)', async () => {
    const port = await listen({ host: '127.0.0.1', port: 0 });
    const limit = (soft: string): unknown =>
      execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}:`]);
    const usual = execFileSync('prlimit', [
      '--pid',
      String(process.pid),
      '--nofile',
      '--noheadings',
      '--output',
      'SOFT',
    ]);
    const fillers: number[] = [];
    limit('200');
    try {
      for (;;) fillers.push(openSync('/dev/null', 'r'));
    } catch {
      expect(await verdictOf(connectTo({ host: 'localhost', port }, anAsking()))).toEqual({
        result: 'unasked',
        detail: `no descriptors left for [::1]:${port} and 127.0.0.1:${port}`,
      });
    } finally {
      for (const filler of fillers) closeSync(filler);
      limit(usual.toString().trim());
    }
  });

  it('is given up in the step `resolve` while the resolver hangs', async () => {
    const fifo = join(aDirectory(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    // Each takes a thread of the pool until somebody writes, as a resolver does that no name server answers.
    const hanging = Array.from({ length: 4 }, () => open(fifo, 'r'));
    const asking = anAsking();
    const connecting = connectTo({ host: 'some.name.invalid', port: 80 }, asking);
    asking.end();
    await expect(connecting).rejects.toThrow('deadline');
    expect(asking.steps).toEqual(['resolve']);
    const writer = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    for (const file of await Promise.all(hanging)) await file.close();
    closeSync(writer);
  });

  it('leaves no listener and no socket behind when its time is over', async () => {
    const silent = await listenSilently(40, 2);
    closers.push(silent.close);
    const asking = anAsking();
    const targets = silent.addresses.map((host) => targetAt({ host, port: silent.port }));
    const connecting = firstOf(targets, asking.signal);
    asking.end();
    await expect(connecting).rejects.toThrow('deadline');
    expect(getEventListeners(asking.signal, 'abort')).toEqual([]);
    await expect
      .poll(() => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap'), { timeout: 20_000 })
      .toEqual([]);
    await expect(connectTo({ host: '127.0.0.1', port: silent.port }, asking)).rejects.toThrow('deadline');
    await expect(connectTo({ host: 'nothing.invalid', port: silent.port }, asking)).rejects.toThrow('deadline');
  });

  it('leaves no listener behind when it stands', async () => {
    const port = await listen({ host: '127.0.0.1', port: 0 });
    const asking = anAsking();
    await taken(connectTo({ host: 'localhost', port }, asking));
    expect(getEventListeners(asking.signal, 'abort')).toEqual([]);
    expect(asking.steps).toEqual(['connect <::1, 127.0.0.1>']);
  });
});

describe('a connection to a Unix socket', () => {
  it('needs a listener, and a path that a socket can have', async () => {
    const path = join(aDirectory(), 'sock');
    expect(await verdictOf(connectUnix(path, anAsking()))).toEqual({
      result: 'failed',
      detail: `no socket at ${path}`,
    });
    await listen({ path });
    expect((await taken(connectUnix(path, anAsking()))).destroyed).toBe(false);
    expect(await verdictOf(connectUnix(`/${'x'.repeat(107)}`, anAsking()))).toMatchObject({ result: 'unasked' });
  });
});

describe('an error of the system', () => {
  const errorOf = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

  it('that comes from what we lack is not held against the service (monitors 11)', () => {
    for (const code of ['EMFILE', 'ENFILE', 'ENOMEM', 'EACCES', 'ENETUNREACH', 'EWHATEVER'])
      expect(judge(errorOf(code)).result, code).toBe('unasked');
  });

  it('that comes from the other side is', () => {
    expect(judge(errorOf('ECONNRESET'))).toEqual({ result: 'failed', detail: 'reset by the server' });
    expect(judge(errorOf('ETIMEDOUT'), '[::1]:80')).toEqual({ result: 'failed', detail: 'no answer from [::1]:80' });
  });
});
