// SQLite for Node 20, which has none of its own: a fork of 3.45 with a binary in its package. An optional dependency: there
// may be no binary for this machine.

import { createRequire } from 'node:module';
import type Database from 'libsql';
import { remembering, type Sqlite } from './store.js';

type Module = typeof Database;

/** null: it is not installed, or cannot be loaded here. */
export function libsql(): Sqlite | null {
  const LibsqlDatabase = load();
  if (LibsqlDatabase === null) return null;
  return {
    name: 'libsql',
    open: (path) => {
      const database = new LibsqlDatabase(path);
      // The connection stays open, whatever `close` says, until the last of these is collected. It does no harm: SQLite looks
      // whether a file has moved before it cleans up behind it.
      const prepare = remembering((sql) => database.prepare(sql));
      return {
        exec: (sql) => {
          database.exec(sql);
        },
        // A list, since a single parameter that is null would be taken for a set of named ones.
        runEach: (sql, rows) => {
          const statement = prepare(sql);
          for (const row of rows) statement.run([...row]);
        },
        all: (sql, parameters) => prepare(sql).all([...parameters]) as Record<string, unknown>[],
        close: () => {
          database.close();
        },
      };
    },
  };
}

function load(): Module | null {
  try {
    return createRequire(import.meta.url)('libsql') as Module;
  } catch {
    return null;
  }
}
