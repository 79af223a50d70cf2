// The newest lines of a log for the record of a death: few, bounded, and read through the thread pool, so that neither a
// huge log nor a slow disk holds the keeper's loop.

import { open } from 'node:fs/promises';
import { forTerminal } from './display.js';

const MOST_BYTES = 64 * 1024;
const LONGEST_LINE = 1_000;

/** The last `count` lines of the file, oldest first, made safe to show; a last line without newline is one. Empty when it cannot be read. */
export async function lastLines(path: string, count: number): Promise<readonly string[]> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return [];
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - MOST_BYTES);
    const buffer = Buffer.alloc(Math.min(size, MOST_BYTES));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    const bytes = buffer.subarray(0, bytesRead);
    return splitTail(bytes, count, from > 0 ? 'cut' : 'whole');
  } catch {
    return [];
  } finally {
    await file.close();
  }
}

function splitTail(bytes: Buffer, count: number, beginning: 'cut' | 'whole'): readonly string[] {
  const lines: string[] = [];
  let end = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
  while (end >= 0 && lines.length < count && bytes.length > 0) {
    const start = end === 0 ? 0 : bytes.lastIndexOf(0x0a, end - 1) + 1;
    // The first line of the piece lacks its beginning, which is only worth showing when there is nothing else.
    if (start === 0 && beginning === 'cut' && lines.length > 0) break;
    lines.unshift(shorten(forTerminal(bytes.subarray(start, end))));
    end = start - 1;
  }
  return lines;
}

const shorten = (line: string): string => (line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE)}…`);
