import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import { expect, it } from 'vitest';
import { dropDescriptors, storeDescriptor, takeStored } from './fd-store.js';
import { AF_UNIX, bind, MSG_DONTWAIT, SOCK_DGRAM, socket } from './sockets.js';
import { close, libc, pipe, read, write } from './syscalls.js';

const crecvmsg = libc.func('long recvmsg(int fd, void *message, int flags)');

/** The datagram, and the descriptor that came with it. */
function receive(fd: number): { readonly text: string; readonly descriptor: number } {
  const [text, vector, rights, message] = [Buffer.alloc(4096), Buffer.alloc(16), Buffer.alloc(24), Buffer.alloc(56)];
  vector.writeBigUInt64LE(BigInt(koffi.address(text)), 0);
  vector.writeBigUInt64LE(BigInt(text.length), 8);
  message.writeBigUInt64LE(BigInt(koffi.address(vector)), 16);
  message.writeBigUInt64LE(1n, 24);
  message.writeBigUInt64LE(BigInt(koffi.address(rights)), 32);
  message.writeBigUInt64LE(24n, 40);
  const length = Number(crecvmsg(fd, message, MSG_DONTWAIT));
  return { text: text.toString('utf8', 0, length), descriptor: rights.readInt32LE(16) };
}

it.each(['/notify', '@'])('hands the very file to the manager at %s, under its name', (kind) => {
  const directory = mkdtempSync(join(tmpdir(), 'upkeep-store-'));
  const path = kind === '@' ? `@upkeep-test-${process.pid}` : join(directory, 'notify');
  const address = Buffer.from(`\u0001\u0000${path}${kind === '@' ? '' : '\0'}`);
  if (kind === '@') address[2] = 0;
  const manager = socket(AF_UNIX, SOCK_DGRAM, 0);
  bind(manager, address);
  const [reader, writer] = pipe();
  expect(storeDescriptor(path, 'control', writer)).toBeNull();
  close(writer);
  const { text, descriptor } = receive(manager);
  expect(text).toBe('FDSTORE=1\nFDNAME=control');
  write(descriptor, Buffer.from('hello'));
  const buffer = Buffer.alloc(16);
  expect(buffer.toString('utf8', 0, read(reader, buffer))).toBe('hello');
  for (const fd of [reader, descriptor, manager]) close(fd);
  rmSync(directory, { recursive: true });
});

it('has the manager forget all of a name, and sends no descriptor with that', () => {
  const path = `@upkeep-test-drop-${process.pid}`;
  const address = Buffer.from(`\u0001\u0000${path}`);
  address[2] = 0;
  const manager = socket(AF_UNIX, SOCK_DGRAM, 0);
  bind(manager, address);
  expect(dropDescriptors(path, 'control')).toBeNull();
  expect(receive(manager)).toEqual({ text: 'FDSTOREREMOVE=1\nFDNAME=control', descriptor: 0 });
  close(manager);
});

it('says why when nobody takes it', () => {
  expect(storeDescriptor('/nonexistent/notify', 'control', 0)).toBe('ENOENT');
});

it('is given back by name, and nobody else is told of it', () => {
  const environment = { LISTEN_PID: String(process.pid), LISTEN_FDS: '2', LISTEN_FDNAMES: 'other:control', HOME: '/' };
  expect(takeStored(environment)).toEqual(
    new Map([
      ['other', 3],
      ['control', 4],
    ]),
  );
  expect(environment).toEqual({ HOME: '/' });
});

it('is nothing where the variables are for another process, or make no sense', () => {
  const own = String(process.pid);
  for (const [LISTEN_PID, LISTEN_FDS] of [
    ['1', '1'],
    [own, 'x'],
    [own, '-1'],
    [own, '99999999'],
    [own, ''],
  ] as const)
    expect(takeStored({ LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES: 'control' }).size).toBe(0);
  expect(takeStored({}).size).toBe(0);
});
