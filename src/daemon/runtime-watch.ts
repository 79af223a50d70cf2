// What the keeper needs in the runtime directory while it runs, made anew when somebody removes it: the directory itself, the
// lock, the journal, the control socket. A removed file can still be written to, so no failure shows it: the directory is
// watched by inotify. Knows what each piece is called, and nothing of what is in it.

import { type FSWatcher, lstatSync, watch } from 'node:fs';
import type { Report } from '../keeper/ports.js';

/** One thing that has to be there. */
export interface Piece {
  /** As an operator knows it. */
  readonly name: string;
  readonly isInPlace: () => boolean;
  /** May throw: then it is tried again. */
  readonly renew: () => void | Promise<void>;
}

export interface RuntimeWatchParts {
  readonly path: string;
  /** In the order in which they are made; the directory comes before them. */
  readonly pieces: readonly Piece[];
  readonly makeDirectory: () => void;
  readonly say: (text: string) => void;
  readonly report: Report;
}

/** Who removes a directory removes what is in it first, one by one: that is waited for. */
const SETTLE_MS = 50;
const AGAIN_MS = 5_000;

export class RuntimeWatch {
  readonly #parts: RuntimeWatchParts;
  #watcher: FSWatcher | null = null;
  #watched = '';
  #timer: NodeJS.Timeout | null = null;
  #doing: 'nothing' | 'a look' | 'closed' = 'nothing';
  /** What could not be made, told once until it can. */
  #told = '';

  constructor(parts: RuntimeWatchParts) {
    this.#parts = parts;
  }

  begin(): void {
    this.#watch();
  }

  close(): void {
    this.#doing = 'closed';
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  /** Makes anew what is not there. Never rejects. */
  async look(): Promise<void> {
    if (this.#doing !== 'nothing') return;
    this.#doing = 'a look';
    const { path, pieces, makeDirectory, say, report } = this.#parts;
    const missing: string[] = [];
    try {
      if (identityOf(path) !== this.#watched) {
        missing.push('the directory');
        makeDirectory();
        this.#watch();
      }
      for (const piece of pieces) {
        if (piece.isInPlace()) continue;
        missing.push(piece.name);
        await piece.renew();
        if (!piece.isInPlace()) throw new Error(`${piece.name} is still not there`);
      }
      if (missing.length > 0) {
        // Its inode may have been given to the directory that was made in its place.
        this.#watch();
        say(`somebody removed ${missing.join(', ')} of ${path}; made anew, and the services were not touched`);
        // What was removed meanwhile nobody has told of.
        this.#later(SETTLE_MS);
      }
      this.#told = '';
    } catch (error) {
      const what = missing.join(', ');
      if (what !== this.#told) report(`somebody removed ${what} of ${path}, and it cannot be made anew`, error);
      this.#told = what;
      this.#later(AGAIN_MS);
    }
    if (!this.#isClosed()) this.#doing = 'nothing';
  }

  #isClosed(): boolean {
    return this.#doing === 'closed';
  }

  #later(delay: number): void {
    if (this.#isClosed()) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.look();
    }, delay);
  }

  #watch(): void {
    const { path, report } = this.#parts;
    this.#watcher?.close();
    this.#watched = identityOf(path);
    try {
      // A `change` is a line of the journal; names come and go as `rename`, the directory's own end too.
      this.#watcher = watch(path, (event) => {
        // While something cannot be made, the tries themselves come here: they would never rest.
        if (event === 'rename' && this.#told === '') this.#later(SETTLE_MS);
      });
      this.#watcher.on('error', (error) => report(`${path} is not watched any more`, error));
    } catch (error) {
      report(`${path} cannot be watched: should somebody remove it, commands reach this keeper no more`, error);
    }
  }
}

function identityOf(path: string): string {
  const there = lstatSync(path, { throwIfNoEntry: false });
  return there?.isDirectory() === true ? `${there.dev}:${there.ino}` : '';
}
