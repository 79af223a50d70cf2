// Tells once when somebody wants a service: a connection or a datagram waits at one of these sockets, and nobody takes it. It
// must not know what a service is started for.

import type { ServiceName } from '../core/spec.js';
import type { Pump } from './pump.js';
import { EPOLLIN } from './syscalls.js';

interface Wait {
  readonly fds: readonly number[];
  readonly onConnected: () => void;
}

export class ConnectionWatch {
  readonly #pump: Pump;
  readonly #waits = new Map<ServiceName, Wait>();

  constructor(pump: Pump) {
    this.#pump = pump;
  }

  /** Never calls back from within. The members of a pool wait at the same sockets, and all are told. @throws SystemCallFailure */
  await(service: ServiceName, fds: readonly number[], onConnected: () => void): void {
    this.stop(service);
    const watched = this.#watched();
    this.#waits.set(service, { fds, onConnected });
    // Level-triggered: what came before is told too.
    for (const fd of fds) if (!watched.has(fd)) this.#pump.add(fd, EPOLLIN, () => this.#tell(fd));
  }

  stop(service: ServiceName): void {
    const wait = this.#waits.get(service);
    if (wait === undefined) return;
    this.#waits.delete(service);
    const watched = this.#watched();
    for (const fd of wait.fds) if (!watched.has(fd)) this.#pump.remove(fd);
  }

  /** It is about to be closed. */
  drop(fd: number): void {
    for (const [service, wait] of [...this.#waits])
      if (wait.fds.includes(fd)) this.#waits.set(service, { ...wait, fds: wait.fds.filter((other) => other !== fd) });
    this.#pump.remove(fd);
  }

  #watched(): ReadonlySet<number> {
    return new Set([...this.#waits.values()].flatMap(({ fds }) => fds));
  }

  #tell(fd: number): void {
    for (const [service, { fds, onConnected }] of [...this.#waits]) {
      if (!fds.includes(fd)) continue;
      this.stop(service);
      onConnected();
    }
  }
}
