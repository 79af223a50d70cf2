// Operators' words that outlive a reboot: stops, starts and holds, in `<state>/words.json`. Written off the loop, newest
// version only. A word that lasts until the boot ends is not written.

import { isEqual } from '../core/difference.js';
import type { ServiceName } from '../core/spec.js';
import type { Hold, Override, Service } from '../core/state.js';

export interface Word {
  readonly override: Override | null;
  readonly hold: Hold | null;
}

/** Orders a file to be replaced; never throws, never waits. */
export type WriteLater = (path: string, text: string) => void;

export class Words {
  readonly #path: string;
  readonly #write: WriteLater;
  readonly #words: Map<string, Word>;

  /** `known`: what `readWords` found. */
  constructor(path: string, known: ReadonlyMap<string, Word>, write: WriteLater) {
    this.#path = path;
    this.#words = new Map(known);
    this.#write = write;
  }

  record(services: readonly Service[], removed: readonly ServiceName[]): void {
    let changed = false;
    for (const service of services) changed = this.#take(service) || changed;
    for (const name of removed) changed = this.#words.delete(name) || changed;
    if (changed) this.#write(this.#path, `${JSON.stringify({ version: 1, words: Object.fromEntries(this.#words) })}\n`);
  }

  #take({ spec, override, hold }: Service): boolean {
    const word: Word = { override: override?.lasts === 'always' ? override : null, hold };
    const known = this.#words.get(spec.name);
    if (word.override === null && word.hold === null) return known !== undefined && this.#words.delete(spec.name);
    if (known !== undefined && isEqual(known, word)) return false;
    this.#words.set(spec.name, word);
    return true;
  }
}

/** What the file says, by service. Throws a sentence when it is damaged. */
export function wordsIn(json: unknown, path: string): ReadonlyMap<string, Word> {
  if (json === null) return new Map();
  if (
    typeof json !== 'object' ||
    !('version' in json) ||
    !('words' in json) ||
    typeof json.words !== 'object' ||
    json.words === null
  ) {
    throw new Error(`${path} is damaged: it is not what upkeep writes there`);
  }
  if (typeof json.version !== 'number' || json.version > 1)
    throw new Error(`${path} was written by a newer upkeep; use that one`);
  // Only we write this file, in a directory that only we can write.
  return new Map(Object.entries(json.words as Readonly<Record<string, Word>>));
}
