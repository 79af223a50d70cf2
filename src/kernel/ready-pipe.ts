// `ready: {fd: N}`: the service writes a newline to descriptor N. The pipe for it, and the wait for the newline.

import type { ServiceName } from '../core/spec.js';
import type { Pump } from './pump.js';
import { close, EPOLLIN, O_CLOEXEC, O_NONBLOCK, pipe, read, SystemCallFailure } from './syscalls.js';

export interface ReadyPipe {
  /** The end for the child. Ours is closed by `listen` and `drop`. */
  readonly write: number;
  listen(service: ServiceName, onReady: () => void): void;
  drop(): void;
}

export class ReadyPipes {
  readonly #pump: Pump;
  readonly #reading = new Map<ServiceName, number>();

  constructor(pump: Pump) {
    this.#pump = pump;
  }

  /** Close-on-exec both: the child gets its end by dup2. Null when there are no descriptors left. */
  open(): ReadyPipe | null {
    let ends: readonly [number, number];
    try {
      ends = pipe(O_CLOEXEC | O_NONBLOCK);
    } catch (error) {
      if (error instanceof SystemCallFailure) return null;
      throw error;
    }
    const [fd, write] = ends;
    return {
      write,
      listen: (service, onReady) => {
        close(write);
        this.forget(service);
        this.#reading.set(service, fd);
        this.#pump.add(fd, EPOLLIN, () => this.#onReadable(service, fd, onReady));
      },
      drop: () => {
        close(fd);
        close(write);
      },
    };
  }

  forget(service: ServiceName): void {
    const fd = this.#reading.get(service);
    if (fd === undefined) return;
    this.#reading.delete(service);
    this.#pump.remove(fd);
    close(fd);
  }

  close(): void {
    for (const service of [...this.#reading.keys()]) this.forget(service);
  }

  #onReadable(service: ServiceName, fd: number, onReady: () => void): void {
    const buffer = Buffer.alloc(512);
    let length = 0;
    try {
      length = read(fd, buffer);
    } catch (error) {
      if (error instanceof SystemCallFailure && error.errno === 'EAGAIN') return;
      if (!(error instanceof SystemCallFailure)) throw error;
    }
    // Closed without a newline: it will not say any more, and the deadline of the start decides.
    if (length > 0 && buffer.subarray(0, length).includes(10)) onReady();
    else if (length > 0) return;
    this.forget(service);
  }
}
