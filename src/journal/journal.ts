// What must survive the keeper within one boot: an append-only file of checksummed lines in the runtime directory, a
// tmpfs for root, so that recording never waits for a disk. Knows services as snapshots only. A journal that cannot be
// written is told once and written whole as soon as it can be again: keeping goes on meanwhile.

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import type { Entry } from '../core/entry.js';
import { errorCode } from '../core/error-text.js';
import { wholeEntry, wholeService, wholeSpec } from '../core/older.js';
import type { ServiceName, ServiceSpec } from '../core/spec.js';
import type { Service } from '../core/state.js';
import type { Report } from '../keeper/ports.js';
import { Definitions, isDefinition } from './definitions.js';
import { decodeLine, encodeLine } from './line.js';
import type { Snapshot, SnapshotLine } from './snapshot.js';
import { isEntry, isTold, Untold } from './untold.js';

/** 2: with the definitions of the services. 3: with what happened. 4: services that are coupled, and hooks. */
const version = 4;
/** Below this size a journal is never compacted: rewriting costs more than it saves. */
const compactAbove = 1 << 20;

/** Where it is, and whose it has to be. */
export interface JournalPlace {
  readonly path: string;
  /** The boot (kernel/pid-era.ts): what was recorded in another one names processes that are no more. */
  readonly boot: string;
  readonly host: string;
  /** The user who must own the file. */
  readonly uid: number;
}

export interface JournalOptions extends JournalPlace {
  /** Random, kept over keepers of one boot: the beginning of every token that a service process carries. */
  readonly freshToken: string;
  /** Now, on the clock of the start times in /proc. */
  readonly ticks: () => number;
  readonly report: Report;
}

/** What was found of an earlier keeper. */
export interface Found {
  readonly snapshots: ReadonlyMap<string, Snapshot>;
  /** What was lost or left aside, in words; null when all was well. */
  readonly loss: string | null;
  /** `same`: the services that run now are in it. `other`: it was another boot's, or there was none. */
  readonly boot: 'same' | 'other';
  /** What happened and may not be told yet, oldest first; of another boot too. */
  readonly untold: readonly Entry[];
  /** The highest number that was given to an entry of this journal. */
  readonly last: number;
}

interface Header {
  readonly version: number;
  readonly boot: string;
  readonly host: string;
  readonly token: string;
}

/** What stands in the journal about one service. */
interface Kept {
  readonly line: string;
  readonly spec: ServiceSpec | null;
  readonly next: ServiceSpec | null;
  readonly generation: number;
  readonly begun: number;
  /** With its definitions. */
  readonly bytes: number;
}

export class RuntimeJournal {
  readonly name = 'the journal';
  readonly #options: JournalOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #definitions = new Definitions();
  readonly #untold: Untold;
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
    this.#untold = new Untold(header === null ? [] : found.untold, found.last);
    for (const { name, spec, next, begun, service } of found.snapshots.values())
      this.#note(name, spec, next, begun, service);
    // Written whole at once: a torn tail is gone with it, and a directory that cannot be written shows itself now.
    try {
      this.#rewrite();
    } catch (error) {
      // A full disk must not stop keeping; anything else is for the operator to mend first.
      if (!isFull(error)) throw error;
      this.#break(error);
    }
  }

  /** Records these services, and what happened, in one write. Never throws. */
  record(services: readonly Service[], removed: readonly ServiceName[], entries: readonly Entry[]): void {
    let text = '';
    for (const it of services) {
      const { spec, next, ...service } = it;
      const before = this.#kept.get(spec.name);
      const begun = before?.generation === service.generation ? before.begun : this.#options.ticks();
      text += this.#note(spec.name, spec, next, begun, service);
    }
    for (const name of removed) {
      this.#forget(name);
      text += encodeLine({ r: name });
    }
    this.#write(text + this.#untold.add(entries));
  }

  /** All entries up to this number are on disk where they belong. Never throws. */
  told(number: number): void {
    this.#write(this.#untold.told(number));
  }

  /** The highest number that was given to an entry. */
  get last(): number {
    return this.#untold.last;
  }

  /** Entries that were thrown away, because too many waited to be told. */
  get dropped(): number {
    return this.#untold.dropped;
  }

  #write(text: string): void {
    const live = this.#live + this.#untold.bytes;
    try {
      if (this.#health === 'broken' || (this.#size > compactAbove && this.#size > 4 * live)) this.#rewrite();
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

  /** Is the file that is written to the one at the path? Not after somebody has removed it, which no write shows. */
  isInPlace(): boolean {
    const there = lstatSync(this.#options.path, { throwIfNoEntry: false });
    return there !== undefined && this.#fd >= 0 && there.ino === fstatSync(this.#fd).ino;
  }

  /** Writes all that is known into a new file in the place of the old. Never throws. */
  renew(): void {
    try {
      this.#rewrite();
      if (this.#health === 'broken') this.#recovered();
    } catch (error) {
      this.#break(error);
    }
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

  /** Takes note of a service; returns the lines that say so. */
  #note(
    name: string,
    spec: ServiceSpec | null,
    next: ServiceSpec | null,
    begun: number,
    service: Snapshot['service'],
  ): string {
    const definitions = this.#definitions;
    const introduced = definitions.introduce(spec) + definitions.introduce(next);
    const written: SnapshotLine = {
      name,
      spec: definitions.numberOf(spec),
      next: next === null ? null : definitions.numberOf(next),
      begun,
      service,
    };
    const line = encodeLine({ s: written });
    const before = this.#kept.get(name);
    const isSame = introduced === '' && before !== undefined && before.spec === spec && before.next === next;
    const definitionBytes = isSame
      ? before.bytes - before.line.length
      : introduced.length || definitions.lineOf(spec).length + definitions.lineOf(next).length;
    this.#forget(name);
    this.#kept.set(name, {
      ...{ line, spec, next, begun, generation: service.generation },
      bytes: line.length + definitionBytes,
    });
    this.#live += line.length + definitionBytes;
    return introduced + line;
  }

  #forget(name: string): void {
    this.#live -= this.#kept.get(name)?.bytes ?? 0;
    this.#kept.delete(name);
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
    const definitions = this.#definitions;
    const lines = [...this.#kept.values()].map(
      ({ line, spec, next }) => definitions.lineOf(spec) + definitions.lineOf(next) + line,
    );
    const bytes = Buffer.from([beginning, ...lines, ...this.#untold.lines()].join(''));
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

/** What an earlier keeper recorded there, read and left as it is. Throws as the journal itself does. */
export const findIn = (place: JournalPlace): Found => load(place).found;

function load({ path, boot, host, uid }: JournalPlace): { readonly header: Header | null; readonly found: Found } {
  const nothing: Found = { snapshots: new Map(), loss: null, boot: 'other', untold: [], last: 0 };
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return { header: null, found: nothing };
  // Before it is opened: a FIFO that nobody writes to would hold us for ever.
  if (!there.isFile()) throw new Error(`the journal ${path} is no plain file; remove it`);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
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
  const replayed = replay(lines, path);
  if (header.boot !== boot) return { header: null, found: { ...nothing, untold: replayed.untold } };
  if (header.host === host) return { header, found: replayed };
  // The host was renamed, or this is the journal of a container beside ours. Its processes are known by what is unique
  // within the boot: those of somebody else are not found here, and nothing is done to them.
  const elsewhere = `the journal ${path} was written when this host was called ${header.host || 'nothing'}; what it names is looked for here`;
  return {
    header,
    found: { ...replayed, loss: [elsewhere, replayed.loss].filter((loss) => loss !== null).join('; ') },
  };
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
  const definitions = new Map<number, ServiceSpec>();
  const snapshots = new Map<string, Snapshot>();
  const untold = new Map<number, Entry>();
  let last = 0;
  let bad = 0;
  for (const [i, line] of lines.entries()) {
    if (line === '' && i === lines.length - 1) continue;
    const value = decodeLine(line)?.value;
    if (isDefinition(value)) definitions.set(value.d, wholeSpec(value.spec));
    else if (isRecord(value)) snapshots.set(value.s.name, found(value.s, definitions));
    else if (isRemoval(value)) snapshots.delete(value.r);
    else if (isEntry(value)) {
      untold.set(value.e.number, wholeEntry(value.e));
      last = value.e.number;
    } else if (isTold(value)) {
      for (const number of untold.keys()) if (number <= value.t) untold.delete(number);
      last = Math.max(last, value.t);
    } else if (headerOf(line) === null) bad += 1;
  }
  return {
    untold: [...untold.values()],
    last,
    snapshots,
    loss:
      bad === 0
        ? null
        : `${bad} damaged ${bad === 1 ? 'line' : 'lines'} of the journal ${path} could not be used; the rest is`,
    boot: 'same',
  };
}

/** A definition whose line is damaged is looked for in the configuration by whoever reads this. */
function found(line: SnapshotLine, definitions: ReadonlyMap<number, ServiceSpec>): Snapshot {
  const { name, service, begun } = line;
  const next = line.next === null ? null : (definitions.get(line.next) ?? null);
  return { name, service: wholeService(service), begun: begun ?? 0, spec: definitions.get(line.spec) ?? null, next };
}

// The checksum vouches for the shape: only we write such lines, and a newer version was refused.
const isRecord = (value: unknown): value is { readonly s: SnapshotLine } =>
  typeof value === 'object' && value !== null && 's' in value;
const isRemoval = (value: unknown): value is { readonly r: string } =>
  typeof value === 'object' && value !== null && 'r' in value && typeof value.r === 'string';

const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(errorCode(error));
