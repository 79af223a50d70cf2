// What must survive the keeper within one boot: an append-only file of checksummed lines in the runtime directory, a
// tmpfs for root, so that recording never waits for a disk. Knows services as snapshots only. A journal that cannot be
// written is told once and written whole as soon as it can be again: keeping goes on meanwhile.

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import type { ServiceName } from '../core/spec.js';
import type { Service } from '../core/state.js';
import type { Journal, Report } from '../keeper/ports.js';
import { decodeLine, encodeLine } from './line.js';
import { type Snapshot, snapshotOf } from './snapshot.js';

const version = 1;
/** Below this size a journal is never compacted: rewriting costs more than it saves. */
const compactAbove = 1 << 20;

export interface JournalOptions {
  readonly path: string;
  /** /proc/sys/kernel/random/boot_id: what was recorded in another boot names processes that are no more. */
  readonly boot: string;
  readonly host: string;
  /** The user who must own the file. */
  readonly uid: number;
  /** Random, kept over keepers of one boot: the beginning of every token that a service process carries. */
  readonly freshToken: string;
  readonly report: Report;
}

/** What was found of an earlier keeper. */
export interface Found {
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  /** What was lost or left aside, in words; null when all was well. */
  readonly loss: string | null;
  /** `same`: the services that run now are in it. `other`: it was another boot's, or there was none. */
  readonly boot: 'same' | 'other';
}

interface Header {
  readonly version: number;
  readonly boot: string;
  readonly host: string;
  readonly token: string;
}

export class RuntimeJournal implements Journal {
  readonly #options: JournalOptions;
  readonly #lines = new Map<string, string>();
  readonly found: Found;
  readonly token: string;
  #fd = -1;
  #size = 0;
  #live = 0;
  #health: 'good' | 'broken' = 'good';

  /** Reads what is there. Throws when the file is another user's, of a newer version, or cannot be opened at all. */
  constructor(options: JournalOptions) {
    this.#options = options;
    const { header, found } = load(options);
    this.found = found;
    this.token = header?.token ?? options.freshToken;
    for (const snapshot of found.snapshots.values()) this.#keep(snapshot.name, encodeLine({ s: snapshot }));
    // Written whole at once: a torn tail is gone with it, and a directory that cannot be written shows itself now.
    try {
      this.#rewrite();
    } catch (error) {
      // A full disk must not stop keeping; anything else is for the operator to mend first.
      if (!isFull(error)) throw error;
      this.#break(error);
    }
  }

  record(services: readonly Service[], removed: readonly ServiceName[]): void {
    let text = '';
    for (const service of services) {
      const line = encodeLine({ s: snapshotOf(service) });
      this.#keep(service.spec.name, line);
      text += line;
    }
    for (const name of removed) {
      this.#keep(name, null);
      text += encodeLine({ r: name });
    }
    try {
      if (this.#health === 'broken' || (this.#size > compactAbove && this.#size > 4 * this.#live)) this.#rewrite();
      else this.#append(text);
      if (this.#health === 'broken') this.#recovered();
    } catch (error) {
      this.#break(error);
    }
  }

  /** `broken`: what was recorded last is in memory only. */
  get health(): 'good' | 'broken' {
    return this.#health;
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #break(error: unknown): void {
    if (this.#health === 'good') {
      this.#options.report(
        `the journal ${this.#options.path} cannot be written; a keeper that is killed now would forget what happens from here on`,
        error,
      );
    }
    this.#health = 'broken';
  }

  #recovered(): void {
    this.#health = 'good';
    this.#options.report(`the journal ${this.#options.path} is written again, whole`, null);
  }

  #keep(name: string, line: string | null): void {
    this.#live -= this.#lines.get(name)?.length ?? 0;
    if (line === null) this.#lines.delete(name);
    else this.#lines.set(name, line);
    this.#live += line?.length ?? 0;
  }

  #append(text: string): void {
    const bytes = Buffer.from(text);
    // A short write is a full disk in the making: what was torn is rewritten with the whole.
    if (writeSync(this.#fd, bytes) !== bytes.length) throw new Error('no room for a whole line');
    this.#size += bytes.length;
  }

  /** The whole set into a new file, and that one in the place of the old. */
  #rewrite(): void {
    const { path, boot, host } = this.#options;
    const temporary = `${path}.new`;
    const header: Header = { version, boot, host, token: this.token };
    // Twice, because without it nothing else could be used.
    const beginning = encodeLine(header).repeat(2);
    const bytes = Buffer.from([beginning, ...this.#lines.values()].join(''));
    const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_NOFOLLOW } = constants;
    const fd = openSync(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW, 0o600);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      renameSync(temporary, path);
    } catch (error) {
      closeSync(fd);
      rmSync(temporary, { force: true });
      throw error;
    }
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = fd;
    this.#size = bytes.length;
  }
}

function load({ path, boot, uid }: JournalOptions): { readonly header: Header | null; readonly found: Found } {
  const nothing: Found = { snapshots: new Map(), loss: null, boot: 'other' };
  if (!existsSync(path)) return { header: null, found: nothing };
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  let text: string;
  try {
    const { uid: owner } = fstatSync(fd);
    if (owner !== uid)
      throw new Error(`the journal ${path} belongs to uid ${owner}, not to uid ${uid}; remove it or run as its owner`);
    text = readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
  const lines = text.split('\n');
  const header = headerOf(lines[0] ?? '') ?? headerOf(lines[1] ?? '');
  if (header === null)
    return {
      header: null,
      found: { ...nothing, loss: `the journal ${path} has no readable beginning; nothing of it is used` },
    };
  if (header.version > version)
    throw new Error(
      `the journal ${path} was written by a newer upkeep (its version is ${header.version}, ours ${version}); use that one`,
    );
  if (header.boot !== boot) return { header: null, found: nothing };
  return { header, found: replay(lines, path) };
}

function headerOf(line: string): Header | null {
  const value = decodeLine(line)?.value;
  if (typeof value !== 'object' || value === null || !('version' in value) || !('boot' in value) || !('token' in value))
    return null;
  if (typeof value.version !== 'number' || typeof value.boot !== 'string' || typeof value.token !== 'string')
    return null;
  return {
    version: value.version,
    boot: value.boot,
    host: 'host' in value ? String(value.host) : '',
    token: value.token,
  };
}

/** The last good line about each service counts; bad ones are counted and told. */
function replay(lines: readonly string[], path: string): Found {
  const snapshots = new Map<string, Snapshot>();
  let bad = 0;
  for (const [i, line] of lines.entries()) {
    if (line === '' && i === lines.length - 1) continue;
    const value = decodeLine(line)?.value;
    if (isRecord(value)) snapshots.set(value.s.name, value.s);
    else if (isRemoval(value)) snapshots.delete(value.r);
    else if (headerOf(line) === null) bad += 1;
  }
  return {
    snapshots,
    loss:
      bad === 0
        ? null
        : `${bad} damaged ${bad === 1 ? 'line' : 'lines'} of the journal ${path} could not be used; the rest is`,
    boot: 'same',
  };
}

// The checksum vouches for the shape: only we write such lines, and a newer version was refused.
const isRecord = (value: unknown): value is { readonly s: Snapshot } =>
  typeof value === 'object' && value !== null && 's' in value;
const isRemoval = (value: unknown): value is { readonly r: string } =>
  typeof value === 'object' && value !== null && 'r' in value && typeof value.r === 'string';

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
