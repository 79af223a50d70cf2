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
  #dropped = 0;

  constructor(options: KeeperLogOptions) {
    this.#options = options;
  }

  /** Lines that could not be written to stderr. */
  get dropped(): number {
    return this.#dropped;
  }

  tell(changes: readonly Change[], set: ServiceSet): void {
    for (const change of changes) {
      const message = messageOf(change, set.get(change.service) ?? null);
      if (message !== null) this.say(message.level, message.text);
    }
  }

  say(level: Level, text: string): void {
    const { least, syslog, form, now, fd } = this.#options;
    if (severity[level] > severity[least]) return;
    const line = oneLine(text);
    syslog?.(severity[level], line);
    const prefix = form === 'journal' ? `<${severity[level]}>` : `${now().toISOString()} ${level} `;
    try {
      writeSync(fd, `${prefix}${line}\n`);
    } catch {
      // EAGAIN of a slow pipe, EPIPE, ENOSPC, EIO of a terminal that is gone: the line is lost, and counted.
      this.#dropped += 1;
    }
  }
}

/** What a program or an operator wrote may hold anything; a line of the log is one line. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}
