// Hands what a service writes on to syslog, line by line, out of a short log of its own: so the service waits neither
// for the keeper nor for the receiver, and nothing is missing after the keeper was away. Runs in the disk thread.

import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { sentPath } from './log-files.js';

/** Takes a line without its newline. Never waits: what the receiver does not take at once it drops. */
export type SendLine = (service: string, line: string) => void;

// What is handed on at one look, and what may wait: beyond that the oldest is passed over, and counted.
const MOST_AT_ONCE = 1024 * 1024;
const MOST_WAITING = 16 * 1024 * 1024;
// A line longer than this is handed on in pieces, of which syslog takes the beginning.
const CHUNK = 64 * 1024;

export interface Forwarded {
  readonly skipped: number;
  readonly left: 'some' | 'none';
}

export class Forwarder {
  readonly #log: string;
  readonly #service: string;
  readonly #send: SendLine;
  /** Counted over the log's whole life. */
  #sent: number;

  /** `begin`: the first byte to hand on of a log of which nothing was yet. */
  constructor(log: string, service: string, send: SendLine, begin: number) {
    this.#log = log;
    this.#service = service;
    this.#send = send;
    this.#sent = readSent(log) ?? begin;
  }

  /** Up to where everything was handed on, over the log's whole life. */
  get sent(): number {
    return this.#sent;
  }

  /** Hands on the whole lines up to `end` of a log that begins at `base`. After a death of the keeper some may come twice, none is missing. @throws the error of the disk */
  forward(base: number, end: number): Forwarded {
    const from = Math.max(this.#sent, base, end - MOST_WAITING);
    const skipped = from - this.#sent;
    const before = this.#sent;
    this.#sent = Math.min(from, end);
    const fd = openSync(this.#log, 'r');
    try {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const until = Math.min(end, this.#sent + MOST_AT_ONCE);
      while (this.#sent < until) {
        const n = readSync(fd, chunk, 0, CHUNK, this.#sent - base);
        const whole = wholeLines(chunk.subarray(0, n));
        if (whole.length === 0) break;
        this.#sendLines(whole.toString());
        this.#sent += whole.length;
      }
      if (this.#sent !== before) writeFileSync(sentPath(this.#log), `${this.#sent}\n`, { mode: 0o640 });
      return { skipped, left: this.#sent >= until && until < end ? 'some' : 'none' };
    } finally {
      closeSync(fd);
    }
  }

  #sendLines(text: string): void {
    for (const line of text.split('\n')) {
      // One line is one message; what could break or colour it is taken out.
      const clean = line.replace(/\p{Cc}+/gu, ' ').trimEnd();
      if (clean !== '') this.#send(this.#service, clean);
    }
  }
}

/** Up to the last newline; all of it when a line fills it. */
function wholeLines(bytes: Buffer): Buffer {
  if (bytes.length === CHUNK && !bytes.includes(0x0a)) return bytes;
  return bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
}

function readSent(log: string): number | null {
  try {
    const text = readFileSync(sentPath(log), 'latin1');
    return /^\d{1,15}\n$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}
