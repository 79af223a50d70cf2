import { closeSync, openSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { factsOf } from './descriptor-facts.js';
import { AF_UNIX, bind, listen, SOCK_DGRAM, SOCK_STREAM, socket, unixAddress } from './sockets.js';
import { close, eventfd, O_NONBLOCK, pipe } from './syscalls.js';

const opened: number[] = [];
const closing = (fd: number): number => {
  opened.push(fd);
  return fd;
};
let server: Server | null = null;
afterEach(() => {
  for (const fd of opened.splice(0)) close(fd);
  server?.close();
  server = null;
});

describe('what the kernel says of a descriptor', () => {
  it('is of a file where it is and how it is open', () => {
    const fd = closing(openSync(import.meta.filename, 'a'));
    expect(factsOf(fd)).toMatchObject({
      type: 'file',
      at: import.meta.filename,
      peer: null,
      flags: ['wronly', 'append'],
    });
    expect(factsOf(fd).device).toMatch(/^\d+:\d+$/);
  });

  it('is of a pipe, a device, a directory and an eventfd what it is', () => {
    const [reader, writer] = pipe(O_NONBLOCK).map(closing) as [number, number];
    expect(factsOf(reader)).toMatchObject({ type: 'pipe', at: null, flags: ['rdonly', 'nonblock'] });
    expect(factsOf(writer).inode).toBe(factsOf(reader).inode);
    expect(factsOf(closing(openSync('/dev/null', 'r')))).toMatchObject({ type: 'device', at: '/dev/null' });
    expect(factsOf(closing(openSync('/', 'r')))).toMatchObject({ type: 'directory', at: '/' });
    expect(factsOf(closing(eventfd()))).toMatchObject({ type: 'other', at: 'anon_inode:[eventfd]' });
  });

  it('is of a Unix socket its path or name, and whether it listens', () => {
    const name = `@upkeep-facts-${process.pid}`;
    const listening = closing(socket(AF_UNIX, SOCK_STREAM, 0));
    bind(listening, unixAddress(name));
    listen(listening, 1);
    expect(factsOf(listening)).toMatchObject({ type: 'unix', is: 'listening', at: name, peer: null });
    expect(factsOf(closing(socket(AF_UNIX, SOCK_DGRAM, 0)))).toMatchObject({ type: 'unix', is: null, peer: null });
  });

  it.each(['127.0.0.1', '::1'])('is of a connection by %s both ends', async (host) => {
    const listening = createServer();
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, host, resolve));
    const { port } = listening.address() as AddressInfo;
    const client = connect(port, host);
    await new Promise((resolve) => client.once('connect', resolve));
    const text = (port: number | undefined): string => (host === '::1' ? `[::1]:${port}` : `${host}:${port}`);
    expect(factsOf(fdOf(client))).toMatchObject({
      type: 'tcp',
      is: 'connected',
      at: text(client.localPort),
      peer: text(port),
    });
    expect(factsOf(fdOf(listening))).toMatchObject({ type: 'tcp', is: 'listening', at: text(port), peer: null });
    client.destroy();
  });

  it('is refused of what is not open', () => {
    const fd = openSync('/dev/null', 'r');
    closeSync(fd);
    expect(() => factsOf(fd)).toThrow(/EBADF/);
  });
});

/** Node knows the number, and tells it only so. */
const fdOf = (one: Server | Socket): number =>
  (one as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
