// What the history needs of SQLite, whichever binding this Node has, and what its errors mean. Knows no table.

import { errorText } from '../core/error-text.js';

export type Value = string | number | null;

export interface Store {
  /** Several statements, without parameters. */
  exec(sql: string): void;
  /** One statement, once for each row of parameters. */
  runEach(sql: string, rows: readonly (readonly Value[])[]): void;
  all(sql: string, parameters: readonly Value[]): readonly Readonly<Record<string, unknown>>[];
  close(): void;
}

/** A way to SQLite. */
export interface Sqlite {
  readonly name: 'node:sqlite' | 'libsql';
  /** Makes the file where there is none. Throws what the binding throws; `faultOf` reads it. */
  readonly open: (path: string) => Store;
}

/**
 * Statements by their text, the latest so many: what a statement holds outside of JavaScript is freed when the garbage is
 * collected, and a thread that makes little garbage would collect it too late.
 */
export function remembering<T>(prepare: (sql: string) => T): (sql: string) => T {
  const statements = new Map<string, T>();
  return (sql) => {
    const statement = statements.get(sql) ?? prepare(sql);
    statements.delete(sql);
    statements.set(sql, statement);
    const [oldest] = statements.keys();
    if (statements.size > REMEMBERED && oldest !== undefined) statements.delete(oldest);
    return statement;
  };
}

const REMEMBERED = 24;

/** The file is a database, and not one that this version can use. The message continues a sentence that begins with its path. */
export class Unusable extends Error {}

/** `broken`: this file will never do. `busy`: the next time may go well with the same connection. `ill`: with another one. */
export interface Fault {
  readonly type: 'broken' | 'busy' | 'ill';
  /** Continues a sentence that begins with the path. */
  readonly text: string;
}

// Primary result codes, https://www.sqlite.org/rescode.html
const ERROR = 1;
const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const FULL = 13;
const NOTADB = 26;

export function faultOf(error: unknown): Fault {
  const text = errorText(error);
  if (error instanceof Unusable) return { type: 'broken', text };
  switch (codeOf(error)) {
    case CORRUPT:
    case NOTADB:
      return { type: 'broken', text: `is damaged (${text})` };
    case ERROR:
      // Somebody else's tables, or none: with ours these statements are right.
      return /no such (table|column)|has no column/.test(text)
        ? { type: 'broken', text: `is not as this version made it (${text})` }
        : { type: 'ill', text: `cannot be used: ${text}` };
    case FULL:
      return { type: 'busy', text: 'cannot be written: no space is left on its disk' };
    case BUSY:
    case LOCKED:
      return { type: 'busy', text: 'is locked by another program' };
    default:
      return { type: 'ill', text: `cannot be used: ${text}` };
  }
}

/** node:sqlite says `errcode`, libsql `rawCode`; both with the extended code in the upper bits. */
function codeOf(error: unknown): number {
  if (typeof error !== 'object' || error === null) return 0;
  const code = 'errcode' in error ? error.errcode : 'rawCode' in error ? error.rawCode : 0;
  return typeof code === 'number' ? code & 0xff : 0;
}

/** All that `work` does, or nothing of it. A connection that is closed in the middle may hold its lock for a while: libsql. */
export function inTransaction(store: Store, work: () => void): void {
  store.exec('BEGIN IMMEDIATE');
  try {
    work();
    store.exec('COMMIT');
  } catch (error) {
    // A full disk has rolled it back already.
    quietly(() => store.exec('ROLLBACK'));
    throw error;
  }
}

/** For what is tidied up behind something that went wrong, or at the end: what is committed stays so in any case. */
export function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // There is nothing more to be done.
  }
}
