import { once } from 'node:events';
import { Agent, createServer, get, type Server as HttpServer, type IncomingMessage } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2 } from 'node:http2';
import { createServer as createSecure, get as getSecure, Agent as SecureAgent } from 'node:https';
import { type AddressInfo, connect, createServer as createNet, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { certificate } from '../../../../test/support/certificate.js';
import { graceful } from './drain.js';

const opened: { destroy(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.destroy();
});

const keep = <T extends { destroy(): void }>(one: T): T => {
  opened.push(one);
  return one;
};

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A connection that the server has accepted. */
async function accepted(server: Server, port: number): Promise<Socket> {
  const seen = once(server, 'connection');
  const socket = keep(connect(port, '127.0.0.1'));
  socket.setEncoding('latin1');
  await seen;
  return socket;
}

/** All that comes until it contains this. */
async function readUntil(socket: Socket, wanted: string): Promise<string> {
  let all = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    all += chunk;
    if (all.includes(wanted)) return all;
  }
  throw new Error(`it ended before ${JSON.stringify(wanted)} came: ${JSON.stringify(all)}`);
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: here\r\n\r\n';
const hello = (): HttpServer => createServer((_request, response) => response.end('hello'));

it('is over at once where nobody is connected (library E5)', async () => {
  const server = hello();
  const { drain } = graceful(server);
  await listen(server);
  expect(await drain()).toEqual({ cut: 0 });
  expect(server.listening).toBe(false);
});

it('serves a connection that was accepted and had asked nothing yet (library E5)', async () => {
  const server = hello();
  const { drain } = graceful(server);
  const socket = await accepted(server, await listen(server));
  const end = drain({ pause: 10, freshPause: 60_000 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.write(REQUEST);
  expect(await readUntil(socket, 'hello')).toContain('Connection: close');
  expect(await end).toEqual({ cut: 0 });
});

it('answers a request that is on its way on a kept connection, which close() resets (library E5)', async () => {
  for (const [kind, outcome] of [
    ['graceful', /hello$/],
    ['plain', /^lost$/],
  ] as const) {
    const server = hello();
    const { drain } = graceful(server);
    const socket = await accepted(server, await listen(server));
    socket.write(REQUEST);
    await readUntil(socket, 'hello');
    socket.on('error', () => {});
    socket.write(REQUEST); // The kernel has it before this returns, and the server reads it in a later turn of the loop.
    const end = kind === 'graceful' ? drain() : once(server.close(), 'close');
    expect(await readUntil(socket, 'hello').catch(() => 'lost')).toMatch(outcome);
    await end;
  }
});

it('closes a connection that never asks, after the longer pause', async () => {
  const server = hello();
  const { drain } = graceful(server);
  const socket = await accepted(server, await listen(server));
  const closed = once(socket, 'close');
  socket.resume();
  expect(await drain({ pause: 10, freshPause: 50 })).toEqual({ cut: 0 });
  await closed;
});

it('answers what was asked before and after it began, and tells every client to close (library E5)', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/slow') finish = () => response.end('slow');
    else response.end('quick');
  });
  let finish = (): unknown => undefined;
  const { drain } = graceful(server);
  const port = await listen(server);
  const agent = keep(new Agent({ keepAlive: true }));
  const ask = (path: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => get({ port, agent, path }, resolve).on('error', reject));
  const first = await ask('/quick');
  expect(first.headers.connection).toBe('keep-alive');
  await text(first);
  const began = once(server, 'request');
  const slow = ask('/slow');
  await began;
  const other = await accepted(server, port);
  const end = drain({ pause: 20, freshPause: 60_000 });
  other.write(REQUEST.replace('/', '/quick'));
  expect(await readUntil(other, 'quick')).toContain('Connection: close');
  finish();
  const answer = await slow;
  expect(answer.headers.connection).toBe('close');
  expect(await text(answer)).toBe('slow');
  expect(await end).toEqual({ cut: 0 });
});

it('answers all requests of a connection that asked several at once', async () => {
  const answers: (() => void)[] = [];
  const server = createServer((request, response) => answers.push(() => response.end(`(${request.url})`)));
  const { drain } = graceful(server);
  const socket = await accepted(server, await listen(server));
  const began = once(server, 'request');
  socket.write(REQUEST.replace('/', '/1'));
  await began;
  const end = drain();
  const second = once(server, 'request');
  socket.write(REQUEST.replace('/', '/2'));
  await second;
  for (const answer of answers) answer();
  expect(await readUntil(socket, '(/2)')).toMatch(/keep-alive[\s\S]*\(\/1\)[\s\S]*Connection: close[\s\S]*\(\/2\)/);
  await end;
});

it('waits for a request whose head is not whole yet', async () => {
  const server = hello();
  const { drain } = graceful(server);
  const connection = once(server, 'connection');
  const socket = await accepted(server, await listen(server));
  const peer: Socket = (await connection)[0];
  socket.write(REQUEST);
  await readUntil(socket, 'hello');
  socket.write('GET / HT');
  await expect.poll(() => peer.bytesRead).toBeGreaterThan(REQUEST.length);
  const end = drain({ pause: 10, freshPause: 10 });
  await new Promise((resolve) => setTimeout(resolve, 150));
  socket.write('TP/1.1\r\nHost: here\r\n\r\n');
  expect(await readUntil(socket, 'hello')).toContain('Connection: close');
  await end;
});

it('tells a WebSocket to close with 1001, and waits for its client (library E5)', async () => {
  const server = hello();
  const { drain } = graceful(server);
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.on('data', () => socket.end());
  });
  const socket = await accepted(server, await listen(server));
  socket.write(REQUEST.replace('\r\n\r\n', '\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'));
  await readUntil(socket, '\r\n\r\n');
  const end = drain({ pause: 10, freshPause: 10 });
  expect(await readUntil(socket, '\x03\xe9')).toBe('\x88\x02\x03\xe9');
  socket.write('\x88\x82\0\0\0\0\x03\xe9', 'latin1');
  expect(await end).toEqual({ cut: 0 });
});

it('does not accept an upgrade that the program does not', async () => {
  const server = hello();
  graceful(server);
  const socket = await accepted(server, await listen(server));
  socket.write(REQUEST.replace('\r\n\r\n', '\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'));
  expect(await readUntil(socket, 'hello')).toContain('200 OK');
  socket.destroy();
  server.close();
});

it('tells a raw connection by the way that the program gives, and ends it at the deadline', async () => {
  const server = createNet((socket) => socket.on('error', () => {}));
  const { drain } = graceful(server, (socket) => socket.write('bye'));
  const port = await listen(server);
  const [polite, stubborn] = [await accepted(server, port), await accepted(server, port)];
  const end = drain({ within: 500 });
  await readUntil(polite, 'bye');
  polite.end();
  await readUntil(stubborn, 'bye');
  expect(await end).toEqual({ cut: 1 });
});

it('lets the streams of HTTP/2 finish, also those that a client opens before it hears of the end (library E5)', async () => {
  const finish: (() => void)[] = [];
  const server = createHttp2((_request, response) => finish.push(() => response.end('done')));
  const { drain } = graceful(server);
  const client = keep(connectHttp2(`http://127.0.0.1:${await listen(server)}`));
  const goaway = once(client, 'goaway');
  const first = client.request({ ':path': '/1' });
  await expect.poll(() => finish.length).toBe(1);
  const second = client.request({ ':path': '/2' });
  // A client sends at the end of its turn: now it has, and the server has not read it.
  await new Promise((resolve) => setImmediate(resolve));
  expect(finish.length).toBe(1);
  const end = drain({ pause: 50, freshPause: 50 });
  await expect.poll(() => finish.length).toBe(2);
  expect((await goaway)[0]).toBe(0);
  for (const one of finish) one();
  expect([await text(first), await text(second)]).toEqual(['done', 'done']);
  expect(await end).toEqual({ cut: 0 });
});

it('ends a session of HTTP/2 that asks nothing', async () => {
  const server = createHttp2();
  const { drain } = graceful(server);
  const session = once(server, 'session');
  const client = keep(connectHttp2(`http://127.0.0.1:${await listen(server)}`));
  await session;
  const closed = once(client, 'close');
  expect(await drain({ pause: 10, freshPause: 10 })).toEqual({ cut: 0 });
  await closed;
});

it('drains https as http (library E5)', async () => {
  const { key, cert } = certificate();
  const server = createSecure({ key, cert }, (_request, response) => response.end('hello'));
  const { drain } = graceful(server);
  const port = await listen(server);
  const agent = keep(new SecureAgent({ keepAlive: true, rejectUnauthorized: false }));
  const ask = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => getSecure({ port, agent }, resolve).on('error', reject));
  await text(await ask());
  const end = drain({ pause: 60_000, freshPause: 60_000 });
  const answer = await ask();
  expect(answer.headers.connection).toBe('close');
  await text(answer);
  expect(await end).toEqual({ cut: 0 });
});

it('closes a connection of TLS that says nothing, and none that has asked', async () => {
  const { key, cert } = certificate();
  const server = createSecure({ key, cert }, (_request, response) => response.end('hello'));
  const { drain } = graceful(server);
  const port = await listen(server);
  const agent = keep(new SecureAgent({ keepAlive: true, rejectUnauthorized: false }));
  const ask = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => getSecure({ port, agent }, resolve).on('error', reject));
  await text(await ask());
  const silent = await accepted(server, port);
  const end = drain({ pause: 60_000, freshPause: 50 });
  await once(silent.resume(), 'close');
  expect(await text(await ask())).toBe('hello');
  expect(await end).toEqual({ cut: 0 });
});

it('can listen and drain again', async () => {
  const server = hello();
  const { drain } = graceful(server);
  for (const _ of [1, 2]) {
    await listen(server);
    expect(await drain()).toEqual({ cut: 0 });
  }
  expect(await drain()).toEqual({ cut: 0 });
});
