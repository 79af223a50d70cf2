// What happened and is not on disk yet, in the history and with those who tell people: kept in the journal until they say so.
// Bounded, because a disk may hang for days; what had to be thrown away is counted. It must not know what an entry says.

import type { Entry } from '../core/entry.js';
import { encodeLine } from './line.js';

interface EntryLine {
  readonly e: Entry;
}

interface ToldLine {
  /** All up to this number are told. */
  readonly t: number;
}

export const isEntry = (value: unknown): value is EntryLine =>
  typeof value === 'object' && value !== null && 'e' in value;
export const isTold = (value: unknown): value is ToldLine =>
  typeof value === 'object' && value !== null && 't' in value && typeof value.t === 'number';

/** Some megabytes: a night of a service that dies each second. */
const most = 20_000;

export class Untold {
  readonly #lines = new Map<number, string>();
  #bytes = 0;
  #last: number;
  #dropped = 0;

  constructor(found: readonly Entry[], last: number) {
    this.#last = last;
    for (const entry of found) this.#keep(entry.number, encodeLine({ e: entry }));
  }

  /** The highest number that was ever given. */
  get last(): number {
    return this.#last;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** The lines for these. */
  add(entries: readonly Entry[]): string {
    let text = '';
    for (const entry of entries) {
      const line = encodeLine({ e: entry } satisfies EntryLine);
      this.#keep(entry.number, line);
      this.#last = entry.number;
      text += line;
    }
    return text;
  }

  /** All up to this number are told; the line that says so. */
  told(number: number): string {
    for (const [kept, line] of this.#lines) {
      if (kept > number) break;
      this.#bytes -= line.length;
      this.#lines.delete(kept);
    }
    return encodeLine({ t: number } satisfies ToldLine);
  }

  /** For a journal that is written anew: what is untold, and how far the numbers have come. */
  lines(): readonly string[] {
    const [first] = this.#lines.keys();
    return [encodeLine({ t: (first ?? this.#last + 1) - 1 } satisfies ToldLine), ...this.#lines.values()];
  }

  #keep(number: number, line: string): void {
    this.#lines.set(number, line);
    this.#bytes += line.length;
    const [oldest] = this.#lines;
    if (this.#lines.size <= most || oldest === undefined) return;
    this.#lines.delete(oldest[0]);
    this.#bytes -= oldest[1].length;
    this.#dropped += 1;
  }
}
