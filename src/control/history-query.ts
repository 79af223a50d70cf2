// The query of GET /v1/history → a question. Refuses what it does not understand, with what would do.

import { isGlob } from '../core/glob.js';
import type { Position, Question } from '../core/history.js';
import { positionIn } from '../core/history-view.js';
import { type WallTime, wallTime } from '../core/time.js';
import { ControlError } from './control-error.js';
import { parseDuration } from './duration.js';

export interface HistoryQuery {
  readonly question: Question;
  /** How long to wait for an answer that is not empty, in milliseconds. */
  readonly wait: number;
}

const usual = 50;
/** What the keeper makes into JSON at once: some milliseconds. Whoever wants more asks for what is `before` that. */
const mostEntries = 1000;
/** SQLite takes a thousand conditions. */
const mostServices = 500;
/** Each is tried on each row, up to 10 ms over a full history; what happens meanwhile waits to be written down. */
const mostGlobs = 20;
const longestGlob = 200;
const longestWait = 60_000;

const known = ['service', 'since', 'until', 'n', 'what', 'incident', 'by', 'all', 'before', 'after', 'wait'];

/** `now`: wall time. Throws a ControlError that says what is wrong. */
export function parseHistoryQuery(query: URLSearchParams, now: number): HistoryQuery {
  for (const name of query.keys())
    if (!known.includes(name)) throw bad(`there is no parameter ${name}; there are ${known.join(', ')}`);
  const services = query.getAll('service');
  if (services.length > mostServices) throw bad(`more than ${mostServices} services; name them by a glob`);
  const globs = services.filter(isGlob);
  if (globs.length > mostGlobs) throw bad(`more than ${mostGlobs} globs; ask for fewer at a time`);
  if (globs.some(({ length }) => length > longestGlob)) throw bad(`a glob of more than ${longestGlob} characters`);
  const question: Question = {
    services,
    since: timeIn(query, 'since', now),
    until: timeIn(query, 'until', now),
    what: query.getAll('what').slice(0, mostServices),
    incident: query.get('incident'),
    by: query.get('by'),
    level: isSet(query, 'all') ? 'debug' : 'info',
    most: numberIn(query),
    before: positionOf(query, 'before'),
    after: positionOf(query, 'after'),
  };
  return { question, wait: waitIn(query) };
}

const bad = (message: string): ControlError => new ControlError(400, 'bad-query', message);

function isSet(query: URLSearchParams, name: string): boolean {
  const text = query.get(name) ?? '0';
  if (text !== '0' && text !== '1') throw bad(`${name}=${text}: 1 or 0`);
  return text === '1';
}

/** A time, or how long ago. */
function timeIn(query: URLSearchParams, name: string, now: number): WallTime | null {
  const text = query.get(name);
  if (text === null) return null;
  const ago = parseDuration(text);
  const at = ago === null ? Date.parse(text) : now - ago;
  if (Number.isNaN(at) || (ago === null && !/^\d{4}-\d{2}-\d{2}T/.test(text)))
    throw bad(`${name}=${text}: how long ago, like 2h, or a time like 2026-11-20T14:30:00Z`);
  return wallTime(at);
}

function numberIn(query: URLSearchParams): number {
  const text = query.get('n') ?? String(usual);
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number < 1 || number > mostEntries)
    throw bad(`n=${text}: a number from 1 to ${mostEntries}; what came before an entry is found with before=ID`);
  return number;
}

function positionOf(query: URLSearchParams, name: 'before' | 'after'): Position | null {
  const text = query.get(name);
  const position = text === null ? null : positionIn(text);
  if (text !== null && position === null) throw bad(`${name}=${text}: the id of an entry, like 3f2a9c01d4e5.17`);
  return position;
}

function waitIn(query: URLSearchParams): number {
  const text = query.get('wait');
  if (text === null) return 0;
  const wait = parseDuration(text);
  if (wait === null) throw bad(`wait=${text} is no duration; write 500ms or 30s`);
  return Math.min(wait, longestWait);
}
