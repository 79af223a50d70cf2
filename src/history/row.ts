// An entry ↔ a row. Pure.

import type { Sender } from '../core/death.js';
import { doerOf, type Entry, type KeeperNews, type News } from '../core/entry.js';
import { describeNews } from '../core/keeper-news.js';
import type { Level } from '../core/message.js';
import { wholeEntry } from '../core/older.js';
import type { Value } from './store.js';

/** As syslog counts: the less, the more it matters. */
export const severity: Readonly<Record<Level, number>> = { error: 3, warning: 4, notice: 5, info: 6, debug: 7 };

/** An entry that is there already stays as it is: a keeper that was killed gives the last ones again. */
export const INSERT = `
  INSERT OR IGNORE INTO entry (origin, number, time, level, service, what, incident, by, entry)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export function rowOf(entry: Entry): readonly Value[] {
  const { origin, number, time, news } = entry;
  const { level, service, what, incident } = columnsOf(news);
  return [
    origin,
    number,
    Math.floor(time),
    severity[level],
    service,
    what,
    incident,
    nameOf(doerOf(news)),
    JSON.stringify(entry),
  ];
}

/** What was written by `rowOf`: the schema's version says so. */
export const entryIn = (row: Readonly<Record<string, unknown>>): Entry => wholeEntry(JSON.parse(String(row.entry)));

interface Columns {
  readonly level: Level;
  readonly service: string | null;
  readonly what: string;
  readonly incident: string | null;
}

function columnsOf(news: News): Columns {
  if (news.of === 'keeper') return keeperColumns(news.what);
  const { change, about } = news;
  return {
    level: about.level,
    service: change.service,
    what: change.what.type,
    incident: about.incident,
  };
}

function keeperColumns(what: KeeperNews): Columns {
  const isAck = what.type === 'acked';
  return {
    level: describeNews(what).level,
    service: isAck ? what.service : null,
    what: what.type,
    incident: isAck ? what.incident : null,
  };
}

function nameOf(by: Sender | null): string | null {
  if (by === null) return null;
  return by.user ?? (by.uid === null ? null : String(by.uid));
}
