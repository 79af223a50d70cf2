// The case of a service as a value: opened, down, with another end, over; which kinds say that something is wrong, and who was
// told so. Decides nothing about what an entry means.

import type { What } from './change.js';
import { type About, entryId, type ServiceEntry } from './entry.js';
import type { NoticeKind } from './notice.js';
import type { Case } from './notice-desk.js';
import { causeInBrief, endInBrief, lately, outputOf } from './notice-text.js';
import { oneLine } from './one-line.js';
import type { EndEntry } from './post-mortem-of.js';
import { elapsedOnWall, type Millis, minutes, seconds, type WallTime } from './time.js';

type Unhealthy = Extract<What, { type: 'unhealthy' }>;

/** An opponent who comes each hour is gone when he did not come for two (see fight.ts); sooner where the core says so. */
const peace = minutes(135);
/** The last few, for counting; a service may die each second. */
const mostTimes = 100;
const mostIncidents = 10;
const mostFollowed = 8;

/** Those of the kinds that say that something is wrong. */
const badKinds: readonly NoticeKind[] = ['start-failed', 'failed', 'flapping', 'fight', 'unhealthy', 'hold-ended'];

/** Told once in a case and not again, however often it happens. */
export const isOnce = (kind: NoticeKind): boolean => isBad(kind) && kind !== 'hold-ended';

export const isBad = (kind: NoticeKind): boolean => badKinds.includes(kind);

export const toldAsBad = ({ told }: Case): readonly string[] => [
  ...new Set(badKinds.flatMap((kind) => told[kind] ?? [])),
];

/** How long it has to be up until it counts as recovered. */
export function calmOf({ trouble, about }: Case): Millis {
  switch (trouble) {
    case 'none':
      return Math.max(about.healthyAfter, seconds(1)) as Millis;
    case 'flapping':
      return lately;
    case 'fight':
      return peace;
  }
}

export function worst(it: Case, kind: NoticeKind): Case {
  return { ...it, worst: it.worst === 'failed' || it.worst === 'fight' ? it.worst : kind };
}

/** The case with this service down; opened where there is none. */
export function down(found: Case | null, entry: ServiceEntry, at: WallTime): Case {
  const it = found === null || found.phase === 'over' ? opened(found, entry, at) : found;
  const since = it.phase === 'down' ? it.since : at;
  const seenFrom = it.phase === 'down' ? it.seenFrom : at;
  return { ...it, phase: 'down', since, seenFrom, entry: entryId(entry) };
}

export function opened(before: Case | null, entry: ServiceEntry, at: WallTime): Case {
  const { change, about } = entry.news;
  return {
    service: change.service,
    incidents: [],
    phase: 'down',
    since: at,
    seenFrom: at,
    began: at,
    entry: entryId(entry),
    trouble: 'none',
    worst: null,
    opening: null,
    end: null,
    followed: [],
    ends: recent(before?.ends ?? [], at),
    restarts: recent(before?.restarts ?? [], at),
    restarted: 0,
    told: {},
    acked: 'no',
    reminder: null,
    ...factsOf(about),
  };
}

export const noted = (it: Case, about: About): Case => ({
  ...it,
  ...factsOf(about),
  sick: (it.sick ?? []).filter(({ heartbeat }) => about.ailing.includes(heartbeat)),
});

export const isSick = ({ sick = [] }: Case): boolean => sick.length > 0;

/** The case with this heartbeat failing; opened where there is none. It runs all the same. */
export function sickened(
  found: Case | null,
  entry: ServiceEntry,
  { heartbeat, detail, incident }: Unhealthy,
  at: WallTime,
): Case {
  const it: Case = found === null || found.phase === 'over' ? { ...opened(found, entry, at), phase: 'up' } : found;
  const others = (it.sick ?? []).filter((each) => each.heartbeat !== heartbeat);
  const sick = [...others, { heartbeat, detail: detail === null ? null : oneLine(detail, 200) }];
  return { ...withIncident(it, incident), sick, entry: entryId(entry) };
}

function withIncident(it: Case, incident: string): Case {
  const [first, ...others] = it.incidents.includes(incident) ? it.incidents : [...it.incidents, incident];
  return { ...it, incidents: first === undefined ? [] : [first, ...others.slice(-mostIncidents)] };
}

function factsOf({ description, runbook, tags, healthyAfter, heldBack, hold }: About): Pick<Case, 'about' | 'hold'> {
  const title = description === null ? null : oneLine(description, 200);
  return { about: { description: title, runbook, tags, healthyAfter, heldBack }, hold };
}

export function withEnd(it: Case, entry: EndEntry, at: WallTime): Case {
  const { death } = entry.news.change.what;
  const before = it.end?.news.change.what.death ?? null;
  const isAlike = before === null || causeInBrief(before) === causeInBrief(death);
  const opening = it.opening ?? (isAlike ? null : endInBrief(before));
  return {
    ...withIncident(it, death.incident),
    opening,
    end: slim(entry),
    followed: [],
    ends: recent([...it.ends, at], at),
  };
}

/** As much of its output as a notice can show. */
const slim = (entry: EndEntry): EndEntry => ({
  ...entry,
  output: entry.output === null ? null : outputOf(entry.output),
});

/** What a post-mortem of its end tells of the time after it. */
export const following = (it: Case, entry: ServiceEntry): Case =>
  it.end === null || it.followed.length === mostFollowed
    ? it
    : { ...it, followed: [...it.followed, { ...entry, output: null }] };

export const over = (it: Case, at: WallTime): Case => ({
  ...it,
  phase: 'over',
  since: at,
  worst: null,
  opening: null,
  end: null,
  followed: [],
  sick: [],
  told: {},
  reminder: null,
});

export const recent = (times: readonly WallTime[], at: WallTime): readonly WallTime[] =>
  times.filter((time) => elapsedOnWall(time, at) < lately).slice(-mostTimes);

/** Nothing of it counts any more. */
export const isForgotten = ({ phase, ends, since }: Case, at: WallTime): boolean =>
  phase === 'over' && elapsedOnWall(ends.at(-1) ?? since, at) >= lately;

/** Whoever fights it, an operator's hand and a new definition begin anew. */
export const calmed = ({ trouble }: Case): Case['trouble'] => (trouble === 'fight' ? 'none' : trouble);
