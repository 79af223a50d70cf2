// Vocabulary of the desk: what is remembered between two entries, so that people are told what they need to know and nothing
// twice. Plain data, kept as JSON beside the outbox. Times are wall times: it outlives reboots. Knows no rule.

import type { Entry } from './entry.js';
import type { Notice, NoticeKind } from './notice.js';
import type { EndEntry } from './post-mortem-of.js';
import type { WallTime } from './time.js';

export interface Desk {
  readonly version: 1;
  /** The latest time that it was told; the wall clock may be set back behind it. */
  readonly clock: WallTime;
  /** The last entry of each origin that was taken, the latest origin last. */
  readonly taken: readonly { readonly origin: string; readonly number: number }[];
  /** At most one for each service. */
  readonly cases: readonly Case[];
  /** Operators' stops that are under way. */
  readonly stops: readonly Stop[];
  /** What is gathered for a channel. */
  readonly trays: readonly Tray[];
  /** What happened in the last moments, for the neighbours in a post-mortem; without output. */
  readonly recent: readonly Entry[];
}

/** What is wrong with a service, from its first end until it has been well for long enough. */
export interface Case {
  readonly service: string;
  readonly about: Facts;
  /** Ids of the incidents that it is made of, oldest first; the first one stands for all. Empty: it was found down, and nobody saw an end. */
  readonly incidents: readonly string[];
  /** `over`: only remembered for how often it ended lately. */
  readonly phase: 'down' | 'up' | 'over';
  /** Since when it is in this phase. */
  readonly since: WallTime;
  /** From when on the time in this phase proves something: the keeper was there. */
  readonly seenFrom: WallTime;
  /** When it went down first. */
  readonly began: WallTime;
  /** The entry that made it what it is: what comes of it later without an entry is named after it. */
  readonly entry: string;
  /** What makes it wait longer than `healthyAfter` before it counts as recovered. */
  readonly trouble: 'none' | 'flapping' | 'fight';
  /** The worst that there was to tell, whether somebody was to be told of it or not; null: it healed by itself so far. */
  readonly worst: NoticeKind | null;
  /** How it ended first, in brief, where it ended otherwise since; null: its ends are alike, or nobody saw one. */
  readonly opening: string | null;
  /** Its last end, with what followed; null: nobody saw one. */
  readonly end: EndEntry | null;
  readonly followed: readonly Entry[];
  /** When it ended and when it was restarted lately. */
  readonly ends: readonly WallTime[];
  readonly restarts: readonly WallTime[];
  /** Restarts since it began. */
  readonly restarted: number;
  /** Which channels were told what. */
  readonly told: Readonly<Partial<Record<NoticeKind, readonly string[]>>>;
  /** Its heartbeats that fail, until they are good again. Absent in a desk that an older version wrote. */
  readonly sick?: readonly Sick[];
  readonly hold: 'yes' | 'no';
  readonly acked: 'yes' | 'no';
  /** null: nobody was told, or nobody wants to be reminded. */
  readonly reminder: Reminder | null;
}

/** A heartbeat that failed, and its last answer. */
export interface Sick {
  readonly heartbeat: string;
  readonly detail: string | null;
}

export interface Reminder {
  readonly count: number;
  readonly at: WallTime;
  /** Milliseconds from the one before. */
  readonly after: number;
}

/** The service as it was at the last entry about it. */
export interface Facts {
  readonly description: string | null;
  readonly runbook: string | null;
  readonly tags: readonly string[];
  readonly healthyAfter: number;
  /** Absent in a desk that an older version wrote. */
  readonly heldBack?: readonly string[];
}

export interface Stop {
  readonly service: string;
  /** In words, or null. */
  readonly by: string | null;
  readonly reason: string | null;
}

/** What waits to become one letter. */
export interface Tray {
  readonly channel: string;
  readonly pace: 'urgent' | 'digest';
  readonly opened: WallTime;
  readonly closes: WallTime;
  readonly items: readonly Item[];
  /** How many more there were than it holds. */
  readonly more: number;
}

export interface Item {
  readonly notice: Notice;
  /** The end whose post-mortem is written when the letter is: its neighbours may end a moment later. */
  readonly end: EndEntry | null;
}

export const emptyDesk: Desk = {
  version: 1,
  clock: 0 as WallTime,
  taken: [],
  cases: [],
  stops: [],
  trays: [],
  recent: [],
};

/** The case of a service; null: nothing is wrong with it. */
export const caseOf = ({ cases }: Desk, service: string): Case | null =>
  cases.find((it) => it.service === service) ?? null;

/** The desk with this case of the service, or with none. */
export function withCase(desk: Desk, service: string, it: Case | null): Desk {
  const index = desk.cases.findIndex((each) => each.service === service);
  if (index === -1) return it === null ? desk : { ...desk, cases: [...desk.cases, it] };
  if (it === desk.cases[index]) return desk;
  return { ...desk, cases: it === null ? desk.cases.toSpliced(index, 1) : desk.cases.with(index, it) };
}
