// The control socket with the server behind it: where its listener comes from (the program before, systemd's store, or made
// anew), and that it goes on listening while the program is replaced. Knows no request.

import { lstatSync } from 'node:fs';
import { type ControlServer, mostConnections } from '../control/server.js';
import { type ControlListener, openControlListener } from '../kernel/control-listener.js';
import { dropDescriptors, storeDescriptor } from '../kernel/fd-store.js';

/** The name in UPKEEP_INHERIT and in systemd's store. */
const name = 'control';

export interface ControlSocketParts {
  readonly path: string;
  readonly server: ControlServer;
  /** Descriptors by name, the best first. */
  readonly inherited: readonly ReadonlyMap<string, number>[];
  /** NOTIFY_SOCKET of systemd; null: nobody would keep anything. */
  readonly manager: string | null;
}

export class ControlSocket {
  readonly name = 'the control socket';
  readonly #parts: ControlSocketParts;
  #listener: ControlListener | null = null;
  /** Lost: it was there, and could not be made anew. */
  #place: 'as wished' | 'lost' = 'as wished';

  constructor(parts: ControlSocketParts) {
    this.#parts = parts;
  }

  /** What the next program is given; empty while nobody listens. */
  get legacy(): Readonly<Record<string, number>> {
    return this.#listener === null ? {} : { [name]: this.#listener.fd };
  }

  /** @throws what the system says, when there can be no socket */
  async open(): Promise<void> {
    const { path, inherited, manager } = this.#parts;
    const offers = inherited.map((descriptors) => descriptors.get(name) ?? null);
    this.#listener = openControlListener(path, mostConnections, offers);
    await this.#answer(this.#listener);
    // Whatever comes of it: it is for the time after a death of ours, and there may be no room.
    // Only this one: a listener of before has the same name and the same path, and nobody reaches it.
    if (manager !== null) {
      dropDescriptors(manager, name);
      storeDescriptor(manager, name, this.#listener.fd);
    }
  }

  /** Who is connected is answered or cut off after `patience` milliseconds; who comes now waits in the kernel. */
  pause(patience: number): Promise<void> {
    return this.#listener === null ? Promise.resolve() : this.#parts.server.pause(patience);
  }

  async resume(): Promise<void> {
    if (this.#listener !== null) await this.#answer(this.#listener);
  }

  /** Can who comes now still find it? */
  isInPlace(): boolean {
    if (this.#listener === null) return this.#place === 'as wished';
    return this.#place === 'as wished' && lstatSync(this.#parts.path, { throwIfNoEntry: false })?.isSocket() === true;
  }

  /** In place of one whose path somebody has removed; who is connected stays so. */
  async renew(): Promise<void> {
    this.#parts.server.letGo();
    this.#listener?.close();
    this.#listener = null;
    this.#place = 'lost';
    await this.open();
    this.#place = 'as wished';
  }

  close(): void {
    const { manager, server } = this.#parts;
    server.close();
    if (manager !== null && this.#listener !== null) dropDescriptors(manager, name);
    this.#listener?.close();
    this.#listener = null;
  }

  #answer(listener: ControlListener): Promise<void> {
    return this.#parts.server.listen(listener.share());
  }
}
