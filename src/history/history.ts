// The history: every change with its cause, in one SQLite file. Whatever is wrong with the file is an answer, never an
// exception: a damaged one is set aside and begun anew, a disk that will not have it is tried again with the next call.
// Blocks, so it belongs to a thread of its own. It must not know who asks.

import type { Entry } from '../core/entry.js';
import { errorText } from '../core/error-text.js';
import type { Answer, Question } from '../core/history.js';
import { identityOf, prepareFile, setAside } from './file.js';
import type { Appended } from './job.js';
import { type Bounds, pruneStep } from './prune.js';
import { LAST, queryFor } from './query.js';
import { entryIn, INSERT, rowOf } from './row.js';
import { settle } from './schema.js';
import { faultOf, inTransaction, quietly, type Sqlite, type Store } from './store.js';

export interface HistoryOptions {
  readonly path: string;
  /** null: this host has none, and there is no history. */
  readonly sqlite: Sqlite | null;
  readonly bounds: Bounds;
  /** Wall time in milliseconds. */
  readonly now: () => number;
  /** One sentence for the keeper's log: told once when it begins, and once when it is over. */
  readonly say: (text: string) => void;
}

/** What came of something that was tried. `anew`: the file was set aside for it, and the next time will go well. */
type Tried<T> =
  | { readonly type: 'done'; readonly value: T }
  | { readonly type: 'anew' | 'failed'; readonly problem: string };

const NONE =
  'there is no history: this Node has no SQLite (22.13 and later have), and the optional package libsql is not there or cannot be loaded';

export class History {
  readonly #options: HistoryOptions;
  #open: { readonly store: Store; readonly identity: string | null } | null = null;
  /** Why nothing can be added, as it was told last; null: it can. */
  #trouble: string | null = null;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** All of them or none. Those that it has already do no harm. */
  append(entries: readonly Entry[]): Appended {
    const work = (store: Store): void => {
      inTransaction(store, () => store.runEach(INSERT, entries.map(rowOf)));
      // What is added makes room for itself, so that nobody has to see to it.
      this.#prune(store, 1 + Math.ceil(entries.length / 100));
    };
    const first = this.#try(work);
    const tried = first.type === 'anew' ? this.#try(work) : first;
    this.#judge(tried.type === 'done' ? null : tried.problem);
    if (tried.type === 'done') return { type: 'kept' };
    return { type: this.#options.sqlite === null ? 'never' : 'later', problem: tried.problem };
  }

  ask(question: Question): Answer {
    const tried = this.#try((store) => {
      const { sql, parameters } = queryFor(question);
      const [last] = store.all(LAST, []);
      return {
        entries: store.all(sql, parameters).map(entryIn),
        last: last === undefined ? null : { origin: String(last.origin), number: Number(last.number) },
      };
    });
    return tried.type === 'done' ? { type: 'found', ...tried.value } : { type: 'unavailable', problem: tried.problem };
  }

  /** A step of some milliseconds; `append` takes one too. `more`: another would find something to do. */
  prune(): 'more' | 'done' {
    const tried = this.#try((store) => this.#prune(store, 1));
    return tried.type === 'done' ? tried.value : 'done';
  }

  /** The file alone is whole afterwards. */
  close(): void {
    const { store } = this.#open ?? {};
    quietly(() => store?.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
    this.#leave();
  }

  #leave(): void {
    const { store } = this.#open ?? {};
    this.#open = null;
    quietly(() => store?.close());
  }

  #prune(store: Store, steps: number): 'more' | 'done' {
    const { bounds, now } = this.#options;
    for (let step = 0; step < steps; step += 1) if (pruneStep(store, bounds, now()) === 'done') return 'done';
    return 'more';
  }

  #try<T>(work: (store: Store) => T): Tried<T> {
    const { sqlite, path } = this.#options;
    if (sqlite === null) return { type: 'failed', problem: NONE };
    try {
      return { type: 'done', value: work(this.#ready(sqlite)) };
    } catch (error) {
      const fault = faultOf(error);
      if (fault.type === 'broken') return this.#beginAnew(fault.text);
      // Who keeps the connection can still read while the disk is full.
      if (fault.type === 'ill') this.#leave();
      return { type: 'failed', problem: `the history ${path} ${fault.text}` };
    }
  }

  /** The open database; opened, and made, where it is not. */
  #ready(sqlite: Sqlite): Store {
    const { path, say } = this.#options;
    if (this.#open !== null) {
      if (identityOf(path) === this.#open.identity) return this.#open.store;
      say(`the history ${path} was removed or replaced while it was in use; what is there now is taken`);
      this.#leave();
    }
    prepareFile(path);
    const store = sqlite.open(path);
    try {
      settle(store);
    } catch (error) {
      quietly(() => store.close());
      throw error;
    }
    this.#open = { store, identity: identityOf(path) };
    return store;
  }

  #beginAnew(why: string): Tried<never> {
    const { path, now, say } = this.#options;
    this.#leave();
    try {
      const problem = `the history ${path} ${why}; it was set aside as ${setAside(path, now())}, and a new one is begun`;
      say(problem);
      return { type: 'anew', problem };
    } catch (error) {
      return { type: 'failed', problem: `the history ${path} ${why}, and cannot be set aside: ${errorText(error)}` };
    }
  }

  /** Told when it begins and when it is over. Who can still read while nothing can be added has no reason to say that it is over. */
  #judge(trouble: string | null): void {
    const { path, say } = this.#options;
    if (trouble !== null && trouble !== this.#trouble) say(trouble);
    if (trouble === null && this.#trouble !== null) say(`the history ${path} is kept again`);
    this.#trouble = trouble;
  }
}
