// Writes a state as one generation sends it to the next: header, chunks, an end mark, the length and the digest. Owns that half
// of the format (state-reader.ts has the other) and the limit; where the bytes go is for others.
//
//   "UPKSTATE", u8 1, u32 length + JSON header, chunks of u32 length + bytes, u32 0, u64 bytes in all, SHA-256 over the JSON
//   of the header and the bytes of all chunks. Numbers are big-endian.

import { createHash } from 'node:crypto';
import type { Writable } from 'node:stream';
import { StateError, type StateWriter } from './offer.js';

export const MAGIC = Buffer.from('UPKSTATE');
export const FORMAT = 1;
export const LONGEST_CHUNK = 1024 * 1024;
export const DIGEST = 'sha256';

/** Who sends, and in which form the state is. */
export interface StateHeader {
  readonly schema: number;
  readonly service: string;
  readonly generation: number;
}

export interface StateSink extends StateWriter {
  /** The end mark: only with it the state is one. Returns the bytes of state. */
  readonly end: () => Promise<number>;
}

export async function stateSink(
  out: Writable,
  header: StateHeader,
  limit: number,
  onProgress: () => void = () => {},
): Promise<StateSink> {
  const digest = createHash(DIGEST);
  let total = 0;
  // One behind the other, also where a program does not wait for its writes.
  let last: Promise<void> = Promise.resolve();
  const put = (...parts: readonly Buffer[]): Promise<void> => {
    last = last.then(() => flushed(out, parts)).then(onProgress);
    return last;
  };
  const write = async (data: Uint8Array | string): Promise<void> => {
    const bytes = typeof data === 'string' ? Buffer.from(data) : asBuffer(data);
    total += bytes.length;
    if (total > limit) throw new StateError(`the state is over the limit of ${limit} bytes (stateLimit)`);
    for (let at = 0; at < bytes.length; at += LONGEST_CHUNK) {
      const chunk = bytes.subarray(at, at + LONGEST_CHUNK);
      digest.update(chunk);
      await put(u32(chunk.length), chunk);
    }
  };
  const json = Buffer.from(JSON.stringify(header));
  digest.update(json);
  await put(MAGIC, Buffer.of(FORMAT), u32(json.length), json);
  return {
    write,
    json: (value) => write(JSON.stringify(value) ?? 'null'),
    end: async () => {
      const length = Buffer.alloc(8);
      length.writeBigUInt64BE(BigInt(total));
      await put(u32(0), length, digest.digest());
      return total;
    },
  };
}

function flushed(out: Writable, parts: readonly Buffer[]): Promise<void> {
  return new Promise((resolve, reject) => {
    out.cork();
    parts.forEach((part, index) => {
      const isLast = index === parts.length - 1;
      out.write(part, (error) => (error ? reject(error) : isLast && resolve()));
    });
    out.uncork();
  });
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
