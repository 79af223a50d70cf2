// The outward view of the history, versioned: GET /v1/history, `upkeep history --json`. A field without a value is null, never absent.

import type { What } from './change.js';
import type { Death, Sender } from './death.js';
import { doerOf, type Entry, type News } from './entry.js';
import { whatForAll } from './for-all.js';
import type { Answer, Position } from './history.js';
import { describeNews } from './keeper-news.js';
import { type Level, messageOf } from './message.js';
import type { Findings, Killer } from './process.js';
import type { StateName } from './state.js';
import { type DeathStatus, deathStatus, senderOf } from './status.js';
import { iso } from './time.js';

export interface HistoryDocument {
  readonly version: 1;
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
  /** The id of the newest entry of all, asked for or not: what comes later is `after` it. null: there is none yet. */
  readonly last: string | null;
}

export interface HistoryEntry {
  /** Names it for ever. */
  readonly id: string;
  readonly time: string;
  /** null: it happened to the keeper. */
  readonly service: string | null;
  readonly what: string;
  readonly level: Level;
  /** One sentence, without the name of the service. */
  readonly text: string;
  readonly generation: number | null;
  readonly from: StateName | null;
  readonly to: StateName | null;
  readonly incident: string | null;
  /** Who asked for it, or did it. */
  readonly by: Sender | null;
  /** What whoever asked for it gave as the reason. */
  readonly reason: string | null;
  readonly death: DeathStatus | null;
  /** Only for those who may see output and command lines; null for others, and where nothing ended. */
  readonly details: HistoryDetails | null;
}

export interface HistoryDetails {
  /** Milliseconds. */
  readonly uptime: number | null;
  readonly cpuTime: number | null;
  /** Bytes. */
  readonly peakMemory: number | null;
  readonly findings: Findings | null;
  /** Of who sent the signal. */
  readonly command: string | null;
  readonly parent: Killer['parent'];
  /** The last lines that it printed, oldest first. */
  readonly output: readonly string[] | null;
}

export const historyDocument = (
  { entries, last }: Extract<Answer, { type: 'found' }>,
  details: 'yes' | 'no',
): HistoryDocument => ({
  version: 1,
  entries: entries.map((entry) => historyEntry(entry, details)),
  last: last === null ? null : positionText(last),
});

/** Safe in a URL. */
export const positionText = ({ origin, number }: Position): string => `${origin}.${number}`;

/** null: it is no id of an entry. */
export function positionIn(text: string): Position | null {
  const parts = /^([A-Za-z0-9_-]{1,64})\.(\d{1,15})$/.exec(text);
  return parts === null ? null : { origin: parts[1] ?? '', number: Number(parts[2]) };
}

function historyEntry(entry: Entry, details: 'yes' | 'no'): HistoryEntry {
  return {
    id: positionText(entry),
    time: iso(entry.time),
    ...viewOf(details === 'yes' ? entry.news : forAll(entry.news)),
    details: details === 'yes' ? detailsOf(entry) : null,
  };
}

/** Why a channel fails is said in the words of programs and servers, or names the file of a secret. */
function forAll(news: News): News {
  if (news.of === 'service') return serviceForAll(news);
  if (news.what.type !== 'channelLost') return news;
  return { ...news, what: { ...news.what, reason: 'why is for operators to see' } };
}

/** Where something of it is for operators alone, its line is written anew from the rest. */
function serviceForAll(news: Extract<News, { of: 'service' }>): News {
  const { change, about } = news;
  const what = whatForAll(change.what);
  if (what === change.what || 'death' in what) return news;
  const seen = { ...change, what };
  const line = messageOf(seen, null)?.text.slice(change.service.length + 2) ?? null;
  return { ...news, change: seen, about: { ...about, line } };
}

type View = Omit<HistoryEntry, 'id' | 'time' | 'details'>;

function viewOf(news: News): View {
  if (news.of === 'keeper') return keeperView(news);
  const { service, generation, from, to, what } = news.change;
  const { level, line, incident } = news.about;
  const death = deathIn(what);
  return {
    service,
    what: what.type,
    level,
    // Another line has said it; what is true of it by itself is this.
    text: line ?? `it is ${to}`,
    generation,
    from,
    to,
    incident,
    by: byIn(news),
    reason: what.type === 'asked' ? what.reason : null,
    death: death === null ? null : deathStatus(death),
  };
}

function keeperView(news: Extract<News, { of: 'keeper' }>): View {
  const { what } = news;
  const { level, text } = describeNews(what);
  return {
    service: what.type === 'acked' ? what.service : null,
    what: what.type,
    level,
    text,
    generation: null,
    from: null,
    to: null,
    incident: what.type === 'acked' ? what.incident : null,
    by: byIn(news),
    reason: what.type === 'acked' ? what.reason : null,
    death: null,
  };
}

function byIn(news: News): Sender | null {
  const doer = doerOf(news);
  return doer === null ? null : senderOf(doer);
}

function detailsOf({ news, output }: Entry): HistoryDetails | null {
  const death = news.of === 'service' ? deathIn(news.change.what) : null;
  if (death === null) return null;
  const { uptime, cpuTime, peakMemory, findings, by } = death;
  return {
    uptime: whole(uptime),
    cpuTime: whole(cpuTime),
    peakMemory,
    findings,
    command: by?.command ?? null,
    parent: by?.parent ?? null,
    output,
  };
}

const whole = (length: number | null): number | null => (length === null ? null : Math.round(length));

const deathIn = (what: What): Death | null => ('death' in what ? what.death : null);
