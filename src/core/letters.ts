// What is gathered for a channel, and what becomes of it: one letter. What fails in one moment is one letter and not thirty,
// what healed by itself waits for more of its kind. Decides nothing about what is worth telling.

import type { Entry } from './entry.js';
import { type Letter, type Notice, type NoticeKind, plainNotice } from './notice.js';
import type { Item, Tray } from './notice-desk.js';
import type { NoticesSpec } from './notice-spec.js';
import { cleaned } from './notice-text.js';
import { type Lack, neighbourhood, postMortemOf } from './post-mortem-of.js';
import { laterOnWall, millis, type WallTime } from './time.js';

/** Where and by whose rules the desk works. */
export interface Setting {
  readonly plan: NoticesSpec;
  readonly host: string;
  /** What the keeper cannot see here, for the post-mortems. */
  readonly without: readonly Lack[];
}

// What is told at once waits this long for what fails in the same moment. Members of a wave that only follow are no matter of
// their own (notice-upshot.ts), and what fails later is told when it fails.
const gathering = millis(neighbourhood);

/** Notices that one letter holds; the rest is counted. */
const mostItems = 500;
/** The state of the desk is written at each change: what one letter can tell in full is bounded. */
const mostPostMortems = 20;

/** Puts it where it waits. A digest that has no time to wait for is told at once. */
export function put(
  trays: readonly Tray[],
  channel: string,
  { pace, notice, end }: Item & Pick<Tray, 'pace'>,
  at: WallTime,
  plan: NoticesSpec,
): readonly Tray[] {
  const item: Item = { notice, end };
  const quick = pace === 'urgent' || plan.digest === null;
  const found = trays.find((tray) => tray.channel === channel && tray.pace === (quick ? 'urgent' : 'digest'));
  if (found === undefined) {
    const closes = laterOnWall(at, quick ? gathering : (plan.digest ?? gathering));
    return [...trays, { channel, pace: quick ? 'urgent' : 'digest', opened: at, closes, items: [item], more: 0 }];
  }
  return trays.map((tray) => (tray === found ? added(tray, item) : tray));
}

function added(tray: Tray, item: Item): Tray {
  if (tray.items.length >= mostItems) return { ...tray, more: tray.more + 1 };
  return { ...tray, items: [...tray.items, tray.items.length < mostPostMortems ? item : brief(item)] };
}

const brief = ({ notice }: Item): Item => ({ notice: { ...notice, postMortem: null }, end: null });

/** What a worse notice says too: these need not be told beside it. */
const saidBy: Readonly<Partial<Record<NoticeKind, readonly NoticeKind[]>>> = {
  flapping: ['restarted'],
  failed: ['restarted', 'start-failed', 'flapping'],
  fight: ['restarted', 'flapping'],
  unhealthy: ['restarted'],
  // The last word on what can be asked counts.
  'heartbeat-error': ['heartbeat-error'],
};

/** Without what is waiting for that channel about the service and is said by a notice of this kind as well. */
export function withoutWeaker(
  trays: readonly Tray[],
  channel: string,
  service: string,
  kind: NoticeKind,
): readonly Tray[] {
  const weaker = saidBy[kind] ?? [];
  if (weaker.length === 0) return trays;
  return trays
    .map((tray) => {
      if (tray.channel !== channel) return tray;
      const items = tray.items.filter(({ notice }) => notice.service !== service || !weaker.includes(notice.kind));
      return items.length === tray.items.length ? tray : { ...tray, items };
    })
    .filter(({ items }) => items.length > 0);
}

/** The letter that a tray becomes; null: its channel is gone from the configuration. */
export function letterOf(tray: Tray, recent: readonly Entry[], { plan, host, without }: Setting): Letter | null {
  const [first] = tray.items;
  if (first === undefined || !Object.hasOwn(plan.channels, tray.channel)) return null;
  const known = recent.filter(({ time }) => time <= tray.closes);
  const notices = tray.items.map(({ notice, end }) =>
    end === null ? notice : { ...notice, postMortem: cleaned(postMortemOf(end, known, known, without)) },
  );
  const [incident = null, ...others] = new Set(notices.map((notice) => notice.incident));
  return {
    id: `${first.notice.id}.${escaped(tray.channel)}`,
    channel: tray.channel,
    host,
    time: tray.closes,
    thread: others.length === 0 ? incident : null,
    notices: tray.more === 0 ? notices : [...notices, andMore(first.notice, tray)],
  };
}

function andMore(first: Notice, { more, closes }: Tray): Notice {
  const { id, kind, label, reminder } = first;
  return plainNotice({
    id: `${id}-more`,
    kind,
    label,
    time: closes,
    headline: `and ${String(more).replace(/\B(?=(\d{3})+$)/g, ',')} more`,
    story: ['There was more than one letter holds; `upkeep history` has all of it.'],
    commands: [{ command: 'upkeep history', does: 'shows all that happened' }],
    reminder,
  });
}

/** A channel's name as a part of a file's name: no two are the same. */
const escaped = (name: string): string => name.replace(/[^a-z0-9.]/g, (char) => `-${char.charCodeAt(0).toString(16)}-`);
