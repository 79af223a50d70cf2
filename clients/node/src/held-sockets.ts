// The listening sockets of this process by their names: those that came from outside and those that it opened. Owns who listens
// on which, and which descriptor a successor gets for a name.

import { chmodSync, renameSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import type { Address } from './service-type.js';
import type { NamedDescriptor } from './sockets.js';

type PathAddress = Extract<Address, { path: string }>;

export class HeldSockets {
  readonly isHeldByManager: boolean;
  readonly #from: 'manager' | 'generation';
  /** Nobody of ours listens on these yet. */
  readonly #unused: NamedDescriptor[];
  readonly #servers = new Map<Server, string>();
  /** Of Unix sockets, where their going is for us to see to. */
  readonly #paths: string[] = [];

  /** `from`: a manager keeps its own hand on the sockets that it gives, and on their paths; a generation before did not. */
  constructor(inherited: readonly NamedDescriptor[], from: 'manager' | 'generation') {
    this.#unused = [...inherited];
    this.#from = from;
    this.isHeldByManager = from === 'manager' && inherited.length > 0;
  }

  /** All that a successor is to get. */
  get descriptors(): readonly NamedDescriptor[] {
    const listening = [...this.#servers].flatMap(([server, name]) => {
      const fd = descriptorOf(server);
      return fd === null ? [] : [{ name, fd }];
    });
    return [...listening, ...this.#unused];
  }

  hold(server: Server, name: string): void {
    this.#servers.set(server, name);
  }

  /** @throws where there is no such socket and no address either */
  async listen(server: Server, name: string, address: Address | null): Promise<void> {
    const index = this.#unused.findIndex((one) => one.name === name);
    const inherited = this.#unused[index];
    if (inherited !== undefined) {
      this.#unused.splice(index, 1);
      await listening(server, () => server.listen({ fd: inherited.fd }));
      if (this.#from === 'generation' && address !== null && 'path' in address) this.#paths.push(address.path);
    } else if (address === null) {
      throw new Error(`there is no socket named ${name}, and no address was given for it`);
    } else if ('path' in address) {
      await this.#listenAtPath(server, address);
    } else {
      await listening(server, () => server.listen(address));
    }
    this.hold(server, name);
  }

  /** This was the last generation: its paths lead nowhere now. */
  removePaths(): void {
    for (const path of this.#paths.splice(0)) rmSync(path, { force: true });
  }

  /**
   * Node removes the path of a Unix socket when its server is closed, and a successor still listens there. So the socket is
   * made under another name, which is all that Node knows to remove, and takes the place of whatever was left by then.
   */
  async #listenAtPath(server: Server, { path, mode = 0o600, backlog }: PathAddress): Promise<void> {
    const first = `${path}.${process.pid}`;
    rmSync(first, { force: true });
    // Node binds within the call: nobody else's file gets these permission bits.
    const before = process.umask(0o177);
    const listens = listening(server, () => server.listen({ path: first, ...backlogOf(backlog) }));
    process.umask(before);
    await listens;
    chmodSync(first, mode);
    renameSync(first, path);
    this.#paths.push(path);
  }
}

const backlogOf = (backlog: number | undefined): { backlog?: number } => (backlog === undefined ? {} : { backlog });

function listening(server: Server, start: () => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    start();
  });
}

/** The number of the descriptor that a server listens on. No documented word of Node tells it. */
export function descriptorOf(server: Server): number | null {
  const handle: unknown = Reflect.get(server, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : null;
  return typeof fd === 'number' && fd >= 0 ? fd : null;
}
