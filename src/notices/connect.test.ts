import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { connectTo } from './connect.js';
import { endpointOf, inText, isHere } from './endpoint.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(host: string): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined).end('hello'));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

const never = new AbortController().signal;

describe('a connection', () => {
  it('finds the address that answers among all that a name has', async () => {
    const port = await listen('127.0.0.1');
    const socket = await connectTo({ host: 'localhost', port }, never);
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
  });

  it('that nobody takes says what each address said', async () => {
    await expect(connectTo({ host: '127.0.0.1', port: 1 }, never)).rejects.toThrow(
      '127.0.0.1:1 refused the connection',
    );
  });

  it('to a name that does not exist says so', async () => {
    await expect(connectTo({ host: 'nothing.invalid', port: 1 }, never)).rejects.toMatchObject({
      syscall: 'getaddrinfo',
    });
  });

  it('is given up at once when its time is over', async () => {
    const over = AbortSignal.abort(new Error('over'));
    await expect(connectTo({ host: '127.0.0.1', port: 1 }, over)).rejects.toThrow('over');
    await expect(connectTo({ host: 'localhost', port: 1 }, over)).rejects.toThrow('over');
  });
});

describe('an endpoint', () => {
  it.each([
    ['mail.example.org:587', { host: 'mail.example.org', port: 587 }],
    ['mail', { host: 'mail', port: 25 }],
    ['[::1]:2525', { host: '::1', port: 2525 }],
    ['[fe80::1]', { host: 'fe80::1', port: 25 }],
  ])('is a host and a port: %s', (text, endpoint) => expect(endpointOf(text, 25)).toEqual(endpoint));

  it('is written with brackets where it needs them, and knows whether it is here', () => {
    expect(inText({ host: '::1', port: 25 })).toBe('[::1]:25');
    expect(
      ['localhost', '127.0.0.53', '::1', 'localhost.example.org', '10.0.0.1'].map((host) => isHere({ host, port: 1 })),
    ).toEqual([true, true, true, false, false]);
  });
});
