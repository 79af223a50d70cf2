// `upkeep logs`: the last lines of one or several logs, interleaved by time, and what comes after them. Reads files in
// the process of whoever asks, with that user's rights; the keeper has no part in it.

import { followLogs } from './follow.js';
import { type Line, LineSplitter, type LogLine } from './line.js';
import { type LogSource, LogView } from './log-view.js';
import { stampOf } from './stamp.js';
import { offsetSince, timeAt } from './times.js';

export interface ReadOptions {
  /** So many lines at most before the following begins, of all the logs together; `all` of them. */
  readonly lines: number | 'all';
  /** Only what was written at this time or later, in ms since 1970. Of a log without any times, everything. */
  readonly since: number | null;
  /** `yes`: goes on until `signal`. */
  readonly follow: 'yes' | 'no';
  readonly signal: AbortSignal;
}

// A line that began so long before the time asked for is shown without its beginning.
const LEAD = 64 * 1024;

/** Lines of these logs, oldest first; a log that is not there has none (yet). @throws when one is there and may not be read. */
export async function* readLogs(sources: readonly LogSource[], options: ReadOptions): AsyncGenerator<LogLine> {
  const views = sources.map((source) => new LogView(source));
  try {
    const ends = new Map<LogView, number>();
    for (const view of views) ends.set(view, await view.scan());
    const histories = views.map((view) => readHistory(view, ends.get(view) ?? 0, options));
    const merged = mergeByTime(histories);
    // Each gives as many lines as are asked for, and of several only the youngest of all count.
    yield* options.lines === 'all' || views.length === 1 ? merged : lastOf(merged, options.lines);
    if (options.follow === 'yes') yield* followLogs(ends, options.signal);
  } finally {
    for (const view of views) await view.close();
  }
}

async function* readHistory(view: LogView, end: number, { lines, since }: ReadOptions): AsyncGenerator<LogLine> {
  if (lines === 0) return;
  const first = since === null ? view.start : Math.max(view.start, offsetSince(view.entries, since) - LEAD);
  const last = lines === 'all' ? view.start : await view.startOfLast(lines, end);
  // Not at the beginning of a line, unless it is the beginning of everything: pass over the rest of that one.
  let passing = first > last && first > view.start ? 'rest of a line' : 'nothing';
  const splitter = new LineSplitter();
  const clock = new LineClock(view);
  const isWanted = (line: LogLine): boolean => since === null || line.time === null || line.time >= since;
  for await (const chunk of view.read(Math.max(first, last), end)) {
    for (const line of splitter.add(chunk)) {
      if (passing === 'rest of a line') {
        if (line.ends !== 'more') passing = 'nothing';
        continue;
      }
      const timed = clock.timed(line);
      if (isWanted(timed)) yield timed;
    }
  }
  for (const line of splitter.rest()) {
    const timed = clock.timed(line);
    if (isWanted(timed)) yield timed;
  }
}

/** Says when lines were written: by the index, and where there is none by the time that the daemon wrote before the line. */
class LineClock {
  readonly #view: LogView;
  #last: number | null = null;

  constructor(view: LogView) {
    this.#view = view;
  }

  timed(line: Line): LogLine {
    const { source, entries, writtenAt } = this.#view;
    const time =
      source.kind === 'own'
        ? (timeAt(entries, line.start) ?? this.#young(entries.length, writtenAt))
        : this.#stamp(line);
    return { ...line, service: source.service, time };
  }

  /** Younger than the index, so from between its last look and the last write. */
  #young(known: number, writtenAt: number | null): number | null {
    return known === 0 ? null : writtenAt;
  }

  /** A line without a stamp goes with the one before it: a stack trace, a continuation. */
  #stamp(line: Line): number | null {
    this.#last = stampOf(line.bytes, Date.now()) ?? this.#last;
    return this.#last;
  }
}

interface Head {
  readonly rest: AsyncGenerator<LogLine>;
  line: LogLine;
  /** What it is sorted by: a line without a time stays with the one before it. */
  time: number;
}

/** Always the oldest of the first lines; pieces of one line stay together. */
async function* mergeByTime(logs: readonly AsyncGenerator<LogLine>[]): AsyncGenerator<LogLine> {
  const heads: Head[] = [];
  for (const rest of logs) {
    const first = await rest.next();
    if (first.done !== true) heads.push({ rest, line: first.value, time: first.value.time ?? 0 });
  }
  while (heads.length > 0) {
    const head = heads.reduce((oldest, one) => (one.time < oldest.time ? one : oldest));
    for (let ends: Line['ends'] = 'more'; ends === 'more'; ) {
      ends = head.line.ends;
      yield head.line;
      const next = await head.rest.next();
      if (next.done === true) {
        heads.splice(heads.indexOf(head), 1);
        break;
      }
      head.line = next.value;
      head.time = Math.max(head.time, next.value.time ?? 0);
    }
  }
}

async function* lastOf(lines: AsyncGenerator<LogLine>, count: number): AsyncGenerator<LogLine> {
  const kept: LogLine[] = [];
  for await (const line of lines) {
    kept.push(line);
    if (kept.length > count) kept.shift();
  }
  yield* kept;
}
