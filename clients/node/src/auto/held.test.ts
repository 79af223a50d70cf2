import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { descriptorOf } from '../held-sockets.js';
import { heldListeners } from './held.js';

let directory: string;
const servers: Server[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-held-'));
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(directory, { recursive: true, force: true });
});

async function listen(where: {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}): Promise<Server> {
  const server = createServer().listen(where);
  servers.push(server);
  await once(server, 'listening');
  return server;
}

it('reads the addresses of both families and of Unix sockets from the kernel', async () => {
  const path = join(directory, 'a b.sock');
  const all = [
    await listen({ host: '127.0.0.1', port: 0 }),
    await listen({ host: '0.0.0.0', port: 0 }),
    await listen({ host: '::1', port: 0 }),
    await listen({ host: '::', port: 0 }),
    await listen({ path }),
  ];
  const named = all.map((server, index) => ({ name: `socket ${index}`, fd: descriptorOf(server) ?? -1 }));
  const addresses = all.map((server) => {
    const address = server.address() as AddressInfo | string;
    return typeof address === 'string'
      ? { type: 'unix', path: address }
      : { type: 'tcp', host: address.address, port: address.port };
  });
  expect(heldListeners(named)).toEqual(named.map((one, index) => ({ ...one, address: addresses[index] })));
});

it('takes nothing that does not listen, and nothing that is closed', () => {
  expect(heldListeners([{ name: 'terminal', fd: 0 }])).toEqual([]);
  expect(heldListeners([{ name: 'gone', fd: 9999 }])).toEqual([]);
});
