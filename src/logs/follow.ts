// What is written to logs from now on, as it comes. Woken by the directory of each log, and by a slow clock where that
// tells nothing (network file systems, too many watches). Goes on over rotation, truncation and replacement.

import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { type Line, LineSplitter, type LogLine } from './line.js';
import type { LogView } from './log-view.js';

const POLL_MS = 1_000;
// Looks that found nothing new until a line without a newline is shown as it is: a prompt, a progress bar.
const PATIENCE = 1;

interface Followed {
  readonly view: LogView;
  at: number;
  readonly splitter: LineSplitter;
  quietLooks: number;
}

/** New lines of these logs from the given offsets on, until the signal. */
export async function* followLogs(from: ReadonlyMap<LogView, number>, signal: AbortSignal): AsyncGenerator<LogLine> {
  const followed = [...from].map(([view, at]): Followed => ({ view, at, splitter: new LineSplitter(), quietLooks: 0 }));
  const bell = new Bell([...new Set(followed.map(({ view }) => dirname(view.source.path)))], signal);
  try {
    while (!signal.aborted) {
      for (const one of followed) yield* readNew(one);
      await bell.rings();
    }
  } finally {
    bell.close();
  }
}

async function* readNew(one: Followed): AsyncGenerator<LogLine> {
  const before = one.at;
  // What the old file still holds comes before a look at the new one.
  yield* readOn(one);
  if ((await one.view.isReplaced()) === 'yes') {
    yield* rest(one);
    await one.view.scan();
    if (one.view.source.kind === 'foreign') one.at = 0;
    yield* readOn(one);
  } else if ((await one.view.end()) < one.at) {
    // Somebody emptied it.
    one.at = one.view.liveStart;
    yield* readOn(one);
  }
  one.quietLooks = one.at === before ? one.quietLooks + 1 : 0;
  if (one.quietLooks > PATIENCE) yield* rest(one);
}

async function* readOn(one: Followed): AsyncGenerator<LogLine> {
  for await (const chunk of one.view.read(one.at)) {
    one.at = chunk.start + chunk.bytes.length;
    yield* stamped(one, one.splitter.add(chunk));
  }
}

const rest = (one: Followed): Generator<LogLine> => stamped(one, one.splitter.rest());

/** Now is when it was written, or very little later. */
function* stamped({ view }: Followed, lines: Iterable<Line>): Generator<LogLine> {
  for (const line of lines) yield { ...line, service: view.source.service, time: Date.now() };
}

/** Rings when something happened in one of the directories, and now and then. */
class Bell {
  readonly #watchers: FSWatcher[] = [];
  readonly #signal: AbortSignal;
  #state: 'silent' | 'rung' = 'silent';
  #wake: () => void = () => {};

  constructor(directories: readonly string[], signal: AbortSignal) {
    this.#signal = signal;
    const ring = (): void => {
      this.#state = 'rung';
      this.#wake();
    };
    signal.addEventListener('abort', ring, { once: true });
    for (const directory of directories) {
      try {
        this.#watchers.push(watch(directory, ring).on('error', () => {}));
      } catch {
        // The clock does it.
      }
    }
  }

  async rings(): Promise<void> {
    if (this.#state === 'silent' && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#state = 'silent';
    this.#wake = () => {};
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
  }
}
