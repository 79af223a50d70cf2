// `ready: {fd: N}`: the service writes a newline to descriptor N. A regular file takes it, not a pipe: nobody has to be there
// to read, so a service that says it is ready while the keeper is dead gets no SIGPIPE, and the next keeper finds what it
// said. Owns the directory of these files; it must not know what follows from being ready.

import { closeSync, constants, type FSWatcher, mkdirSync, openSync, readSync, rmSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { ServiceName } from '../core/spec.js';

/** Where the kernel does not tell of changes (no watches left, no directory), it is looked this often, in ms. */
const POLL = 200;

interface Wait {
  /** Bytes that were looked at. */
  seen: number;
  readonly onReady: () => void;
}

export class ReadyFiles {
  readonly #directory: string;
  readonly #waits = new Map<ServiceName, Wait>();
  /** Who may have a file. */
  readonly #made = new Set<ServiceName>();
  #watcher: FSWatcher | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * A descriptor (close-on-exec; the child gets its own by dup2) to hand to the next process of this service, which closes
   * it. Always a new file: one that an earlier process still writes to says nothing about this one. The service need not be
   * able to open it. @throws what the system says
   */
  make(service: ServiceName): number {
    // Made anew: whoever watched the old one hears nothing of this.
    if (mkdirSync(this.#directory, { recursive: true, mode: 0o700 }) !== undefined) this.#unwatch();
    this.#remove(service);
    this.#made.add(service);
    const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW } = constants;
    return openSync(this.#pathOf(service), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, 0o600);
  }

  /** Calls back once a newline was written, also if it was before this call, but never from within it. */
  await(service: ServiceName, onReady: () => void): void {
    this.#waits.set(service, { seen: 0, onReady });
    this.#made.add(service);
    this.#watch();
    // Armed first, then looked: what is written in between is told twice rather than not at all.
    setImmediate(() => this.#look(service));
  }

  /** It counts, or never will: what is written from now on goes to a file without a name, which goes with its last writer. */
  forget(service: ServiceName): void {
    this.#waits.delete(service);
    if (this.#made.delete(service)) this.#remove(service);
    if (this.#waits.size === 0) this.#unwatch();
  }

  /** Leaves the files: another keeper may go on waiting for them. */
  close(): void {
    this.#waits.clear();
    this.#unwatch();
  }

  #pathOf(service: ServiceName): string {
    return join(this.#directory, service);
  }

  #remove(service: ServiceName): void {
    rmSync(this.#pathOf(service), { force: true });
  }

  #watch(): void {
    if (this.#watcher !== null || this.#timer !== null) return;
    try {
      this.#watcher = watch(this.#directory, (_event, name) => {
        if (name === null) this.#lookAtAll();
        else this.#look(name as ServiceName);
      });
      this.#watcher.on('error', () => this.#poll());
    } catch {
      this.#poll();
    }
  }

  #poll(): void {
    this.#unwatch();
    this.#timer = setInterval(() => this.#lookAtAll(), POLL);
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = null;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #lookAtAll(): void {
    for (const service of [...this.#waits.keys()]) this.#look(service);
  }

  #look(service: ServiceName): void {
    const wait = this.#waits.get(service);
    if (wait === undefined || !this.#hasNewline(service, wait)) return;
    this.#waits.delete(service);
    wait.onReady();
  }

  #hasNewline(service: ServiceName, wait: Wait): boolean {
    let fd: number;
    try {
      fd = openSync(this.#pathOf(service), constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch {
      return false; // removed by somebody: the deadline of the start decides
    }
    try {
      const bytes = Buffer.alloc(4096);
      for (let n = readSync(fd, bytes, 0, bytes.length, wait.seen); n > 0; ) {
        if (bytes.subarray(0, n).includes(10)) return true;
        wait.seen += n;
        n = readSync(fd, bytes, 0, bytes.length, wait.seen);
      }
      return false;
    } finally {
      closeSync(fd);
    }
  }
}
