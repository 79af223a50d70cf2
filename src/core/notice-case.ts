// What an entry means for the case of its service: opened, worse, up again, closed; and what there is to tell of it. Knows no
// rules, channels and letters: whether anybody hears of it is not its business.

import type { Change, What } from './change.js';
import type { About, Entry } from './entry.js';
import type { NoticeKind } from './notice.js';
import type { Case, Stop } from './notice-desk.js';
import * as tell from './notice-draft.js';
import { type Draft, entryId } from './notice-draft.js';
import { endInBrief, lately, outputOf } from './notice-text.js';
import { oneLine } from './one-line.js';
import { type EndEntry, isEnd } from './post-mortem-of.js';
import { elapsedOnWall, laterOnWall, type Millis, minutes, seconds, type WallTime } from './time.js';

/** `it`: null: there is none any more. */
export interface Turn {
  readonly it: Case | null;
  readonly drafts: readonly Draft[];
}

/** An entry about a service. */
export type ServiceEntry = Entry & {
  readonly news: { readonly of: 'service'; readonly change: Change; readonly about: About };
};

export const isOfService = (entry: Entry): entry is ServiceEntry => entry.news.of === 'service';

type Of<T extends What['type']> = Extract<What, { type: T }>;

/** 3 restarts in 10 minutes (product.md 2.8). */
const flappingAt = 3;
/** What did not come back for so long, and of which nothing else was told, did not heal. */
export const patience = minutes(1);
/** An opponent who comes each hour is gone when he did not come for two (see fight.ts); sooner where the core says so. */
const peace = minutes(135);
/** The last few, for counting; a service may die each second. */
const mostTimes = 100;
const mostIncidents = 10;
const mostFollowed = 8;

const quiet = (it: Case | null): Turn => ({ it, drafts: [] });

/** Under a hold nobody is told. A parent that is down will be another reason, when services are coupled. */
const maySpeak = ({ hold }: About): boolean => hold === 'no';

export function meet(found: Case | null, entry: ServiceEntry, stops: readonly Stop[], at: WallTime): Turn {
  const { change, about } = entry.news;
  const known = found === null ? null : noted(found, about);
  if (about.desired === 'down') return closedByWish(known, entry, stops, at);
  return maySpeak(about) ? happened(known, entry, change.what, at) : quiet(happened(known, entry, change.what, at).it);
}

/** Nobody wants it up: whatever was wrong is over, and nobody is told that it recovered. */
function closedByWish(found: Case | null, entry: ServiceEntry, stops: readonly Stop[], at: WallTime): Turn {
  const { change, about } = entry.news;
  const it = found ?? opened(null, entry, at);
  const stop = stops.find(({ service }) => service === change.service);
  if (!maySpeak(about)) return quiet(null);
  if (change.what.type === 'stopped' && stop !== undefined)
    return { it: null, drafts: [tell.stopped({ ...it, entry: entryId(entry) }, stop, at)] };
  if (change.what.type === 'stuck')
    return { it: null, drafts: [tell.stranded({ ...it, entry: entryId(entry) }, lineOf(entry), at)] };
  if (change.what.type === 'holdEnded')
    return {
      it: null,
      drafts: [tell.holdEnded({ ...it, entry: entryId(entry) }, change.to, 'wanted', at)],
    };
  return quiet(null);
}

function happened(found: Case | null, entry: ServiceEntry, what: What, at: WallTime): Turn {
  const it = found === null ? null : following(found, entry);
  switch (what.type) {
    case 'died':
    case 'startFailed':
      return isEnd(entry) ? ended(it, entry, what, at) : quiet(it);
    case 'failed': {
      const worse = worst(down(it, entry, at), 'failed');
      return { it: worse, drafts: [tell.failed(worse, what, at)] };
    }
    case 'fight': {
      if (what.told === 'again') return quiet(it);
      const worse: Case = { ...worst(down(it, entry, at), 'fight'), trouble: 'fight' };
      return { it: worse, drafts: [tell.fought(worse, what, at)] };
    }
    case 'fightEnded':
      return it === null ? quiet(null) : stood({ ...it, entry: entryId(entry) }, at);
    case 'ambiguous':
    case 'unseen':
    case 'stuck': {
      const worse = worst(down(it, entry, at), 'failed');
      return { it: worse, drafts: [tell.stranded(worse, lineOf(entry), at)] };
    }
    case 'ready':
    case 'found':
    case 'adopted':
    case 'cameBack':
    case 'handedOver':
      return it?.phase === 'down' ? cameUp(it, entry, what, at) : quiet(it);
    case 'starting':
      // A daemon that should have been there when the keeper looked for the first time.
      return quiet((it === null || it.phase === 'over') && isFoundDown(entry, what) ? down(it, entry, at) : it);
    case 'asked':
      if (what.verb === 'unhold') return released(it, entry, 'asked', at);
      return quiet(it === null || what.verb === 'hold' ? it : { ...it, trouble: calmed(it) });
    case 'holdEnded':
      return released(it, entry, 'expired', at);
    case 'specChanged':
      return quiet(it === null ? null : { ...it, trouble: calmed(it) });
    case 'removed':
      return quiet(null);
    case 'launched':
    case 'stopping':
    case 'escalated':
    case 'stopped':
    case 'refused':
    case 'overrideEnded':
    case 'reloaded':
    case 'reloadFailed':
    case 'signaled':
    case 'pidFileRefused':
      return quiet(it);
  }
}

const lineOf = ({ news: { change, about } }: ServiceEntry): string => about.line ?? change.what.type;

/** Whoever fights it, an operator's hand and a new definition begin anew. */
const calmed = ({ trouble }: Case): Case['trouble'] => (trouble === 'fight' ? 'none' : trouble);

const isFoundDown = ({ news: { change, about } }: ServiceEntry, { why }: Of<'starting'>): boolean =>
  why === 'first' && about.kind === 'watched' && change.from === 'unknown';

function ended(found: Case | null, entry: EndEntry, what: Of<'died' | 'startFailed'>, at: WallTime): Turn {
  const { change, about } = entry.news;
  const it = withEnd(down(found, entry, at), entry, at);
  const first = what.type === 'startFailed' ? tell.startFailed(it, what, at) : tell.died(it, what, at);
  const worse = what.type === 'startFailed' ? worst(it, 'start-failed') : it;
  // On hold it is down until the hold ends.
  if (about.hold === 'yes') return quiet(worse);
  if (change.to === 'failed') {
    // The quiet tries fail without a word of the core: whoever could not be told before, because of a hold, is told now.
    const again = it.worst === 'failed' ? [tell.failedStill(it, what.next, at)] : [];
    return { it: worse, drafts: [...again, first] };
  }
  if (what.next.type === 'nothing') {
    // It ended as its policy wants it to; or the host goes down, and everything with it.
    return { it: over(it, at), drafts: change.to === 'stopped' ? [first] : [] };
  }
  if (change.to === 'stopped') {
    const helpless = worst(it, 'failed');
    return { it: helpless, drafts: [tell.cannotStart(helpless, at), first] };
  }
  return { it: worse, drafts: [first] };
}

function cameUp(found: Case, entry: ServiceEntry, what: What, at: WallTime): Turn {
  const { change } = entry.news;
  const isOurs = what.type === 'ready';
  const it: Case = {
    ...found,
    phase: 'up',
    since: at,
    seenFrom: at,
    entry: entryId(entry),
    restarts: isOurs && found.end !== null ? recent([...found.restarts, at], at) : found.restarts,
    restarted: found.restarted + (isOurs ? 1 : 0),
  };
  // Within `settle`: somebody restarted it by hand, or it replaced itself.
  const isByHand = !isOurs && change.from === 'waiting';
  if (isByHand && it.worst === null) return quiet(over(it, at));
  if (isOurs && it.restarts.length >= flappingAt && it.trouble === 'none' && it.worst !== 'failed') {
    const worse: Case = { ...worst(it, 'flapping'), trouble: 'flapping' };
    return { it: worse, drafts: [tell.flapping(worse, at)] };
  }
  return { it, drafts: it.worst === null ? [tell.restarted(it, at)] : [] };
}

/** A hold has ended: what it finds is told where it ended by itself, or where something is wrong. */
function released(found: Case | null, entry: ServiceEntry, how: 'asked' | 'expired', at: WallTime): Turn {
  const { to } = entry.news.change;
  const isWrong = to !== 'running' && (to !== 'stopped' || found?.phase === 'down');
  const named: Case = { ...(found ?? opened(null, entry, at)), entry: entryId(entry) };
  if (!isWrong) return { it: found, drafts: how === 'asked' ? [] : [tell.holdEnded(named, to, 'fine', at)] };
  const wrong = down(named, entry, at);
  const it: Case = { ...wrong, worst: wrong.worst ?? 'hold-ended', seenFrom: at };
  return { it, drafts: [tell.holdEnded(it, to, 'wrong', at)] };
}

/** It has been up for long enough. */
export function stood(it: Case, at: WallTime): Turn {
  const to = toldAsBad(it);
  return { it: over(it, at), drafts: to.length === 0 ? [] : [tell.recovered(it, at, to)] };
}

/** It is down, and nothing was told of it: that it did not come back is. */
export function late(it: Case, at: WallTime): Turn {
  const worse = worst(it, 'failed');
  return { it: worse, drafts: [tell.overdue(worse, at)] };
}

/** Whoever was told of it and wants to be reminded. */
export function remind(it: Case, at: WallTime): Turn {
  const { reminder, worst: kind } = it;
  if (reminder === null || kind === null) return quiet(it);
  const count = reminder.count + 1;
  const after = Math.min(reminder.after * 2, longestPause) as Millis;
  const next: Case = { ...it, reminder: { count, after, at: laterOnWall(at, after) } };
  return { it: next, drafts: [tell.reminded(it, kind, count, at, toldAsBad(it))] };
}

/** Reminders grow up to this. */
const longestPause = minutes(3 * 24 * 60);

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

function worst(it: Case, kind: NoticeKind): Case {
  return { ...it, worst: it.worst === 'failed' || it.worst === 'fight' ? it.worst : kind };
}

/** The case with this service down; opened where there is none. */
function down(found: Case | null, entry: ServiceEntry, at: WallTime): Case {
  const it = found === null || found.phase === 'over' ? opened(found, entry, at) : found;
  const since = it.phase === 'down' ? it.since : at;
  const seenFrom = it.phase === 'down' ? it.seenFrom : at;
  return { ...it, phase: 'down', since, seenFrom, entry: entryId(entry) };
}

function opened(before: Case | null, entry: ServiceEntry, at: WallTime): Case {
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

const noted = (it: Case, about: About): Case => ({ ...it, ...factsOf(about) });

function factsOf({ description, runbook, tags, healthyAfter, hold }: About): Pick<Case, 'about' | 'hold'> {
  const title = description === null ? null : oneLine(description, 200);
  return { about: { description: title, runbook, tags, healthyAfter }, hold };
}

function withEnd(it: Case, entry: EndEntry, at: WallTime): Case {
  const { incident } = entry.news.change.what.death;
  const [first, ...others] = it.incidents.includes(incident) ? it.incidents : [...it.incidents, incident];
  const incidents = first === undefined ? [] : [first, ...others.slice(-mostIncidents)];
  const opening = it.opening ?? (it.end === null ? null : endInBrief(it.end.news.change.what.death));
  return { ...it, incidents, opening, end: slim(entry), followed: [], ends: recent([...it.ends, at], at) };
}

/** As much of its output as a notice can show. */
const slim = (entry: EndEntry): EndEntry => ({
  ...entry,
  output: entry.output === null ? null : outputOf(entry.output),
});

/** What a post-mortem of its end tells of the time after it. */
const following = (it: Case, entry: ServiceEntry): Case =>
  it.end === null || it.followed.length === mostFollowed
    ? it
    : { ...it, followed: [...it.followed, { ...entry, output: null }] };

const over = (it: Case, at: WallTime): Case => ({
  ...it,
  phase: 'over',
  since: at,
  worst: null,
  opening: null,
  end: null,
  followed: [],
  told: {},
  reminder: null,
});

const recent = (times: readonly WallTime[], at: WallTime): readonly WallTime[] =>
  times.filter((time) => elapsedOnWall(time, at) < lately).slice(-mostTimes);

/** Nothing of it counts any more. */
export const isForgotten = ({ phase, ends, since }: Case, at: WallTime): boolean =>
  phase === 'over' && elapsedOnWall(ends.at(-1) ?? since, at) >= lately;
