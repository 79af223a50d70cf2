// The time of the desk: what is due when, and what becomes of it when the wall clock is set or nobody was there. Tells nothing.

import { calmOf, isSick } from './notice-case.js';
import type { Case, Desk, Tray } from './notice-desk.js';
import { patience } from './notice-upshot.js';
import { laterOnWall, type Millis, type WallTime } from './time.js';

/** What comes next by itself. */
export type Due =
  | { readonly type: 'letter'; readonly at: WallTime; readonly tray: Tray }
  | { readonly type: 'stood' | 'late' | 'remind'; readonly at: WallTime; readonly it: Case };

/** The earliest; null: nothing comes by itself. */
export function firstDue({ cases, trays }: Desk): Due | null {
  let first: Due | null = null;
  for (const tray of trays)
    if (first === null || tray.closes < first.at) first = { type: 'letter', at: tray.closes, tray };
  for (const it of cases) {
    const next = nextOf(it);
    if (next !== null && (first === null || next.at < first.at)) first = next;
  }
  return first;
}

function nextOf(it: Case): Due | null {
  if (it.hold === 'yes' || it.phase === 'over') return null;
  const own = nextByItself(it);
  const reminder = it.acked === 'yes' ? null : (it.reminder?.at ?? null);
  if (reminder === null || (own !== null && own.at <= reminder)) return own;
  return { type: 'remind', at: reminder, it };
}

function nextByItself(it: Case): Due | null {
  // One that runs and does not do its work is not well, however long it is up.
  if (it.phase === 'up' && isSick(it)) return null;
  if (it.phase === 'up') return { type: 'stood', at: laterOnWall(it.seenFrom, calmOf(it)), it };
  return it.worst === null ? { type: 'late', at: laterOnWall(it.seenFrom, patience), it } : null;
}

/** The desk at that time. Where the clock was set back, everything that waits is set back with it, else it would wait for ever. */
export function atTime(desk: Desk, now: WallTime): Desk {
  if (now === desk.clock) return desk;
  return now > desk.clock ? { ...desk, clock: now } : shifted(desk, (now - desk.clock) as Millis);
}

function shifted(desk: Desk, by: Millis): Desk {
  const moved = (time: WallTime): WallTime => laterOnWall(time, by);
  const movedCase = (it: Case): Case => ({
    ...it,
    since: moved(it.since),
    seenFrom: moved(it.seenFrom),
    began: moved(it.began),
    ends: it.ends.map(moved),
    restarts: it.restarts.map(moved),
    reminder: it.reminder === null ? null : { ...it.reminder, at: moved(it.reminder.at) },
  });
  return {
    ...desk,
    clock: moved(desk.clock),
    cases: desk.cases.map(movedCase),
    trays: desk.trays.map((tray) => ({ ...tray, opened: moved(tray.opened), closes: moved(tray.closes) })),
  };
}

/** Nobody was there until now: that it stayed up, or down, has to show anew. */
export function seenAnew(desk: Desk, at: WallTime): Desk {
  return { ...desk, cases: desk.cases.map((it) => ({ ...it, seenFrom: at })) };
}
