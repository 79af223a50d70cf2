// The upshot for a case: what an entry or the time means for it (opened, worse, up again, closed), and what there is to tell of
// that. Knows no rules, channels and letters: whether anybody hears of it is not its business.

import type { Change, What } from './change.js';
import { entryId, type ServiceEntry } from './entry.js';
import type { Bulletin } from './notice-bulletin.js';
import {
  calmed,
  down,
  following,
  isSick,
  noted,
  opened,
  over,
  recent,
  sickened,
  toldAsBad,
  withEnd,
  worst,
} from './notice-case.js';
import type { Case, Stop } from './notice-desk.js';
import { canAsk, couldNotAsk, stillIll, unhealthy, wellAgain } from './notice-of-health.js';
import * as tell from './notice-of-service.js';
import { type EndEntry, isEnd } from './post-mortem-of.js';
import { originOf } from './state.js';
import { laterOnWall, type Millis, minutes, type WallTime } from './time.js';

/** `it`: null: there is none any more. */
export interface Upshot {
  readonly it: Case | null;
  readonly bulletins: readonly Bulletin[];
}

type Of<T extends What['type']> = Extract<What, { type: T }>;

/** 3 restarts in 10 minutes (product.md 2.8). */
const flappingAt = 3;
/** What did not come back for so long, and of which nothing else was told, did not heal. */
export const patience = minutes(1);

const quiet = (it: Case | null): Upshot => ({ it, bulletins: [] });

/** Under a hold nobody is told, nor of one that ended because what it needs did: that other one is told of. */
const maySpeak = ({ change, about }: ServiceEntry['news']): boolean => about.hold === 'no' && !isDrawnIn(change);

function isDrawnIn({ what, wave, service }: Change): boolean {
  return what.type === 'died' && wave !== null && originOf(wave) !== service;
}

export function meet(found: Case | null, entry: ServiceEntry, stops: readonly Stop[], at: WallTime): Upshot {
  const { change, about } = entry.news;
  const known = found === null ? null : noted(found, about);
  if (about.desired === 'down') return closedByWish(known, entry, stops, at);
  return maySpeak(entry.news)
    ? happened(known, entry, change.what, at)
    : quiet(happened(known, entry, change.what, at).it);
}

/** Nobody wants it up: whatever was wrong is over, and nobody is told that it recovered. */
function closedByWish(found: Case | null, entry: ServiceEntry, stops: readonly Stop[], at: WallTime): Upshot {
  const { change, about } = entry.news;
  const it = namedAfter(entry, found ?? opened(null, entry, at));
  const stop = stops.find(({ service }) => service === change.service);
  if (about.hold === 'yes') return quiet(null);
  if (change.what.type === 'stopped' && stop !== undefined)
    return { it: null, bulletins: [tell.stopped(it, stop, at)] };
  if (change.what.type === 'stuck') return { it: null, bulletins: [tell.stranded(it, lineOf(entry), at)] };
  if (change.what.type === 'holdEnded') return { it: null, bulletins: [tell.holdEnded(it, change.to, 'wanted', at)] };
  return quiet(null);
}

function happened(found: Case | null, entry: ServiceEntry, what: What, at: WallTime): Upshot {
  const it = found === null ? null : following(found, entry);
  switch (what.type) {
    case 'died':
    case 'startFailed':
      return isEnd(entry) ? ended(it, entry, what, at) : quiet(it);
    case 'failed': {
      const worse = worst(down(it, entry, at), 'failed');
      return { it: worse, bulletins: [tell.failed(worse, what, at)] };
    }
    case 'fight': {
      if (what.told === 'again') return quiet(it);
      const worse: Case = { ...worst(down(it, entry, at), 'fight'), trouble: 'fight' };
      return { it: worse, bulletins: [tell.fought(worse, what, at)] };
    }
    case 'fightEnded':
      return it === null ? quiet(null) : stood(namedAfter(entry, it), at);
    case 'ambiguous':
    case 'unseen':
    case 'stuck': {
      const worse = worst(down(it, entry, at), 'failed');
      return { it: worse, bulletins: [tell.stranded(worse, lineOf(entry), at)] };
    }
    case 'ready':
    case 'found':
    case 'adopted':
    case 'cameBack':
    case 'handedOver':
      return it?.phase === 'down' ? cameUp(it, entry, what, at) : quiet(it);
    case 'done':
    case 'skipped':
      return it?.phase === 'down' ? settled(namedAfter(entry, it), what, at) : quiet(it);
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
    case 'waved':
    case 'waits':
    case 'hookFailed':
    case 'rollEnded':
    case 'stopping':
    case 'escalated':
    case 'stopped':
    case 'refused':
    case 'overrideEnded':
    case 'reloaded':
    case 'reloadFailed':
    case 'signaled':
    case 'pidFileRefused':
    case 'reacted':
    case 'handingOver':
    case 'handoverPhase':
    case 'committed':
    case 'drained':
    case 'watchdogMissed':
    case 'mainChanged':
    case 'connected':
      return quiet(it);
    case 'handoverRefused':
      return { it, bulletins: [refused(it ?? opened(null, entry, at), entry, what, at)] };
    case 'unhealthy':
      return fellIll(it, entry, what, at);
    case 'healthy':
      return quiet(it === null || isSick(it) ? it : { ...namedAfter(entry, it), since: at, seenFrom: at });
    case 'unasked':
    case 'askable':
      return { it, bulletins: [aboutAsking(it ?? opened(null, entry, at), entry, what, at)] };
  }
}

/** Told of each attempt: whoever made it, by hand or by the calendar, wants to know. */
const refused = (it: Case, entry: ServiceEntry, what: Of<'handoverRefused'>, at: WallTime): Bulletin =>
  tell.refusedHandover(namedAfter(entry, it), what, entry.news.change, at);

/** A restart may heal it, and is told as any other then; and what is stopped for it is told when it is down. Until then nobody is alarmed. */
function fellIll(found: Case | null, entry: ServiceEntry, what: Of<'unhealthy'>, at: WallTime): Upshot {
  const before = found !== null && isSick(found) ? 'still' : 'first';
  const it = sickened(found, entry, what, at);
  if (what.then === 'stop' || (what.then === 'restart' && before === 'first')) return quiet(it);
  const worse = worst(it, 'unhealthy');
  return { it: worse, bulletins: [unhealthy(worse, what, before, at)] };
}

function aboutAsking(found: Case, entry: ServiceEntry, what: Of<'unasked' | 'askable'>, at: WallTime): Bulletin {
  const it = namedAfter(entry, found);
  const { unasked } = entry.news.about;
  return what.type === 'unasked' ? couldNotAsk(it, what, unasked, at) : canAsk(it, what, unasked, at);
}

/** What is told of it next is about this entry. */
const namedAfter = (entry: ServiceEntry, it: Case): Case => ({ ...it, entry: entryId(entry) });

const lineOf = ({ news: { change, about } }: ServiceEntry): string => about.line ?? change.what.type;

const isFoundDown = ({ news: { change, about } }: ServiceEntry, { why }: Of<'starting'>): boolean =>
  why === 'first' && about.kind === 'watched' && change.from === 'unknown';

function ended(found: Case | null, entry: EndEntry, what: Of<'died' | 'startFailed'>, at: WallTime): Upshot {
  const { change, about } = entry.news;
  const it = withEnd(down(found, entry, at), entry, at);
  const first = what.type === 'startFailed' ? tell.startFailed(it, what, at) : tell.died(it, what, at);
  const worse = what.type === 'startFailed' ? worst(it, 'start-failed') : it;
  // On hold it is down until the hold ends.
  if (about.hold === 'yes') return quiet(worse);
  if (change.to === 'failed') {
    // The quiet tries fail without a word of the core: whoever could not be told before, because of a hold, is told now.
    const again = it.worst === 'failed' ? [tell.failedStill(it, what.next, at)] : [];
    return { it: worse, bulletins: [...again, first] };
  }
  if (what.next.type === 'nothing') {
    // It ended as its policy wants it to; or the host goes down, and everything with it.
    return { it: over(it, at), bulletins: change.to === 'stopped' || change.to === 'stopping' ? [first] : [] };
  }
  if (change.to === 'stopped') {
    const helpless = worst(it, 'failed');
    return { it: helpless, bulletins: [tell.cannotStart(helpless, at), first] };
  }
  return { it: worse, bulletins: [first] };
}

function cameUp(found: Case, entry: ServiceEntry, what: What, at: WallTime): Upshot {
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
    // Whoever knows that its restarts do not help is not told so again.
    return { it: worse, bulletins: [{ ...tell.flapping(worse, at), except: it.told.unhealthy ?? [] }] };
  }
  return { it, bulletins: it.worst === null ? [tell.restarted(it, at)] : [] };
}

/** A hold has ended: what it finds is told where it ended by itself, or where something is wrong. */
function released(found: Case | null, entry: ServiceEntry, how: 'asked' | 'expired', at: WallTime): Upshot {
  const { to } = entry.news.change;
  const isWrong = to !== 'running' && to !== 'handover' && (to !== 'stopped' || found?.phase === 'down');
  const named = namedAfter(entry, found ?? opened(null, entry, at));
  if (!isWrong) return { it: found, bulletins: how === 'asked' ? [] : [tell.holdEnded(named, to, 'fine', at)] };
  const wrong = down(named, entry, at);
  const it: Case = { ...wrong, worst: wrong.worst ?? 'hold-ended', seenFrom: at };
  return { it, bulletins: [tell.holdEnded(it, to, 'wrong', at)] };
}

/** A oneshot has done its work after all, or is not to run now: there is nothing to wait for. */
function settled(it: Case, what: Of<'done' | 'skipped'>, at: WallTime): Upshot {
  const to = toldAsBad(it);
  return { it: over(it, at), bulletins: to.length === 0 ? [] : [tell.settled(it, what, at, to)] };
}

/** It has been up for long enough. */
export function stood(it: Case, at: WallTime): Upshot {
  const to = toldAsBad(it);
  const tellWell = it.end === null && it.restarted === 0 ? wellAgain : tell.recovered;
  return { it: over(it, at), bulletins: to.length === 0 ? [] : [tellWell(it, at, to)] };
}

/** It is down, and nothing was told of it: that it did not come back is. */
export function late(it: Case, at: WallTime): Upshot {
  const worse = worst(it, 'failed');
  return { it: worse, bulletins: [tell.overdue(worse, at)] };
}

/** Whoever was told of it and wants to be reminded. */
export function remind(it: Case, at: WallTime): Upshot {
  const { reminder, worst: kind } = it;
  if (reminder === null || kind === null) return quiet(it);
  const count = reminder.count + 1;
  const after = Math.min(reminder.after * 2, longestPause) as Millis;
  const next: Case = { ...it, reminder: { count, after, at: laterOnWall(at, after) } };
  const to = toldAsBad(it);
  const isIll = it.phase === 'up' && isSick(it);
  return { it: next, bulletins: [isIll ? stillIll(it, count, at, to) : tell.reminded(it, kind, count, at, to)] };
}

/** Reminders grow up to this. */
const longestPause = minutes(3 * 24 * 60);
