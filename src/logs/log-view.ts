// One log with its archives as one stream of bytes, counted over its whole life, while it is being written and rotated.
// Owns where each byte lies now; it must not know lines or times of lines. Reads in the reader's own process.

import { createReadStream, existsSync } from 'node:fs';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { errorCode } from '../core/error-text.js';
import { type Archive, listArchives } from './archive.js';
import { archivePath, intentPath, timesPath } from './log-files.js';
import { parseTimes, readBase, type TimeEntry } from './times.js';

/** Where a log is to be read. */
export interface LogSource {
  readonly service: string;
  readonly path: string;
  /** `own`: ours, with archives and an index of times. `foreign`: a file that the daemon writes itself. */
  readonly kind: 'own' | 'foreign';
}

/** A piece of a log; `start` counts over the log's whole life. */
export interface Chunk {
  readonly start: number;
  readonly bytes: Buffer;
}

interface Segment {
  readonly path: string;
  readonly form: 'plain' | 'gzip';
  readonly inode: number;
  readonly start: number;
  readonly end: number;
}

const CHUNK = 64 * 1024;
const TRIES = 20;
// A rotation takes milliseconds; one that takes longer was cut short and waits for the next keeper.
const ROTATION_WAIT_MS = 1_000;

export class LogView {
  readonly #source: LogSource;
  #segments: readonly Segment[] = [];
  #entries: readonly TimeEntry[] = [];
  #base = 0;
  #inode: number | null = null;
  #live: FileHandle | null = null;
  #writtenAt: number | null = null;

  constructor(source: LogSource) {
    this.#source = source;
  }

  get source(): LogSource {
    return this.#source;
  }

  /** The times of the index, over all archives, as of the last scan. */
  get entries(): readonly TimeEntry[] {
    return this.#entries;
  }

  /** The first byte that is still there, as of the last scan. */
  get start(): number {
    return this.#segments[0]?.start ?? this.#base;
  }

  /** The first byte of the log itself, behind all archives, as of the last scan. */
  get liveStart(): number {
    return this.#base;
  }

  /** When the log was last written, in ms since 1970, as of the last scan; null when there is none. */
  get writtenAt(): number | null {
    return this.#writtenAt;
  }

  /** Where the log ends now. */
  async end(): Promise<number> {
    for (let tries = 0; ; tries += 1) {
      const base = this.#base;
      const size = (await this.#live?.stat())?.size ?? 0;
      if ((await this.#isStill(base)) || tries >= TRIES) return base + size;
      await this.scan();
    }
  }

  /** Looks where everything lies. Resolves to where the log ends now. @throws when the log is there and may not be read. */
  async scan(): Promise<number> {
    for (let tries = 0; ; tries += 1) {
      await this.#rotationOver();
      const before = await this.#readBase();
      await this.#openLive();
      const size = (await this.#live?.stat())?.size ?? 0;
      this.#base = before;
      await this.#scanArchives();
      if ((await this.#isStill(before)) || tries >= TRIES) return before + size;
    }
  }

  /** The bytes from `from` up to `to`, or to the end, whole or in part; goes on where they lie when the log is rotated meanwhile. */
  async *read(from: number, to = Number.MAX_SAFE_INTEGER): AsyncGenerator<Chunk> {
    let misses = 0;
    for (let at = from; at < to; ) {
      at = Math.max(at, this.start);
      const segment = this.#segments.find((one) => at < one.end);
      if (segment !== undefined) {
        const reached = yield* readSegment(segment, Math.max(at, segment.start), to);
        if (reached === 'moved' && misses < TRIES) {
          // It has another number, or is compressed, since the last look.
          misses += 1;
          await this.scan();
          continue;
        }
        // What cannot be read of an archive, or is missing between two, is passed over.
        at = Math.max(reached === 'moved' ? at : reached, Math.min(to, segment.end));
        misses = 0;
        continue;
      }
      const found = await this.#readLive(at, to);
      if (found === null) continue;
      if (found.bytes.length === 0) return;
      yield found;
      at = found.start + found.bytes.length;
    }
  }

  /** Where the last `count` lines begin that end before `end`; a last line without newline is one. */
  async startOfLast(count: number, end: number): Promise<number> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const start = await this.#findStart(count, end);
      if (start !== 'moved') return start;
      await this.scan();
    }
    return this.start;
  }

  /** Another file is at the path than the one that is being read. */
  async isReplaced(): Promise<'yes' | 'no'> {
    const now = await stat(this.#source.path).catch(() => null);
    return now !== null && now.ino !== this.#inode ? 'yes' : 'no';
  }

  async close(): Promise<void> {
    await this.#live?.close();
    this.#live = null;
  }

  async #findStart(count: number, end: number): Promise<number | 'moved'> {
    let left = count;
    // The newline that ends the last line ends no line before it.
    let until = end;
    for (let at = end; at > this.#base; ) {
      const from = Math.max(this.#base, at - CHUNK);
      const bytes = await this.#readExactly(from, at);
      if (bytes === null) return 'moved';
      if (at === end && bytes.at(-1) === 0x0a) until = at - 1;
      for (let hit = lastNewline(bytes, until - from); hit !== -1; hit = lastNewline(bytes, hit)) {
        left -= 1;
        if (left === 0) return from + hit + 1;
      }
      at = from;
      until = at;
    }
    for (const segment of [...this.#segments].reverse()) {
      const starts: number[] = [];
      const chunks = readSegment(segment, segment.start, segment.end);
      let step = await chunks.next();
      for (; step.done !== true; step = await chunks.next()) {
        const { start, bytes } = step.value;
        for (let hit = bytes.indexOf(0x0a); hit !== -1; hit = bytes.indexOf(0x0a, hit + 1)) {
          // The log may be empty behind it; then this newline, too, only ends the last line.
          if (start + hit + 1 < end) starts.push(start + hit + 1);
          if (starts.length > left) starts.shift();
        }
      }
      if (step.value === 'moved') return 'moved';
      if (starts.length >= left) return starts.at(-left) ?? segment.start;
      left -= starts.length;
    }
    return this.start;
  }

  /** Null when a rotation moved it away meanwhile. */
  async #readExactly(from: number, to: number): Promise<Buffer | null> {
    const parts: Buffer[] = [];
    for (let at = from; at < to; ) {
      const chunk = await this.#readLive(at, to);
      if (chunk === null || chunk.bytes.length === 0) return null;
      parts.push(chunk.bytes);
      at += chunk.bytes.length;
    }
    return Buffer.concat(parts);
  }

  /** Null when the log was rotated meanwhile; everything was looked for again then. Empty at the end. */
  async #readLive(at: number, to: number): Promise<Chunk | null> {
    const base = this.#base;
    if (this.#live === null) return { start: at, bytes: Buffer.alloc(0) };
    const bytes = Buffer.allocUnsafe(Math.min(CHUNK, to - at));
    const { bytesRead } = await this.#live.read(bytes, 0, bytes.length, at - base);
    if (await this.#isStill(base)) return { start: at, bytes: bytes.subarray(0, bytesRead) };
    await this.scan();
    return null;
  }

  async #isStill(base: number): Promise<boolean> {
    if (this.#source.kind === 'foreign') return true;
    return !existsSync(intentPath(this.#source.path)) && (await this.#readBase()) === base;
  }

  async #rotationOver(): Promise<void> {
    if (this.#source.kind === 'foreign') return;
    for (let waited = 0; existsSync(intentPath(this.#source.path)) && waited < ROTATION_WAIT_MS; waited += 10) {
      await pause(10);
    }
  }

  async #readBase(): Promise<number> {
    if (this.#source.kind === 'foreign') return 0;
    const file = await open(timesPath(this.#source.path), 'r').catch(() => null);
    if (file === null) return 0;
    try {
      const head = Buffer.alloc(64);
      const { bytesRead } = await file.read(head, 0, head.length, 0);
      return readBase(head.toString('latin1', 0, bytesRead)) ?? 0;
    } finally {
      await file.close();
    }
  }

  async #openLive(): Promise<void> {
    await this.#live?.close();
    this.#live = await open(this.#source.path, 'r').catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return null;
      throw error;
    });
    const stats = await this.#live?.stat();
    this.#inode = stats?.ino ?? null;
    this.#writtenAt = stats === undefined ? null : Math.round(stats.mtimeMs);
  }

  /** Archives without an index of their own lie directly before what follows them. */
  async #scanArchives(): Promise<void> {
    const { path, kind } = this.#source;
    const segments: Segment[] = [];
    const entries: TimeEntry[] = [...(await readEntries(path)).entries].reverse();
    let end = this.#base;
    const archives = kind === 'own' ? listArchives(path) : [];
    for (const archive of [...archives].reverse()) {
      const stats = await stat(archive.path).catch(() => null);
      if (stats === null) continue;
      const times = await readEntries(archivePath(path, archive.number));
      const start = times.base ?? end - (await lengthOf(archive, stats.size));
      segments.push({ path: archive.path, form: archive.form, inode: stats.ino, start, end });
      entries.push(...[...times.entries].reverse());
      end = start;
    }
    this.#segments = segments.reverse();
    this.#entries = entries.reverse();
  }
}

interface Entries {
  readonly base: number | null;
  readonly entries: readonly TimeEntry[];
}

async function readEntries(log: string): Promise<Entries> {
  const text = await readFile(timesPath(log), 'latin1').catch(() => '');
  return parseTimes(text) ?? { base: null, entries: [] };
}

const lastNewline = (bytes: Buffer, before: number): number =>
  before <= 0 ? -1 : bytes.lastIndexOf(0x0a, Math.min(before, bytes.length) - 1);

async function lengthOf(archive: Archive, size: number): Promise<number> {
  if (archive.form === 'plain') return size;
  let length = 0;
  for await (const chunk of createReadStream(archive.path).pipe(createGunzip())) length += (chunk as Buffer).length;
  return length;
}

/** The bytes of an archive between two offsets; says how far it came, or that another file is there now. */
async function* readSegment(segment: Segment, from: number, to: number): AsyncGenerator<Chunk, number | 'moved'> {
  const file = await open(segment.path, 'r').catch(() => null);
  if (file === null) return 'moved';
  if ((await file.stat()).ino !== segment.inode) {
    await file.close();
    return 'moved';
  }
  const skip = segment.form === 'plain' ? from - segment.start : 0;
  const plain = file.createReadStream({ start: skip, highWaterMark: CHUNK });
  const stream = segment.form === 'plain' ? plain : plain.pipe(createGunzip());
  plain.on('error', (error) => stream.destroy(error));
  let at = segment.start + skip;
  try {
    for await (const data of stream) {
      const bytes = data as Buffer;
      const first = Math.max(0, from - at);
      const last = Math.min(bytes.length, to - at);
      if (last > first) yield { start: at + first, bytes: bytes.subarray(first, last) };
      at += bytes.length;
      if (at >= to) break;
    }
  } catch {
    // A damaged archive: what could be read of it was, the rest is passed over.
  } finally {
    plain.destroy();
  }
  return Math.min(at, to);
}
