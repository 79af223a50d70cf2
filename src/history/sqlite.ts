// Which SQLite there is on this host.

import { libsql } from './libsql.js';
import { nodeSqlite } from './node-sqlite.js';
import type { Sqlite } from './store.js';

/** Node's own where it has one; null: there is none at all. */
export const findSqlite = (): Sqlite | null => nodeSqlite() ?? libsql();
