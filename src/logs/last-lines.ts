// The last lines that a service had printed when it ended, for the record of its death: few, bounded, and safe to show
// anywhere. Runs in the disk thread, so that neither a huge log nor a slow disk holds the keeper. It must not know services.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { forTerminal } from './display.js';
import type { LogJob } from './job.js';

/** For a person who reads a mail: enough for a stack trace, and no more than fits below it. */
const mostBytes = 8 * 1024;
const longestLine = 400;
/** Of which the lines are cut: those of a stack trace in a long line, and then some. */
const window = 64 * 1024;

/** A link could have been laid by the service, to have us read what it may not; opening a FIFO would wait for a writer. */
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Oldest first; a last line without a newline is one. Null: there is no such log, or it is another file by now. */
export function lastLines(
  wanted: Omit<Extract<LogJob, { type: 'lastLines' }>, 'type' | 'key' | 'lasts' | 'service'>,
): readonly string[] | null {
  let fd: number;
  try {
    fd = openSync(wanted.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const file = fstatSync(fd);
    if (!file.isFile() || (wanted.inode !== null && wanted.inode !== file.ino)) return null;
    // Shorter than it was: a rotation took its head away meanwhile, and what is sought stands at its end.
    const isWhole = wanted.end !== null && wanted.end <= file.size;
    const end = isWhole ? wanted.end : file.size;
    const begin = isWhole ? Math.max(0, wanted.begin) : 0;
    const from = Math.max(begin, end - window);
    const buffer = Buffer.alloc(Math.max(0, end - from));
    const bytes = buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, from));
    return fitted(linesOf(bytes, wanted.lines, from > begin ? 'cut' : 'whole'));
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}

function linesOf(bytes: Buffer, count: number, beginning: 'cut' | 'whole'): string[] {
  const lines: string[] = [];
  let end = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
  while (end >= 0 && lines.length < count && bytes.length > 0) {
    const start = end === 0 ? 0 : bytes.lastIndexOf(0x0a, end - 1) + 1;
    // The first line of the piece lacks its beginning, which is only worth showing when there is nothing else.
    if (start === 0 && beginning === 'cut' && lines.length > 0) break;
    lines.unshift(shortened(forTerminal(bytes.subarray(start, end))));
    end = start - 1;
  }
  return lines;
}

/** Not in the middle of a character of two units. */
const shortened = (line: string): string =>
  line.length <= longestLine ? line : `${line.slice(0, longestLine).replace(/[\ud800-\udbff]$/, '')}…`;

function fitted(lines: string[]): readonly string[] {
  let bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  while (bytes > mostBytes) bytes -= Buffer.byteLength(lines.shift() ?? '') + 1;
  return lines;
}
