// What the keeper itself says: one line each, to its own stderr and to syslog where there is one. Never throws, never
// waits: a terminal that is gone or a full disk behind stderr must not stop keeping.

import { writeSync } from 'node:fs';
import type { Change } from '../core/change.js';
import { type Level, messageOf } from '../core/message.js';
import type { ServiceSet } from '../core/state.js';
import type { Sink } from '../keeper/ports.js';

const severity: Readonly<Record<Level, number>> = { error: 3, warning: 4, notice: 5, info: 6, debug: 7 };

export interface KeeperLogOptions {
  readonly fd: number;
  /** `journal`: systemd reads our stderr, takes `<N>` as the severity and has its own times. */
  readonly form: 'plain' | 'journal';
  readonly syslog: ((severity: number, line: string) => void) | null;
  /** The least level that is written. */
  readonly least: Level;
  readonly now: () => Date;
}

export class KeeperLog implements Sink {
  readonly #options: KeeperLogOptions;
  /** Lines of this turn of the loop, written together when it ends. */
  #waiting: { readonly severity: number; readonly line: string; readonly at: Date }[] = [];
  #print: (text: string) => void;
  #dropped = 0;

  constructor(options: KeeperLogOptions) {
    this.#options = options;
    this.#print = (text) => this.#printNow(text);
  }

  /** Lines that could not be written to stderr. */
  get dropped(): number {
    return this.#dropped;
  }

  /** From now on somebody else waits for stderr, which may be a full pipe or a file on a disk that hangs. */
  printThrough(print: (text: string) => void): void {
    this.flush();
    this.#print = print;
  }

  tell(changes: readonly Change[], set: ServiceSet): void {
    for (const change of changes) {
      const message = messageOf(change, set.get(change.service) ?? null);
      if (message !== null) this.say(message.level, message.text);
    }
  }

  say(level: Level, text: string): void {
    const { least, now } = this.#options;
    if (severity[level] > severity[least]) return;
    if (this.#waiting.length === 0) setImmediate(() => this.flush());
    this.#waiting.push({ severity: severity[level], line: oneLine(text), at: now() });
  }

  /** Writes what waits. */
  flush(): void {
    const { form, syslog } = this.#options;
    const lines = this.#waiting;
    if (lines.length === 0) return;
    this.#waiting = [];
    for (const { severity: n, line } of lines) syslog?.(n, line);
    const prefixed = lines.map(({ severity: n, line, at }) =>
      form === 'journal' ? `<${n}>${line}\n` : `${at.toISOString()} ${levels[n] ?? ''} ${line}\n`,
    );
    this.#print(prefixed.join(''));
  }

  #printNow(text: string): void {
    try {
      writeSync(this.#options.fd, text);
    } catch {
      // EAGAIN of a slow pipe, EPIPE, ENOSPC, EIO of a terminal that is gone: it is lost, and counted.
      this.#dropped += 1;
    }
  }
}

const levels: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(severity).map(([word, n]) => [n, word]),
);

/** What a program or an operator wrote may hold anything; a line of the log is one line. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}
