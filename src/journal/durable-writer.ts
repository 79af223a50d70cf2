// Writes the keeper's small files in the disk thread. What cannot be written now is tried again until it can, or until
// a newer version comes: an operator's word must not be lost to a disk that was full for a minute.

import { errorText } from '../core/error-text.js';
import { writeDurably } from './durable-file.js';
import type { WriteJob } from './job.js';

const AGAIN_MS = 5_000;

export class DurableWriter {
  readonly #tell: (problem: string, error: string) => void;
  /** By path; what could not be written, in its newest version. */
  readonly #unwritten = new Map<string, WriteJob>();
  #timer: NodeJS.Timeout | null = null;

  constructor(tell: (problem: string, error: string) => void) {
    this.#tell = tell;
  }

  /** Never throws: what goes wrong is told once, and that it went well afterwards. */
  perform(job: WriteJob): void {
    const before = this.#unwritten.get(job.path);
    try {
      writeDurably(job.path, job.text);
      this.#unwritten.delete(job.path);
      if (before !== undefined) this.#tell(`${job.path} is written again`, '');
    } catch (error) {
      this.#unwritten.set(job.path, job);
      this.#tryLater();
      if (before !== undefined) return;
      const seconds = AGAIN_MS / 1000;
      this.#tell(
        `${job.path} cannot be written and would be old after a reboot; tried again every ${seconds} s`,
        errorText(error),
      );
    }
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #tryLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      for (const job of [...this.#unwritten.values()]) this.perform(job);
    }, AGAIN_MS);
  }
}
