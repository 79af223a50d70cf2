// Writes the index of times beside a log (times.ts says what stands in it). Runs in the disk thread. It must not know
// when to look or rotate.

import {
  appendFileSync,
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { nextPath, timesPath } from './log-files.js';
import { parseTimes, readBase, timesHeader, timesLine } from './times.js';

/** Where the index of a log stands. `end`: the last offset in it. */
export interface IndexState {
  readonly base: number;
  readonly end: number;
}

const MODE = 0o640;
// Two entries at most; a torn line at the end is found too.
const TAIL = 128;

/** Reads where the index stands, from its first and last bytes; null when there is none that can be read. */
export function readIndex(log: string): IndexState | null {
  let fd: number;
  try {
    fd = openSync(timesPath(log), 'r');
  } catch {
    return null;
  }
  try {
    const head = Buffer.alloc(TAIL);
    const base = readBase(head.toString('latin1', 0, readSync(fd, head, 0, TAIL, 0)));
    if (base === null) return null;
    const size = fstatSync(fd).size;
    const tail = Buffer.alloc(TAIL);
    const n = readSync(fd, tail, 0, TAIL, Math.max(0, size - TAIL));
    const last = parseTimes(timesHeader(base) + dropFirstLine(tail.toString('latin1', 0, n)))?.entries.at(-1);
    return { base, end: Math.max(base, last?.offset ?? base) };
  } finally {
    closeSync(fd);
  }
}

const dropFirstLine = (text: string): string => text.slice(text.indexOf('\n') + 1);

/** Begins an index anew: nothing is known about what lies before `base`. */
export function beginIndex(log: string, base: number): void {
  replace(timesPath(log), timesHeader(base));
}

/** Adds that the log had `offset` bytes, over its whole life, at `wall`. */
export function addTime(log: string, offset: number, wall: number): void {
  appendFileSync(timesPath(log), timesLine({ offset, wall }), { mode: MODE });
}

/** Ends a torn last line, which a full disk or the death of the machine may have left. */
export function mendIndex(log: string): void {
  const text = readFileSync(timesPath(log), 'latin1');
  if (!text.endsWith('\n')) appendFileSync(timesPath(log), '\n');
}

/** The first `cut` bytes of the log have gone to `web.log.next`: so do their times. Does nothing the second time. */
export function cutIndex(log: string, base: number, cut: number): void {
  const text = readFileSync(timesPath(log), 'latin1');
  const times = parseTimes(text);
  if (times === null || times.base !== base) return;
  const border = base + cut;
  const older = times.entries.filter((entry) => entry.offset < border);
  const younger = times.entries.filter((entry) => entry.offset >= border);
  writeFileSync(timesPath(nextPath(log)), timesHeader(base) + older.map(timesLine).join(''), { mode: MODE });
  replace(timesPath(log), timesHeader(border) + younger.map(timesLine).join(''));
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}-new`, text, { mode: MODE });
  renameSync(`${path}-new`, path);
}
