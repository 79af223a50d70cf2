// What the checks of a protocol need on either side before they begin: a place for each, its script there, and the addresses of its
// sockets.

import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Check } from './protocol-check.js';
import { OWN_SENDER, SENDER } from './protocol-sender.js';

export interface Staged {
  readonly check: Check;
  readonly name: string;
  readonly place: string;
  /** What the service is started by. */
  readonly command: readonly string[];
  readonly addressOf: (socket: string) => string | number;
}

export async function staged(checks: readonly Check[], home: string): Promise<readonly Staged[]> {
  mkdirSync(home, { recursive: true });
  const all: Staged[] = [];
  for (const check of checks) {
    const place = join(home, check.id);
    mkdirSync(place);
    // Whoever its user is.
    chmodSync(place, 0o777);
    copyFileSync(SENDER, join(place, OWN_SENDER));
    writeFileSync(join(place, 'run.sh'), `cd ${place}\n${check.script(place)}\n`);
    const addresses = new Map<string, string | number>();
    for (const { name, type } of check.sockets ?? [])
      addresses.set(name, type === 'path' ? join(place, `${name}.sock`) : await freePort());
    all.push({
      check,
      name: `check-${check.id}`,
      place,
      command: ['/bin/sh', join(place, 'run.sh')],
      addressOf: (socket) => {
        const address = addresses.get(socket);
        if (address === undefined) throw new Error(`${check.id} has no socket ${socket}`);
        return address;
      },
    });
  }
  return all;
}

export const isLazy = ({ sockets = [] }: Check): boolean => sockets.some(({ start }) => start === 'lazy');

/** Not given again while this process lives: the kernel goes on from the last one. */
/** One that was free a moment ago may be given a second time. */
const given = new Set<number>();

async function freePort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  if (given.has(port)) return freePort();
  given.add(port);
  return port;
}
