// How long a letter may be under way on its channel. Owns these numbers; it must not know who counts.

import type { Channel } from '../core/notice-spec.js';

/** Longer than any channel's own patience, so that its reason is the one that is told. */
const DEADLINE_MS = 60_000;
/** A command without a deadline of its own. */
const LONGEST_COMMAND_MS = 10 * 60_000;

/** After the deadline: so long the courier may take to say so, before it counts as hanging. */
export const GRACE_MS = 15_000;

export function deadlineOf(channel: Channel | undefined): number {
  if (channel?.type !== 'exec') return DEADLINE_MS;
  return Math.max(DEADLINE_MS, Math.min(channel.command.timeout ?? LONGEST_COMMAND_MS, LONGEST_COMMAND_MS) + 5000);
}
