// SQLite as Node itself brings it, from 22.13 on. Typed here, because the types of Node 20 do not know it.

import { remembering, type Sqlite, type Value } from './store.js';

interface Database {
  exec(sql: string): void;
  prepare(sql: string): {
    run(...parameters: readonly Value[]): unknown;
    all(...parameters: readonly Value[]): Record<string, unknown>[];
  };
  close(): void;
}

interface Module {
  readonly DatabaseSync: new (path: string) => Database;
}

/** null: this Node has none. */
export function nodeSqlite(): Sqlite | null {
  const module = withoutWarning(() => process.getBuiltinModule('node:sqlite'));
  if (!isSqlite(module)) return null;
  return {
    name: 'node:sqlite',
    open: (path) => {
      const database = new module.DatabaseSync(path);
      const prepare = remembering((sql) => database.prepare(sql));
      return {
        exec: (sql) => database.exec(sql),
        runEach: (sql, rows) => {
          const statement = prepare(sql);
          for (const row of rows) statement.run(...row);
        },
        all: (sql, parameters) => prepare(sql).all(...parameters),
        close: () => database.close(),
      };
    },
  };
}

const isSqlite = (module: object | undefined): module is Module => module !== undefined && 'DatabaseSync' in module;

/** Node 22 writes to stderr that it is experimental; what we need of it has not changed since. */
function withoutWarning<T>(load: () => T): T {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}
