// Vocabulary of notices: messages to people. What deserves one, when, and gathered how is decided in notices.ts; how it
// looks on a channel is the channel's.

import type { PostMortem } from './post-mortem.js';
import type { WallTime } from './time.js';

export const noticeKinds = [
  'died',
  'restarted',
  'start-failed',
  'failed',
  'flapping',
  'recovered',
  'unhealthy',
  'heartbeat-error',
  'handover-refused',
  'fight',
  'stopped',
  'hold-ended',
  'keeper',
] as const;

export type NoticeKind = (typeof noticeKinds)[number];

/** Those that are told where a rule names none. */
export const defaultKinds: readonly NoticeKind[] = noticeKinds.filter((kind) => kind !== 'died' && kind !== 'stopped');

/** The word in brackets at the head of a subject. */
export type Label =
  | 'DOWN'
  | 'FAILED'
  | 'FLAPPING'
  | 'RESTARTED'
  | 'DIED'
  | 'UP'
  | 'UNHEALTHY'
  | 'UNASKED'
  | 'FIGHT'
  | 'STOPPED'
  | 'HOLD'
  | 'REFUSED'
  | 'KEEPER';

/** One thing to tell. The same entries make the same notice with the same id, also in another life of the keeper. */
export interface Notice {
  /** Unique: of the entry that made it. */
  readonly id: string;
  readonly kind: NoticeKind;
  readonly label: Label;
  readonly time: WallTime;
  /** What hangs together in a mail reader; null: it stands alone. */
  readonly incident: string | null;
  /** null: it is about the keeper. */
  readonly service: string | null;
  readonly description: string | null;
  readonly runbook: string | null;
  /** What stands after `[DOWN] worker@web3: `: one line, without host and name, like `exit 1 after 4 s, 5th in 10 min, retrying in 30 s`. */
  readonly headline: string;
  /** What it means, what is done about it and what comes next: whole sentences, one a line. */
  readonly story: readonly string[];
  /** Of the end that it is about; null: no end. */
  readonly postMortem: PostMortem | null;
  /** Commands that change what comes next, with what each does. */
  readonly commands: readonly { readonly command: string; readonly does: string }[];
  /** Milliseconds that it was down, where that is over. */
  readonly outage: number | null;
  /** How often one was reminded of it before; 0: this is no reminder. */
  readonly reminder: number;
}

/** A notice that has nothing but what is given: it is of no incident, no service and no end. */
export function plainNotice(
  given: Pick<Notice, 'id' | 'kind' | 'label' | 'time' | 'headline' | 'story'> & Partial<Notice>,
): Notice {
  const { id, kind, label, time, headline, story, ...rest } = given;
  // In the order in which programs read it.
  const what = { id, kind, label, time, incident: null, service: null, description: null, runbook: null };
  return { ...what, headline, story, postMortem: null, commands: [], outage: null, reminder: 0, ...rest };
}

/** What one channel is sent at once: one notice, or several that were gathered. */
export interface Letter {
  /** Unique; sending it twice is the same letter. Safe as a file name: [a-z0-9.-]. */
  readonly id: string;
  readonly channel: string;
  readonly host: string;
  readonly time: WallTime;
  /** Letters of one thread are delivered in order; null: no order. A letter of several incidents belongs to none. */
  readonly thread: string | null;
  /** Never empty. */
  readonly notices: readonly Notice[];
}
