// The index of times beside a log: which byte was there when. A text file, appended to:
//
//   upkeep-times 1 BASE          BASE: how many bytes were moved away from the head of this log in all its life
//   OFFSET WALL                  at WALL (ms since 1970) the log had OFFSET bytes, counted over its whole life
//
// Offsets count over the whole life so that a rotation changes the header alone. Times are those of the look that
// found the bytes, at most LOOK_EVERY_MS after the first of them was written. Lines that cannot be read are passed over.

const MAGIC = 'upkeep-times 1';

/** Milliseconds between two looks at a log that is being written. */
export const LOOK_EVERY_MS = 200;

export interface Times {
  readonly base: number;
  /** Ascending. */
  readonly entries: readonly TimeEntry[];
}

export interface TimeEntry {
  readonly offset: number;
  readonly wall: number;
}

export const timesHeader = (base: number): string => `${MAGIC} ${base}\n`;
export const timesLine = (entry: TimeEntry): string => `${entry.offset} ${entry.wall}\n`;

/** The base in the first line; null when there is no such line. */
export function readBase(text: string): number | null {
  const found = /^upkeep-times 1 (\d{1,15})\n/.exec(text);
  return found?.[1] === undefined ? null : Number(found[1]);
}

/** Null when it is no index. What a dying keeper or a full disk left torn is passed over. */
export function parseTimes(text: string): Times | null {
  const base = readBase(text);
  if (base === null) return null;
  const entries: TimeEntry[] = [];
  let last = -1;
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    const found = /^(\d{1,15}) (\d{1,15})$/.exec(line);
    if (found === null) continue;
    const entry = { offset: Number(found[1]), wall: Number(found[2]) };
    if (entry.offset <= last) continue;
    last = entry.offset;
    entries.push(entry);
  }
  return { base, entries };
}

/** When the byte at `offset` was written; null when it is younger than the index. */
export function timeAt(entries: readonly TimeEntry[], offset: number): number | null {
  return entries[firstAfter(entries, offset)]?.wall ?? null;
}

/** An offset at or before the first byte that was written at `wall` or later: never too late, perhaps early. */
export function offsetSince(entries: readonly TimeEntry[], wall: number): number {
  // No binary search: the wall clock may have been set back, and the first hit is then the safe one.
  const first = entries.findIndex((entry) => entry.wall >= wall);
  if (first === 0) return 0;
  return entries.at(first === -1 ? -1 : first - 1)?.offset ?? 0;
}

/** The index of the first entry whose offset lies after `offset`. */
function firstAfter(entries: readonly TimeEntry[], offset: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.offset ?? 0) > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}
