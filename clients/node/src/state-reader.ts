// Reads a state that the generation before has sent, and believes it only when its end mark, its length and its digest were
// seen: an end without them is a sender that died. The format is told in state-writer.ts.

import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type Received, StateError } from './offer.js';
import { DIGEST, FORMAT, LONGEST_CHUNK, MAGIC, type StateHeader } from './state-writer.js';

/** A header is some words; more is no header. */
const LONGEST_HEADER = 64 * 1024;

export interface ReadRules {
  /** The newest form that this program knows; null: it does not say. */
  readonly newest: number | null;
  readonly limit: number;
  /** The state is none; whoever reads it hears of it too. */
  readonly onBroken: (error: StateError) => void;
}

/** Reads the header, and no more. @throws StateError */
export async function readState(source: Readable, rules: ReadRules): Promise<IncomingState> {
  try {
    return await begin(source, rules);
  } catch (error) {
    throw broken(error, rules);
  }
}

async function begin(source: Readable, rules: ReadRules): Promise<IncomingState> {
  const input = new Bytes(source);
  const start = await input.take(MAGIC.length + 1 + 4);
  if (!start.subarray(0, MAGIC.length).equals(MAGIC)) throw new StateError('what came is no state');
  const format = start[MAGIC.length];
  if (format !== FORMAT) throw new StateError(`the state is written in format ${format}; this one knows ${FORMAT}`);
  const length = start.readUInt32BE(MAGIC.length + 1);
  if (length > LONGEST_HEADER) throw new StateError('the header of the state is damaged');
  const json = await input.take(length);
  const header = headerIn(json);
  if (rules.newest !== null && header.schema > rules.newest)
    throw new StateError(`the state has schema ${header.schema}; this generation knows ${rules.newest} at most`);
  return new IncomingState(header, input, createHash(DIGEST).update(json), rules);
}

/** The state while it comes. Its body is taken once: as a stream, or whole. */
export class IncomingState implements Received {
  readonly schema: number;
  readonly generation: number;
  readonly #chunks: AsyncGenerator<Buffer, void, undefined>;
  #whole: Promise<Buffer> | null = null;
  #streamed: Promise<void> | null = null;

  constructor(header: StateHeader, input: Bytes, digest: Hash, rules: ReadRules) {
    this.schema = header.schema;
    this.generation = header.generation;
    this.#chunks = checked(chunksOf(input, digest, rules.limit), rules);
  }

  read(): Promise<Buffer> {
    if (this.#streamed !== null) return Promise.reject(new StateError('the state was taken as a stream already'));
    this.#whole ??= collect(this.#chunks);
    return this.#whole;
  }

  async json(): Promise<unknown> {
    const text = (await this.read()).toString();
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new StateError('the state is whole, and no JSON', { cause: error });
    }
  }

  stream(): AsyncIterable<Buffer> {
    if (this.#whole !== null) return once(this.#whole);
    if (this.#streamed !== null) throw new StateError('the state was taken as a stream already');
    return this.#stream();
  }

  /** Resolves when all of it has come and is right; takes what nobody has taken. @throws StateError */
  async verified(): Promise<void> {
    if (this.#streamed === null) await this.read();
    else await this.#streamed;
  }

  /** Taken only when somebody asks for its first part. */
  async *#stream(): AsyncGenerator<Buffer, void, undefined> {
    const { promise, resolve, reject } = later();
    this.#streamed = promise;
    try {
      yield* this.#chunks;
      resolve();
    } catch (error) {
      reject(error);
      throw error;
    } finally {
      // Whoever leaves the loop early has not seen the digest.
      reject(new StateError('the state was not read to its end'));
    }
  }
}

async function* checked(chunks: AsyncIterable<Buffer>, rules: ReadRules): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* chunks;
  } catch (error) {
    throw broken(error, rules);
  }
}

function broken(error: unknown, rules: ReadRules): unknown {
  if (error instanceof StateError) rules.onBroken(error);
  return error;
}

async function* chunksOf(input: Bytes, digest: Hash, limit: number): AsyncGenerator<Buffer, void, undefined> {
  let total = 0;
  for (;;) {
    const length = (await input.take(4)).readUInt32BE();
    if (length === 0) break;
    if (length > LONGEST_CHUNK) throw new StateError('the state is damaged: a chunk is longer than chunks are');
    total += length;
    if (total > limit) throw new StateError(`the state is over the limit of ${limit} bytes (stateLimit)`);
    const chunk = await input.take(length);
    digest.update(chunk);
    yield chunk;
  }
  const tail = await input.take(8 + 32);
  if (tail.readBigUInt64BE() !== BigInt(total)) throw new StateError('the state is damaged: its length is another');
  if (!tail.subarray(8).equals(digest.digest())) throw new StateError('the state is damaged: its digest is another');
  input.close();
}

function headerIn(json: Buffer): StateHeader {
  const { schema, service, generation } = parsed(json);
  if (typeof schema !== 'number' || typeof service !== 'string' || typeof generation !== 'number')
    throw new StateError('the header of the state is damaged');
  return { schema, service, generation };
}

function parsed(json: Buffer): Partial<Record<keyof StateHeader, unknown>> {
  try {
    const value: unknown = JSON.parse(json.toString());
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function* once(whole: Promise<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  yield await whole;
}

function later(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve = (): void => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Asked for by `verified`, which may never be called.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

/** A stream, by counted bytes. */
class Bytes {
  readonly #source: Readable;
  readonly #parts: AsyncIterator<Buffer>;
  #held: Buffer[] = [];
  #length = 0;

  constructor(source: Readable) {
    this.#source = source;
    this.#parts = source[Symbol.asyncIterator]();
  }

  /** @throws StateError where the stream ends before */
  async take(count: number): Promise<Buffer> {
    while (this.#length < count) {
      if (!(await this.#more())) throw new StateError('the state is cut off: its sender ended before it was whole');
    }
    const all = this.#held.length === 1 && this.#held[0] !== undefined ? this.#held[0] : Buffer.concat(this.#held);
    this.#held = all.length === count ? [] : [all.subarray(count)];
    this.#length -= count;
    return all.subarray(0, count);
  }

  close(): void {
    this.#source.destroy();
  }

  async #more(): Promise<boolean> {
    try {
      const { done, value } = await this.#parts.next();
      if (done === true) return false;
      this.#held.push(value);
      this.#length += value.length;
      return true;
    } catch (error) {
      throw new StateError('the state is cut off: it cannot be read any more', { cause: error });
    }
  }
}
