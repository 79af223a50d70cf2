// The progress stamp, `<runtime>/progress`: one line `<seconds of /proc/uptime> <pid>`, by which a check from outside sees
// that the keeper's loop turns, not only that a process is there. Owns the file; when it is renewed is for the pulse.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bootSeconds } from '../kernel/boot-clock.js';

export const progressPath = (runtime: string): string => join(runtime, 'progress');

export interface Stamp {
  readonly at: number;
  readonly pid: number;
}

/** null: it is not what a keeper writes, or half of it. */
export function stampIn(text: string): Stamp | null {
  const [, at, pid] = /^(\d+\.\d\d) (\d+)\n$/.exec(text) ?? [];
  return at === undefined ? null : { at: Number(at), pid: Number(pid) };
}

export class Progress {
  readonly #path: string;
  #state: 'fresh' | 'idle' | 'writing' = 'fresh';

  constructor(runtime: string) {
    this.#path = progressPath(runtime);
  }

  /**
   * Says that the loop has its turn now: the time is taken here. Written by libuv's pool, since for an ordinary user the
   * file may be on a disk that hangs, and not by the disk thread: a log disk that hangs would make a living keeper look dead.
   * While one write is under way no other is begun.
   */
  renew(): void {
    if (this.#state === 'writing') return;
    const line = `${bootSeconds().toFixed(2)} ${process.pid}\n`;
    // In place from the second time on: the number only gets longer, and a reader never finds an empty file.
    const flag = this.#state === 'fresh' ? 'w' : 'r+';
    this.#state = 'writing';
    writeFile(this.#path, line, { flag, mode: 0o644 }).then(
      () => {
        this.#state = 'idle';
      },
      () => {
        // Removed, or the disk is full: made anew the next time. A check that finds none does nothing.
        this.#state = 'fresh';
      },
    );
  }
}
