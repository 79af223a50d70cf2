// Vocabulary of the history: what it is asked, and what it answers. Who keeps it is history/, who asks is control/.

import type { Entry } from './entry.js';
import type { Level } from './message.js';
import type { WallTime } from './time.js';

/** Names an entry for ever, also over the death of a keeper. */
export interface Position {
  readonly origin: string;
  readonly number: number;
}

/** All that is asked for has to hold. */
export interface Question {
  /** Names and globs; empty: every service, and the keeper itself. */
  readonly services: readonly string[];
  /** From this time on, and before that one. */
  readonly since: WallTime | null;
  readonly until: WallTime | null;
  /** What happened, like `died`; empty: whatever it was. */
  readonly what: readonly string[];
  readonly incident: string | null;
  /** The user, or else the uid, who asked for it or did it. */
  readonly by: string | null;
  /** What matters less is left out; `debug`: nothing is. */
  readonly level: Level;
  /** With `after` the oldest so many, else the newest. */
  readonly most: number;
  readonly before: Position | null;
  readonly after: Position | null;
}

/** Whatever happened, the newest entry of it: a question has less. */
export const anything: Question = {
  services: [],
  since: null,
  until: null,
  what: [],
  incident: null,
  by: null,
  level: 'debug',
  most: 1,
  before: null,
  after: null,
};

export type Answer =
  | {
      readonly type: 'found';
      /** Oldest first, in the order in which they happened. */
      readonly entries: readonly Entry[];
      /** The newest that the history has of anything: whoever asks for what is `after` it misses nothing. null: it is empty. */
      readonly last: Position | null;
    }
  /** One sentence. */
  | { readonly type: 'unavailable'; readonly problem: string };
