// Letters that wait for their channel, one file each, and beside them how far the desk has told: written together, so that
// whoever dies in between leaves either all of it or nothing that counts. Synchronous, for a thread that may wait for a disk.
// It must not know how a letter is sent, nor what the desk keeps.

import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../core/error-text.js';
import type { Letter } from '../core/notice.js';
import { type Envelope, envelopeOf, readStored, type StoredLetter, type Written } from './outbox-file.js';
import { preparePlace, readOwn } from './outbox-place.js';

/** How files are replaced: journal/durable-file.ts. Both throw what the system says. */
export interface OutboxDisk {
  /** Puts the text in the place of the file, whole or not at all, with its bytes on the disk. */
  readonly replace: (path: string, text: string) => void;
  /** Makes last what was put in place in the directory, and removed from it. */
  readonly settle: (directory: string) => void;
}

export interface Loaded {
  /** Oldest first. */
  readonly letters: readonly Envelope[];
  /** What the desk had kept; null: nothing, or it cannot be read. */
  readonly desk: unknown;
  /** What was wrong, a sentence each. */
  readonly problems: readonly string[];
}

export type Put =
  | { readonly type: 'kept'; readonly letters: readonly Envelope[]; readonly dropped: readonly Envelope[] }
  /** Nothing of it counts: the entries are to stay where they are, and be told later. */
  | { readonly type: 'refused'; readonly reason: string };

/** A day of an outage of the mail server at more than one letter a minute; about 20 MB. */
const MOST_WAITING = 2000;
const DESK = 'desk.json';
const LETTER = /^[a-z0-9][a-z0-9.-]*\.json$/;
const DAMAGED = '.damaged';
/** Of what cannot be read the newest are kept for who wants to look. */
const MOST_DAMAGED = 20;

export class Outbox {
  readonly #directory: string;
  readonly #disk: OutboxDisk;
  readonly #most: number;
  /** Counts what was put; a letter with a higher number than the desk's was never told of, and is made again. */
  #put = 0;
  /** Whoever has not read it would begin to count anew, below what lies there. */
  #read: 'yes' | 'no' = 'no';
  /** By id, oldest first. The courier removes files behind our back, so it may hold too many. */
  #waiting = new Map<string, Envelope>();

  constructor(directory: string, disk: OutboxDisk, most = MOST_WAITING) {
    this.#directory = directory;
    this.#disk = disk;
    this.#most = most;
  }

  /** Never throws: what cannot be read is set aside and told of. */
  load(): Loaded {
    const problems: string[] = [];
    try {
      preparePlace(this.#directory);
      const names = readdirSync(this.#directory).sort();
      const desk = names.includes(DESK) ? this.#readDesk(problems) : null;
      const stored = names
        .filter((name) => LETTER.test(name) && name !== DESK)
        .flatMap((name) => this.#readLetter(name, problems) ?? [])
        .filter((letter) => this.#isCommitted(letter, desk));
      this.#tidy(names);
      this.#put = Math.max(desk?.put ?? 0, ...stored.map(({ put }) => put));
      const oldestFirst = stored.sort((a, b) => a.put - b.put || a.place - b.place);
      this.#waiting = new Map(oldestFirst.map(({ letter }) => [letter.id, envelopeOf(letter)]));
      this.#read = 'yes';
      return { letters: [...this.#waiting.values()], desk: desk?.desk ?? null, problems };
    } catch (error) {
      return { letters: [], desk: null, problems: [...problems, `the outbox cannot be read: ${errorText(error)}`] };
    }
  }

  /**
   * Keeps the letters, then what the desk has come to. Only the second makes the first count: who dies between leaves
   * letters that the next `load` removes, because the entries that made them are told again and make the same ones.
   */
  put(letters: readonly Letter[], desk: unknown): Put {
    // A thread that broke is followed by another, which finds what the first has put.
    const problem = this.#read === 'no' ? this.load().problems.at(-1) : undefined;
    if (this.#read === 'no') return { type: 'refused', reason: problem ?? 'the outbox cannot be read' };
    const put = this.#put + 1;
    try {
      preparePlace(this.#directory);
      letters.forEach((letter, place) => {
        this.#disk.replace(this.#pathOf(letter.id), text({ version: 1, put, place, letter }));
      });
      if (letters.length > 0) this.#disk.settle(this.#directory);
      this.#disk.replace(join(this.#directory, DESK), text({ version: 1, put, desk }));
    } catch (error) {
      // What did get there would be sent beside the one that is made again, were the next put to succeed first.
      this.#removeQuietly(letters.map(({ id }) => id).filter((id) => !this.#waiting.has(id)));
      return { type: 'refused', reason: `the outbox cannot be written: ${errorText(error)}` };
    }
    // It counts from here on: whoever reads finds it. Should the host die too, the desk before counts, with its letters.
    quietly(() => this.#disk.settle(this.#directory));
    this.#put = put;
    const kept = letters.map(envelopeOf);
    for (const envelope of kept) this.#waiting.set(envelope.id, envelope);
    const dropped = this.#dropTooMany();
    return { type: 'kept', letters: kept.filter(({ id }) => this.#waiting.has(id)), dropped };
  }

  /** Letters that nobody is to have any more. Never throws. */
  remove(ids: readonly string[]): void {
    this.#removeQuietly(ids);
    for (const id of ids) this.#waiting.delete(id);
  }

  #readDesk(problems: string[]): { readonly put: number; readonly desk: unknown } | null {
    try {
      const read: unknown = JSON.parse(readOwn(join(this.#directory, DESK)));
      if (typeof read === 'object' && read !== null && 'put' in read && typeof read.put === 'number' && 'desk' in read)
        return { put: read.put, desk: read.desk };
      throw new Error('it is not what was written');
    } catch (error) {
      this.#setAside(DESK, error, problems);
      return null;
    }
  }

  #readLetter(name: string, problems: string[]): StoredLetter | null {
    try {
      const stored = readStored(readOwn(join(this.#directory, name)));
      if (stored === null || `${stored.letter.id}.json` !== name) throw new Error('it is not what was written');
      return stored;
    } catch (error) {
      this.#setAside(name, error, problems);
      return null;
    }
  }

  #setAside(name: string, error: unknown, problems: string[]): void {
    const path = join(this.#directory, name);
    const aside = `${path.slice(0, -'.json'.length)}${DAMAGED}`;
    problems.push(`${path} is damaged and was set aside as ${aside}: ${errorText(error)}`);
    quietly(() => renameSync(path, aside));
  }

  /** Without a desk nobody knows, and a letter too many is better than none. */
  #isCommitted({ put, letter }: StoredLetter, desk: { readonly put: number } | null): boolean {
    if (desk === null || put <= desk.put) return true;
    this.#removeQuietly([letter.id]);
    return false;
  }

  /** What a killed writer left half, and damaged files of long ago. */
  #tidy(names: readonly string[]): void {
    const half = names.filter((name) => name.endsWith('.new'));
    const damaged = names.filter((name) => name.endsWith(DAMAGED)).slice(0, -MOST_DAMAGED);
    for (const name of [...half, ...damaged]) quietly(() => rmSync(join(this.#directory, name), { force: true }));
  }

  #dropTooMany(): readonly Envelope[] {
    if (this.#waiting.size <= this.#most) return [];
    this.#forgetDelivered();
    const dropped: Envelope[] = [];
    while (this.#waiting.size > this.#most) {
      const channel = channelWithMost([...this.#waiting.values()]);
      const oldest = [...this.#waiting.values()].find((envelope) => envelope.channel === channel);
      if (oldest === undefined) break;
      this.remove([oldest.id]);
      dropped.push(oldest);
    }
    return dropped;
  }

  #forgetDelivered(): void {
    const there = new Set(quietly(() => readdirSync(this.#directory)) ?? []);
    for (const id of [...this.#waiting.keys()]) if (!there.has(`${id}.json`)) this.#waiting.delete(id);
  }

  #removeQuietly(ids: readonly string[]): void {
    for (const id of ids) quietly(() => rmSync(this.#pathOf(id), { force: true }));
  }

  #pathOf = (id: string): string => join(this.#directory, `${id}.json`);
}

function channelWithMost(waiting: readonly Envelope[]): string {
  const counts = new Map<string, number>();
  for (const { channel } of waiting) counts.set(channel, (counts.get(channel) ?? 0) + 1);
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most), ['', 0] as const)[0];
}

const text = (written: Written): string => `${JSON.stringify(written)}\n`;

function quietly<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
