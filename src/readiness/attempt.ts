// What every kind of readiness probe is: one try at a time, and how long to wait between two.

/** One try. Never rejects for what the service does or does not do; `signal` gives it up. */
export type Attempt = (signal: AbortSignal) => Promise<'ready' | 'not yet'>;

/** No try takes longer than this; it then counts as `not yet`. */
export const TRY_MS = 5_000;

/** Before the second try, in milliseconds. A question costs next to nothing, and a quick service listens a millisecond after its start, */
const FIRST_PAUSE_MS = 1;
/** but a command is a process each time. */
const FIRST_PAUSE_OF_COMMANDS_MS = 5;
const LONGEST_PAUSE_MS = 250;
const GROWTH = 1.5;

/** Milliseconds to wait after try number `tries` (1, 2, …): short at first, because most services are quick. */
export function pauseAfter(tries: number, by: 'question' | 'command'): number {
  const first = by === 'command' ? FIRST_PAUSE_OF_COMMANDS_MS : FIRST_PAUSE_MS;
  return Math.min(LONGEST_PAUSE_MS, first * GROWTH ** (tries - 1));
}
