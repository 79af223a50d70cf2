// Moves the head of a log that somebody is writing into an archive. The bytes of archive and log, read one after the
// other, are exactly what was written: fallocate(2) collapses the copied blocks away in one step that no writer sees.
// Where the file system cannot, the log is copied whole and truncated; what is written in the instant between is lost.
// Killed at any point, `recover` finishes or undoes it. Runs in the disk thread.

import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { errorCode } from '../core/error-text.js';
import { archiveNext, compressArchives, dropOldest, writeAll } from './archive.js';
import { type Intent, readIntent, removeIntent, writeIntent } from './intent.js';
import type { DiskCalls } from './job.js';
import { nextPath, timesPath } from './log-files.js';
import { cutIndex } from './time-index.js';

/** What became of a rotation. `cut` bytes left the head of the log, `dropped` of them for ever. */
export interface Rotated {
  readonly cut: number;
  readonly dropped: number;
  /** `no`: a line may have been lost in the instant of truncation. */
  readonly exact: 'yes' | 'no';
}

export interface RotateOptions {
  readonly log: string;
  /** Archives to keep; none: the head is thrown away. */
  readonly keep: number;
  readonly compress: 'yes' | 'no';
  /** The base of the log's index. */
  readonly base: number;
  /** No byte beyond this place in the file is thrown away; null: all may go. */
  readonly most: number | null;
  readonly calls: Pick<DiskCalls, 'collapse'>;
}

const NOTHING: Rotated = { cut: 0, dropped: 0, exact: 'yes' };
const CHUNK = 1024 * 1024;
// Bigger blocks than st_blksize says: bigalloc clusters of ext4, realtime extents of xfs.
const ALIGNMENTS = [1, 64 * 1024, 1024 * 1024];
// So many single bytes are read, at most, to find a block that begins with a line.
const MOST_PROBES = 4096;

/** @throws the error of a disk that cannot be read or written; the log is then as it was, or `recover` finishes the rotation. A full disk is no error: the oldest goes. */
export function rotate(options: RotateOptions): Rotated {
  const { log, keep, compress } = options;
  const fd = openSync(log, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const { size, blksize } = fstatSync(fd);
    const cut = findCut(fd, Math.min(size, (options.most ?? size) + 1), blksize);
    if (cut === 0) return NOTHING;
    if (keep === 0) return discard(fd, cut, options, 'wanted');
    const intent = moveHead(fd, cut, options);
    if (intent === 'full') return discard(fd, cut, options, 'full');
    // From here on nothing may be cleared away: the copy is the only one.
    const rotated = finish(options, intent);
    if (compress === 'yes') compressQuietly(log);
    return rotated;
  } finally {
    closeSync(fd);
  }
}

/** Finishes or undoes a rotation that the death of a keeper cut short, and clears what it left. */
export function recover(options: RotateOptions): Rotated {
  const { log, compress } = options;
  const intent = readIntent(log);
  let rotated = NOTHING;
  if (intent === 'none' || intent === 'torn' || !existsSync(nextPath(log))) clearAttempt(log);
  else if (isCut(log, intent)) rotated = finish(options, intent);
  else clearAttempt(log);
  if (compress === 'yes') compressQuietly(log);
  return rotated;
}

/** Copies the head and cuts it off, throwing old archives away as far as there is no room for it. */
function moveHead(fd: number, cut: number, options: RotateOptions): Intent | 'full' {
  for (;;) {
    try {
      return tryMoveHead(fd, cut, options);
    } catch (error) {
      clearAttempt(options.log);
      if (!isFull(error)) throw error;
      if (dropOldest(options.log) === 'none') return 'full';
    }
  }
}

/** @throws only while the head is still in the log. */
function tryMoveHead(fd: number, cut: number, options: RotateOptions): Intent {
  const { log, base } = options;
  // Appending, so that a copy made shorter goes on at its new end.
  const next = openSync(
    nextPath(log),
    constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND,
    0o640,
  );
  try {
    fchmodSync(next, fstatSync(fd).mode & 0o777);
    copy(fd, next, 0, cut);
    const collapsed = collapseHead(fd, next, cut, options);
    if (collapsed !== null) return collapsed;
    let copied = fstatSync(next).size;
    copied += copy(fd, next, copied);
    fsyncSync(next);
    const intent: Intent = { length: copied, base, method: 'truncate' };
    writeIntent(log, intent);
    // What came meanwhile, again and again until nothing did; then at once the cut.
    for (let more = copy(fd, next, copied); more > 0; more = copy(fd, next, copied)) copied += more;
    ftruncateSync(fd, 0);
    return intent;
  } finally {
    closeSync(next);
  }
}

/** Null where the file system cannot. */
function collapseHead(fd: number, next: number, cut: number, { log, base, calls }: RotateOptions): Intent | null {
  for (const alignment of ALIGNMENTS) {
    const length = Math.floor(cut / alignment) * alignment;
    if (length === 0) return null;
    ftruncateSync(next, length);
    fsyncSync(next);
    const intent: Intent = { length, base, method: 'collapse' };
    writeIntent(log, intent);
    const errno = calls.collapse(fd, length);
    if (errno === null) return intent;
    if (errno !== 'EINVAL') return null;
  }
  return null;
}

/** The head is gone from the log and stands in `web.log.next`. Every step can be done twice. */
function finish({ log, keep }: RotateOptions, intent: Intent): Rotated {
  const cut = statSync(nextPath(log)).size;
  try {
    cutIndex(log, intent.base, cut);
  } catch {
    // Without room for the new index, the old one would tell wrong times.
    rmSync(timesPath(log), { force: true });
  }
  archiveNext(log, keep);
  removeIntent(log);
  return { cut, dropped: 0, exact: intent.method === 'collapse' ? 'yes' : 'no' };
}

/** Throws the head away without a copy: nothing is kept, or nothing can be. Where blocks cannot be collapsed all of it goes. */
function discard(fd: number, cut: number, { log, base, calls }: RotateOptions, why: 'wanted' | 'full'): Rotated {
  const exact = calls.collapse(fd, cut) === null ? 'yes' : 'no';
  const gone = exact === 'yes' ? cut : fstatSync(fd).size;
  if (exact === 'no') ftruncateSync(fd, 0);
  try {
    cutIndex(log, base, gone);
    rmSync(timesPath(nextPath(log)), { force: true });
  } catch {
    rmSync(timesPath(log), { force: true });
  }
  return { cut: gone, dropped: why === 'full' ? gone : 0, exact };
}

/**
 * Where to cut: whole blocks, and something must stay behind them (fallocate's rule). Among the boundaries in the upper
 * half the last at which a line begins, so that lines stay whole; failing that the last, and a line goes on in the log.
 */
function findCut(fd: number, size: number, block: number): number {
  const last = Math.floor((size - 1) / block) * block;
  const byte = Buffer.alloc(1);
  let probes = 0;
  for (let cut = last; cut > size / 2 && probes < MOST_PROBES; cut -= block, probes += 1) {
    if (readSync(fd, byte, 0, 1, cut - 1) === 1 && byte[0] === 0x0a) return cut;
  }
  return Math.max(0, last);
}

/** Was the head cut off? Then the log begins with something else than its copy. Output that repeats itself to the byte for the whole length could deceive this; one of its copies is then lost. */
function isCut(log: string, intent: Intent): boolean {
  const live = openSync(log, 'r');
  try {
    if (fstatSync(live).size < intent.length) return true;
    const next = openSync(nextPath(log), 'r');
    try {
      const mine = Buffer.allocUnsafe(CHUNK);
      const copied = Buffer.allocUnsafe(CHUNK);
      for (let at = 0; at < intent.length; ) {
        const wanted = Math.min(CHUNK, intent.length - at);
        const n = readSync(live, mine, 0, wanted, at);
        if (n === 0 || readSync(next, copied, 0, n, at) !== n) return true;
        if (!mine.subarray(0, n).equals(copied.subarray(0, n))) return true;
        at += n;
      }
      return false;
    } finally {
      closeSync(next);
    }
  } finally {
    closeSync(live);
  }
}

/** Copies from `from` up to `to`, or to the end; says how many bytes. */
function copy(fd: number, next: number, from: number, to = Number.MAX_SAFE_INTEGER): number {
  const chunk = Buffer.allocUnsafe(CHUNK);
  let at = from;
  while (at < to) {
    const n = readSync(fd, chunk, 0, Math.min(CHUNK, to - at), at);
    if (n === 0) break;
    writeAll(next, chunk.subarray(0, n));
    at += n;
  }
  return at - from;
}

function clearAttempt(log: string): void {
  rmSync(nextPath(log), { force: true });
  rmSync(timesPath(nextPath(log)), { force: true });
  removeIntent(log);
}

/** What stays uncompressed for want of room is compressed after the next rotation. */
function compressQuietly(log: string): void {
  try {
    compressArchives(log);
  } catch (error) {
    if (!isFull(error)) throw error;
  }
}

const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(errorCode(error));
