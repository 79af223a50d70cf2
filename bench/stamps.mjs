// The ear of the bench: one FIFO into which every service tells when it ran its first instruction.
import { chmodSync, constants, copyFileSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './programs.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));

/** CLOCK_MONOTONIC in nanoseconds: the clock of stamp.c. */
export function now() {
  return Number(process.hrtime.bigint());
}

/**
 * Builds the service program at `path`. @returns {'static' | 'perl'} static: the C program; perl: there is no
 * compiler here, and Perl's own start is part of every figure.
 */
export function buildStamp(path) {
  try {
    run(['gcc', '-O2', '-static', '-nostartfiles', '-fno-stack-protector', '-o', path, join(HERE, 'stamp.c')]);
    return 'static';
  } catch (error) {
    process.stderr.write(`bench: no C program here, Perl instead: ${error.message}\n`);
  }
  copyFileSync(join(HERE, 'stamp.pl'), path);
  chmodSync(path, 0o755);
  return 'perl';
}

export class Stamps {
  /** Newest stamp of a start, by service. @type {Map<string, {pid: number, at: number}>} */
  started = new Map();
  /** Newest daemon that a start left behind. @type {Map<string, {pid: number, at: number}>} */
  daemons = new Map();
  /** When each was ready last, by service. @type {Map<string, {pid: number, at: number}>} */
  ready = new Map();
  /** How many starts each service had. @type {Map<string, number>} */
  counts = new Map();
  #waiting = new Set();
  #rest = '';
  #socket;

  constructor(fifo) {
    run(['mkfifo', '-m', '666', fifo]);
    // Read-write, so that no writer ever finds it without a reader and we never see its end.
    const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    chmodSync(fifo, 0o666);
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text) => this.#take(text));
  }

  #take(text) {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop();
    for (const line of lines) {
      const [kind, name, pid, at] = line.split(' ');
      const stamp = { pid: Number(pid), at: Number(at) };
      if (kind === 'S') {
        this.started.set(name, stamp);
        this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      } else if (kind === 'R') this.ready.set(name, stamp);
      else this.daemons.set(name, stamp);
    }
    this.look();
  }

  /** Something else that somebody waits for may have happened. */
  look() {
    for (const waiting of this.#waiting) {
      if (!waiting.isMet()) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(true);
    }
  }

  /** Resolves true as soon as `isMet` says so, looked at whenever a stamp comes or `look` is called; false after `millis`. */
  until(isMet, millis) {
    if (isMet()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiting = { isMet, resolve };
      this.#waiting.add(waiting);
      const timer = setTimeout(() => {
        if (this.#waiting.delete(waiting)) resolve(false);
      }, millis);
      waiting.resolve = (value) => {
        clearTimeout(timer);
        resolve(value);
      };
    });
  }

  forget(names) {
    for (const name of names) {
      this.started.delete(name);
      this.daemons.delete(name);
      this.ready.delete(name);
      this.counts.delete(name);
    }
  }

  close() {
    this.#socket.destroy();
  }
}
