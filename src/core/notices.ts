// The desk: which entries deserve telling, whom, and when. Pure. An entry that it knows changes nothing; the same entries make
// the same letters, with the same ids, in whichever life of the keeper.
//
// Time goes forward here by the times of the entries: before an entry counts, everything is done that was due before it
// happened. So a keeper that takes up what the one before could not tell comes to the same letters as that one would have.
// The wall clock may jump. Set back, everything that waits is set back with it; set forward, what waits is due at once, and
// a reminder that was due many times is told once.

import { type Entry, isOfService, type ServiceEntry } from './entry.js';
import { letterOf, put, type Setting, withoutWeaker } from './letters.js';
import type { Letter } from './notice.js';
import type { Bulletin } from './notice-bulletin.js';
import { isBad, isForgotten, isOnce, toldAsBad } from './notice-case.js';
import { atTime, type Due, firstDue, seenAnew } from './notice-clock.js';
import { type Case, caseOf, type Desk, emptyDesk, withCase } from './notice-desk.js';
import { aboutKeeper } from './notice-of-keeper.js';
import { channelsFor } from './notice-rules.js';
import { late, meet, remind, stood, type Upshot } from './notice-upshot.js';
import { personOf } from './person.js';
import { laterOnWall, millis, seconds, type WallTime } from './time.js';

export { type Desk, emptyDesk, type Setting };

export interface Outcome {
  readonly desk: Desk;
  readonly letters: readonly Letter[];
}

/** How long an entry may be under way: it waits for the last lines of a program, and for the disk. */
const grace = seconds(1);
/** Later than this nobody was there, or the clock was set: what has stood since proves nothing. */
const longestDelay = seconds(60);
/** What an end may have to do with, before it and after it. */
const longestNeighbourhood = seconds(5);
const mostCases = 1000;
/** Cut in one go, not with each one that is too many. */
const slack = 100;
const mostOrigins = 16;
const mostRecent = 100;

/** Takes an entry. Entries of one origin come in their order. */
export function tell(desk: Desk, entry: Entry, setting: Setting, now: WallTime): Outcome {
  if (isTaken(desk, entry)) return { desk, letters: [] };
  const here = atTime(desk, now);
  const at = Math.min(entry.time, now) as WallTime;
  const began = isNewKeeper(entry) ? seenAnew(here, at) : here;
  const { desk: then, letters } = advance(began, at, setting);
  const after =
    entry.news.of === 'keeper' ? tellOfKeeper(then, entry, at, setting) : tellOfService(then, entry, at, setting);
  return { desk: tidied(taken(after, entry), at), letters };
}

/**
 * Does what time alone brings: letters that were gathered, reminders, recoveries that have stood. To be called when `dueAt`
 * says so, and each hour whatever it says: only so a clock that was set back is noticed. The same desk where nothing is due.
 */
export function due(desk: Desk, setting: Setting, now: WallTime): Outcome {
  const here = atTime(desk, now);
  const waited = dueAt(here);
  if (waited === null || waited > now) return { desk: now < desk.clock ? here : desk, letters: [] };
  const seen = now - waited > longestDelay ? seenAnew(here, now) : here;
  return advance(seen, (now - grace) as WallTime, setting);
}

/** When `due` has something to do; null: never without a further entry. */
export function dueAt(desk: Desk): WallTime | null {
  const first = firstDue(desk);
  return first === null ? null : laterOnWall(first.at, grace);
}

/** Which open case a person means, by the name of the service or an id of the incident. */
export function findCase(desk: Desk, what: string): { readonly service: string; readonly incident: string } | null {
  const open = desk.cases.filter(({ phase }) => phase !== 'over');
  const it = open.find(({ incidents }) => incidents.includes(what)) ?? open.find(({ service }) => service === what);
  return it === undefined ? null : { service: it.service, incident: it.incidents[0] ?? it.service };
}

/** No more reminders of it. An entry `acked` does the same. */
export function ack(desk: Desk, what: string): Desk {
  const found = findCase(desk, what);
  const it = found === null ? null : caseOf(desk, found.service);
  return it === null ? desk : withCase(desk, it.service, { ...it, acked: 'yes' });
}

/** Services that are configured no more, also those that were taken away while no keeper was there, are forgotten. */
export function keepOnly(desk: Desk, isConfigured: (service: string) => boolean): Desk {
  const cases = desk.cases.filter(({ service }) => isConfigured(service));
  return cases.length === desk.cases.length ? desk : { ...desk, cases };
}

const isTaken = ({ taken: known }: Desk, { origin, number }: Entry): boolean =>
  number <= (known.find((each) => each.origin === origin)?.number ?? 0);

function taken(desk: Desk, { origin, number }: Entry): Desk {
  const others = desk.taken.filter((each) => each.origin !== origin);
  return { ...desk, taken: [...others, { origin, number }].slice(-mostOrigins) };
}

const isNewKeeper = ({ news }: Entry): boolean => news.of === 'keeper' && news.what.type === 'began';

function tellOfKeeper(desk: Desk, entry: Entry, at: WallTime, { plan }: Setting): Desk {
  if (entry.news.of !== 'keeper') return desk;
  const { what } = entry.news;
  if (what.type === 'acked') return ack(desk, what.incident);
  const bulletin = aboutKeeper(entry, what, at);
  if (bulletin === null) return desk;
  const channels = channelsFor(plan, 'keeper', null).filter((channel) => !bulletin.except.includes(channel));
  return { ...desk, trays: channels.reduce((trays, channel) => put(trays, channel, bulletin, at, plan), desk.trays) };
}

function tellOfService(desk: Desk, entry: Entry, at: WallTime, setting: Setting): Desk {
  if (!isOfService(entry)) return desk;
  const { service } = entry.news.change;
  const noted: Desk = { ...desk, stops: stopsWith(desk, entry), recent: [...desk.recent, { ...entry, output: null }] };
  const upshot = meet(caseOf(noted, service), entry, desk.stops, at);
  return placed(noted, service, upshot, at, setting);
}

/** Whoever asks for a stop is named when it has come to that. */
function stopsWith({ stops }: Desk, { news: { change } }: ServiceEntry): Desk['stops'] {
  const { what, service } = change;
  const isEnding =
    what.type === 'asked' || what.type === 'stopped' || what.type === 'refused' || what.type === 'removed';
  if (!isEnding && what.type !== 'starting') return stops;
  const others = stops.some((stop) => stop.service === service)
    ? stops.filter((stop) => stop.service !== service)
    : stops;
  if (what.type !== 'asked' || what.verb !== 'stop') return others;
  const by = what.by === null ? null : personOf(what.by);
  return [...others, { service, by, reason: what.reason }].slice(-mostCases);
}

/** Does everything that is due until then, each thing at its time. */
function advance(desk: Desk, until: WallTime, setting: Setting): Outcome {
  const letters: Letter[] = [];
  let now = desk;
  for (let next = firstDue(now); next !== null && next.at <= until; next = firstDue(now)) {
    if (next.type === 'letter') {
      const { tray, at } = next;
      const letter = letterOf(tray, now.recent, setting);
      if (letter !== null) letters.push(letter);
      now = tidied({ ...now, trays: now.trays.filter((each) => each !== tray) }, at);
    } else {
      const { upshot, at } = upshotOf(next, until);
      now = placed(now, next.it.service, upshot, at, setting);
    }
  }
  return { desk: now, letters };
}

function upshotOf(
  next: Exclude<Due, { type: 'letter' }>,
  until: WallTime,
): { readonly upshot: Upshot; readonly at: WallTime } {
  const { it, at } = next;
  switch (next.type) {
    case 'stood':
      return { upshot: stood(it, at), at };
    case 'late':
      return { upshot: late(it, at), at };
    case 'remind': {
      // One that was due again in the meantime is told once, as of now.
      const once = remind(it, at);
      const isAgain = (once.it?.reminder?.at ?? until) <= until;
      return isAgain ? { upshot: remind(it, until), at: until } : { upshot: once, at };
    }
  }
}

/** The case as it is now, and what there is to tell put where it waits for whoever is to be told. */
function placed(desk: Desk, service: string, { it, bulletins }: Upshot, at: WallTime, { plan }: Setting): Desk {
  let now = withCase(desk, service, it);
  const served = new Set<string>();
  for (const bulletin of bulletins) {
    const { kind, reminder } = bulletin.notice;
    const known = caseOf(now, service);
    const isTold = (channel: string): boolean =>
      reminder === 0 && isOnce(kind) && (known?.told[kind]?.includes(channel) ?? false);
    const channels = channelsFor(plan, kind, { name: service, tags: bulletin.tags }).filter(
      (channel) =>
        (bulletin.to === 'all' || bulletin.to.includes(channel)) &&
        !bulletin.except.includes(channel) &&
        !served.has(channel) &&
        !isTold(channel),
    );
    for (const channel of channels) {
      served.add(channel);
      const rest = withoutWeaker(now.trays, channel, service, kind);
      now = { ...now, trays: put(rest, channel, bulletin, at, plan) };
    }
    if (known !== null) now = withCase(now, service, told(known, bulletin, channels, at, plan.remind));
  }
  return now;
}

/** Who knows of it now. */
function told(it: Case, { notice }: Bulletin, channels: readonly string[], at: WallTime, pause: number | null): Case {
  const { kind, reminder } = notice;
  if (channels.length === 0 || reminder > 0 || !isBad(kind) || it.phase === 'over') return it;
  // Told at the end of a hold that it is up: that it recovered is no news any more.
  if (kind === 'hold-ended' && it.phase === 'up') {
    const rest: Case = { ...it, told: without(it.told, channels) };
    return toldAsBad(rest).length === 0 ? { ...rest, reminder: null } : rest;
  }
  const first = pause === null ? null : { count: 0, at: laterOnWall(at, millis(pause)), after: pause };
  const all = [...new Set([...(it.told[kind] ?? []), ...channels])];
  return { ...it, told: { ...it.told, [kind]: all }, reminder: it.reminder ?? first };
}

function without(whom: Case['told'], channels: readonly string[]): Case['told'] {
  const kept = Object.entries(whom).map(([kind, names]) => [kind, names.filter((name) => !channels.includes(name))]);
  return Object.fromEntries(kept) as Case['told'];
}

/** Bounded, and without what does not count any more. */
function tidied(desk: Desk, at: WallTime): Desk {
  const recent = desk.recent.filter(({ time }) => time > at - longestNeighbourhood).slice(-mostRecent);
  const cases = desk.cases.some((it) => isForgotten(it, at))
    ? desk.cases.filter((it) => !isForgotten(it, at))
    : desk.cases;
  return { ...desk, recent, cases: cases.length > mostCases + slack ? mostImportant(cases) : cases };
}

const mostImportant = (cases: readonly Case[]): readonly Case[] =>
  cases.toSorted((a, b) => importance[a.phase] - importance[b.phase] || b.since - a.since).slice(0, mostCases);

const importance = { down: 0, up: 1, over: 2 } as const;
