// Ready when a whole line that the service wrote since this start matches. Reads through the thread pool, only what is
// new since the last try.

import { type FileHandle, open } from 'node:fs/promises';
import type { Attempt } from './attempt.js';

/** The file, and how long it was when the process was started (negative: a rotation has moved some of what followed away). */
export interface LogStart {
  readonly path: string;
  readonly offset: number;
}

const CHUNK = 64 * 1024;
// No line is looked at beyond this.
const LONGEST_LINE = 64 * 1024;
const NEWLINE = 0x0a;

/** `start` is asked anew at each try, because rotation moves it; null: there is no log to read. */
export function logProbe(regex: string, start: () => LogStart | null): Attempt {
  const pattern = new RegExp(regex);
  /** Bytes since the start that were looked at. */
  let seen = 0;
  let line = Buffer.alloc(0);

  const look = (bytes: Buffer): 'ready' | 'not yet' => {
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
      const text = Buffer.concat([line, bytes.subarray(from, end)])
        .subarray(0, LONGEST_LINE)
        .toString();
      if (pattern.test(text.replace(/\r$/, ''))) return 'ready';
      line = Buffer.alloc(0);
      from = end + 1;
    }
    if (line.length < LONGEST_LINE) line = Buffer.concat([line, bytes.subarray(from, from + LONGEST_LINE)]);
    return 'not yet';
  };

  return async (signal) => {
    const log = start();
    const file = log === null ? null : await open(log.path, 'r').catch(() => null);
    if (log === null || file === null) return 'not yet';
    try {
      const { size } = await file.stat();
      let position = Math.max(0, log.offset + seen);
      if (position > size) {
        // The daemon began its file anew, or somebody emptied it.
        position = 0;
        line = Buffer.alloc(0);
      }
      while (!signal.aborted) {
        const bytes = await readAt(file, position);
        if (bytes.length === 0) break;
        position += bytes.length;
        seen = position - log.offset;
        if (look(bytes) === 'ready') return 'ready';
      }
      return 'not yet';
    } catch {
      return 'not yet';
    } finally {
      await file.close();
    }
  };
}

async function readAt(file: FileHandle, position: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, position);
  return buffer.subarray(0, bytesRead);
}
