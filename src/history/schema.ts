// The tables of the history, and the settings of a connection to them. Within SQLite 3.45.

import { inTransaction, type Store, Unusable } from './store.js';

const VERSION = 1;

// What one filters by stands in columns, the entry as a whole behind them: a search that reads on does not touch it.
// `id` is the order in which they happened: the host's clock may jump. A number is never used twice, so that "after this
// one" means the same for ever. The index holds whatever a question about services decides by.
const TABLES = `
  CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    origin TEXT NOT NULL,
    number INTEGER NOT NULL,
    time INTEGER NOT NULL,
    level INTEGER NOT NULL,
    service TEXT,
    what TEXT NOT NULL,
    incident TEXT,
    by TEXT,
    entry TEXT NOT NULL,
    UNIQUE (origin, number)
  );
  CREATE INDEX entry_service ON entry (service, level, time, what);
  CREATE INDEX entry_time ON entry (time);
  CREATE INDEX entry_incident ON entry (incident) WHERE incident IS NOT NULL;
  CREATE INDEX entry_by ON entry (by) WHERE by IS NOT NULL;
`;

// What is committed is with the kernel and outlives the keeper; only the host's own death can cost the last moments, and never
// the file. Pages that are free can be given back a few at a time, which has to be said before there is a table.
const SETTINGS = `
  PRAGMA busy_timeout = 2000;
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA journal_size_limit = 1048576;
`;

/** Throws Unusable where it is another version's, and what the binding throws. */
export function settle(store: Store): void {
  store.exec(SETTINGS);
  const version = pragma(store, 'user_version');
  if (version === VERSION) return;
  if (version !== 0) throw new Unusable(`was written by another version of upkeep (schema ${version}, not ${VERSION})`);
  if (store.all('SELECT name FROM sqlite_schema LIMIT 1', []).length > 0)
    throw new Unusable('is the database of another program');
  inTransaction(store, () => store.exec(`${TABLES} PRAGMA user_version = ${VERSION}`));
}

/** The value of a pragma that is a number. */
export function pragma(store: Store, name: 'user_version' | 'page_size' | 'page_count' | 'freelist_count'): number {
  const [row] = store.all(`PRAGMA ${name}`, []);
  return Number(row?.[name] ?? 0);
}
