// What a client asks GET /v1/history, and the shape of the answer. Knows no command and prints nothing.

import type { HistoryDocument, HistoryEntry } from '../core/history-view.js';
import { iso } from '../core/time.js';
import { isDocument } from './client-document.js';

export type { HistoryDocument, HistoryEntry };

export interface HistoryFilter {
  /** Names and globs; empty: everything. */
  readonly services: readonly string[];
  /** Wall time in milliseconds. */
  readonly since: number | null;
  readonly incident: string | null;
  readonly by: string | null;
  /** `all`: also what nobody is told of. */
  readonly chatter: 'all' | 'none';
}

export interface HistoryPage {
  readonly most: number;
  /** Ids of entries. */
  readonly before?: string;
  readonly after?: string;
  /** Milliseconds. */
  readonly wait?: number;
}

/** As many as the keeper gives at once. */
export const largestPage = 1000;

/** An id that no entry has: everything is after it. */
export const beforeAll = 'none.0';

export function historyPath({ services, since, incident, by, chatter }: HistoryFilter, page: HistoryPage): string {
  const parameters: readonly (readonly [string, string | null | undefined])[] = [
    ...services.map((name) => ['service', name] as const),
    ['since', since === null ? null : iso(since)],
    ['incident', incident],
    ['by', by],
    ['all', chatter === 'all' ? '1' : null],
    ['n', String(page.most)],
    ['before', page.before],
    ['after', page.after],
    ['wait', page.wait === undefined ? null : `${page.wait}ms`],
  ];
  const query = new URLSearchParams();
  for (const [name, value] of parameters) if (typeof value === 'string') query.append(name, value);
  return `/v1/history?${query.toString()}`;
}

export const isHistory = (body: unknown): body is HistoryDocument => isDocument(body, 'entries');
