// The numbers in the text of a /proc/PID/status. Null where a line is not there, as of a process that is gone.

import { bytesIn } from './kilobytes.js';

/** The real one, of the four. */
export const uidIn = (status: string): number | null => numberIn(status, /^Uid:\s*(\d+)/m);
export const gidIn = (status: string): number | null => numberIn(status, /^Gid:\s*(\d+)/m);

/** The process that a thread belongs to. */
export const processIn = (status: string): number | null => numberIn(status, /^Tgid:\s*(\d+)$/m);

/** Bytes. */
export const peakMemoryIn = (status: string): number | null => bytesIn(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]);

/** What it has in memory that is in no file: its own, what it shares with others, and what of both is swapped out. In bytes; 0 for a thread of the kernel. */
export const heldMemoryIn = (status: string): { readonly own: number; readonly shared: number } => ({
  own:
    (bytesIn(/^RssAnon:\s*(\d+) kB$/m.exec(status)?.[1]) ?? 0) +
    (bytesIn(/^VmSwap:\s*(\d+) kB$/m.exec(status)?.[1]) ?? 0),
  shared: bytesIn(/^RssShmem:\s*(\d+) kB$/m.exec(status)?.[1]) ?? 0,
});

function numberIn(status: string, line: RegExp): number | null {
  const found = line.exec(status)?.[1];
  return found === undefined ? null : Number(found);
}
