// Vocabulary of the chronicle: what happened, numbered, as the journal keeps it until the history and the notices have it on disk.

import type { Change } from './change.js';
import type { Sender } from './death.js';
import type { Level } from './message.js';
import type { Instant, WallTime } from './time.js';

/** One line of the chronicle. */
export interface Entry {
  /** Names the journal that numbered it; with the number it names the entry for ever. */
  readonly origin: string;
  /** Counts up within its origin, also over the death of the keeper. */
  readonly number: number;
  readonly time: WallTime;
  readonly at: Instant;
  readonly news: News;
  /** The last lines that the service had printed when it ended, cleaned, oldest first; null: nothing ended, or they could not be read in time. */
  readonly output: readonly string[] | null;
}

/** As a part of the ids of what is made of it: safe as a file's name. */
export const entryId = ({ origin, number }: Pick<Entry, 'origin' | 'number'>): string => `${origin}-${number}`;

/** An entry about a service. */
export type ServiceEntry = Entry & { readonly news: Extract<News, { readonly of: 'service' }> };

export const isOfService = (entry: Entry): entry is ServiceEntry => entry.news.of === 'service';

export type News =
  | { readonly of: 'service'; readonly change: Change; readonly about: About }
  | { readonly of: 'keeper'; readonly what: KeeperNews };

/** The service as it was right after the change: whoever reads later may find another definition, or none. */
export interface About {
  readonly kind: 'supervised' | 'watched';
  readonly description: string | null;
  readonly runbook: string | null;
  readonly tags: readonly string[];
  readonly desired: 'up' | 'down';
  /** Somebody has put it on hold: nobody is told of it. */
  readonly hold: 'yes' | 'no';
  /** Counted restarts that stand in the window of its limit. */
  readonly window: number;
  readonly total: number;
  /** The incident that is open after the change; null: none. */
  readonly incident: string | null;
  /** `restart.healthyAfter` in milliseconds: up for so long, the incident is over. */
  readonly healthyAfter: number;
  /** Of an end or a failure: the services that are down only because they need this one. */
  readonly heldBack: readonly string[];
  /** Its heartbeats that are known to fail, until they are good again, also over a restart. */
  readonly ailing: readonly string[];
  /** Those that could not be asked. */
  readonly unasked: readonly string[];
  /** The keeper's line for it, without the name; null: another line says it. */
  readonly line: string | null;
  readonly level: Level;
}

/** Who asked for it, or did it; null: nobody that is known. */
export function doerOf(news: News): Sender | null {
  const what = news.of === 'keeper' ? news.what : news.change.what;
  if ('death' in what) return what.death.by;
  return 'by' in what ? what.by : null;
}

/** What happened to the keeper itself. */
export type KeeperNews =
  /** `before`: how the one before ended, in words, when nobody had asked it to. */
  | { readonly type: 'began'; readonly pid: number; readonly version: string; readonly before: string | null }
  | { readonly type: 'ended'; readonly how: 'leave' | 'stop'; readonly by: Sender | null }
  | { readonly type: 'applied'; readonly config: string; readonly by: Sender | null }
  | {
      readonly type: 'rejected';
      readonly config: string;
      readonly problems: readonly string[];
      readonly by: Sender | null;
    }
  /** Something that it could not do, like writing its journal. */
  | { readonly type: 'troubled'; readonly problem: string }
  | { readonly type: 'channelLost'; readonly channel: string; readonly reason: string }
  | { readonly type: 'channelBack'; readonly channel: string }
  | {
      readonly type: 'acked';
      readonly incident: string;
      readonly service: string | null;
      readonly by: Sender | null;
      readonly reason: string | null;
    };
