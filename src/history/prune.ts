// What is too old, or too much, goes: a few rows and a few pages at a time, so that nobody who waits for the disk waits long.

import { pragma } from './schema.js';
import type { Store } from './store.js';

export interface Bounds {
  /** What is older goes. Milliseconds. */
  readonly age: number;
  /** What the entries may take. */
  readonly bytes: number;
}

export const defaultBounds: Bounds = { age: 90 * 86_400_000, bytes: 64 * 2 ** 20 };

/** A step takes some 5 ms. */
const ROWS = 200;
const PAGES = 128;

/** Free pages are used again; more than so many bytes of them are given back. */
const SLACK = 2 ** 20;

/** One step. `more`: another one would find something to do. */
export function pruneStep(store: Store, { age, bytes }: Bounds, wall: number): 'more' | 'done' {
  const expired = removeRows(store, 'time < ? ORDER BY time', [Math.floor(wall - age)]);
  const size = sizeOf(store);
  const excess = size.used > bytes ? removeRows(store, 'true ORDER BY id', []) : 0;
  if (size.free > SLACK) store.exec(`PRAGMA incremental_vacuum(${PAGES})`);
  return expired === ROWS || excess === ROWS || size.free > SLACK + PAGES * size.page ? 'more' : 'done';
}

/** The number of rows that went. */
function removeRows(store: Store, condition: string, parameters: readonly number[]): number {
  const rows = store.all(
    `DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE ${condition} LIMIT ${ROWS}) RETURNING id`,
    parameters,
  );
  return rows.length;
}

function sizeOf(store: Store): { readonly page: number; readonly used: number; readonly free: number } {
  const page = pragma(store, 'page_size');
  const free = pragma(store, 'freelist_count') * page;
  return { page, used: pragma(store, 'page_count') * page - free, free };
}
