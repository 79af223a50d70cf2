// Bytes → lines. A line without an end yet, and a line too long to hold, come in pieces; nothing is lost or changed.

import type { Chunk } from './log-view.js';

/** A line of a log, without its newline. `start` counts over the log's whole life. */
export interface Line {
  readonly start: number;
  readonly bytes: Buffer;
  /** `newline`: it is whole. `open`: the log ends here, without a newline. `more`: it goes on in the next piece. */
  readonly ends: 'newline' | 'open' | 'more';
}

/** A line, whose it is and when it was written, in ms since 1970; null where nobody knows. */
export interface LogLine extends Line {
  readonly service: string;
  readonly time: number | null;
}

/** Longer lines come in pieces of this many bytes. */
export const LONGEST_PIECE = 1024 * 1024;

export class LineSplitter {
  readonly #parts: Buffer[] = [];
  #length = 0;
  #start = 0;

  /** The lines that this chunk completes. */
  *add({ start, bytes }: Chunk): Generator<Line> {
    let at = 0;
    while (at < bytes.length) {
      if (this.#length === 0) this.#start = start + at;
      const newline = bytes.indexOf(0x0a, at);
      const room = LONGEST_PIECE - this.#length;
      const end = newline === -1 ? bytes.length : newline;
      if (end - at > room) {
        this.#hold(bytes.subarray(at, at + room));
        at += room;
        yield this.#take('more');
        continue;
      }
      this.#hold(bytes.subarray(at, end));
      at = end + 1;
      if (newline !== -1) yield this.#take('newline');
    }
  }

  /** What is left without a newline, if anything. */
  *rest(): Generator<Line> {
    if (this.#length > 0) yield this.#take('open');
  }

  /** Bytes that wait for their newline. */
  get waiting(): number {
    return this.#length;
  }

  #hold(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  #take(ends: Line['ends']): Line {
    const bytes = this.#parts.length === 1 ? (this.#parts[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#parts);
    this.#parts.length = 0;
    this.#length = 0;
    return { start: this.#start, bytes, ends };
  }
}
