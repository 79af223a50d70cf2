// The kernel's own log, /dev/kmsg: read when somebody asks, never waited for. It must not know who asks, nor what for.

import { type KernelNews, newDump, newsOf } from './kernel-log-line.js';
import { isMachineNamespace } from './pid-era.js';
import { close, libc, O_NONBLOCK, O_RDONLY, open, read, SystemCallFailure } from './syscalls.js';

const clseek = libc.func('long lseek(int fd, long offset, int whence)');
const SEEK_END = 2;

const PATH = '/dev/kmsg';
/** More than the largest record. */
const record = Buffer.alloc(8192);
/** What a large ring holds; the rest of one that is written faster than we read is left. */
const mostRecords = 100_000;
/** As many as a ring of common size holds, in 5 ms: an end does not wait longer for its cause. */
const mostAtOnce = 4096;
/** Of the last ends that were told of while somebody asked for another. */
const remembered = 256;
/** The log of before our time is read once for all that ended in it. */
const keptFor = 5000;

/** Every record that the kernel still has; null where it may not be read (dmesg_restrict, a container). */
export function readKernelLog(path = PATH): readonly string[] | null {
  const fd = openLog(path);
  if (fd === null) return null;
  try {
    const records: string[] = [];
    readRecords(fd, mostRecords, (text) => void records.push(text));
    return records;
  } finally {
    close(fd);
  }
}

export class KernelLog {
  readonly #fd: number;
  readonly #dump = newDump();
  #news: readonly KernelNews[] = [];
  #before: { readonly at: number; readonly news: readonly KernelNews[] } | null = null;

  /** Null where it may not be read, or speaks of other pids than ours. */
  static open(path = PATH): KernelLog | null {
    const fd = isMachineNamespace() ? openLog(path) : null;
    if (fd === null) return null;
    skipToEnd(fd);
    return new KernelLog(fd);
  }

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * The last that the log says of the end of a process. `since`: when it began, on the log's clock; what is older is of
   * another with this number. `away`: it ended before we were here.
   */
  about(pid: number, since: number, away: 'yes' | 'no'): KernelNews | null {
    const news = away === 'yes' ? this.#all() : this.#latest();
    return news.findLast((one) => one.pid === pid && one.at >= since) ?? null;
  }

  close(): void {
    close(this.#fd);
  }

  #latest(): readonly KernelNews[] {
    const records: string[] = [];
    if (readRecords(this.#fd, mostAtOnce, (text) => void records.push(text)) === 'more') skipToEnd(this.#fd);
    if (records.length > 0) this.#news = [...this.#news, ...newsOf(records, this.#dump)].slice(-remembered);
    return this.#news;
  }

  #all(): readonly KernelNews[] {
    const now = performance.now();
    if (this.#before === null || now - this.#before.at > keptFor)
      this.#before = { at: now, news: newsOf(readKernelLog() ?? []) };
    return this.#before.news;
  }
}

function openLog(path: string): number | null {
  try {
    return open(path, O_RDONLY | O_NONBLOCK);
  } catch (error) {
    if (error instanceof SystemCallFailure) return null; // EPERM, ENOENT
    throw error;
  }
}

const skipToEnd = (fd: number): void => void clseek(fd, 0, SEEK_END);

function readRecords(fd: number, most: number, take: (text: string) => void): 'all' | 'more' {
  for (let i = 0; i < most; i += 1) {
    try {
      const length = read(fd, record);
      if (length === 0) return 'all';
      take(record.toString('utf8', 0, length));
    } catch (error) {
      if (!(error instanceof SystemCallFailure)) throw error;
      // EPIPE: overwritten meanwhile, the next read goes on behind it. EAGAIN: the end.
      if (error.errno !== 'EPIPE') return 'all';
    }
  }
  return 'more';
}
