// How long a program that knows nothing of a drain waits for whom, by why it has to end. Reads what the keeper has said of that.

import type { DrainReason } from '../drain-reason.js';
import type { DrainOptions } from '../http/drain.js';

/** A worker of a cluster is given it in its environment. */
export type Patience = Readonly<Record<DrainReason, DrainOptions>>;

/** As long as Node itself keeps a silent connection. */
const UNHURRIED_MS = 5_000;

/** How long a keeper waits after its SIGTERM where nothing else was said to it. */
const STOP_MS = 10_000;

/** What is left of that for the end of the program itself: its log, its database. */
const REST = 0.2;
const LONGEST_REST_MS = 2_000;

/**
 * With somebody else serving there is time: only what is silent for long is closed, and the deadline is the keeper's (`drain`). At a
 * stop SIGKILL comes after UPKEEP_STOP_WITHIN (milliseconds, or infinity), so what never ends is ended a little before.
 */
export function patienceBy(env: NodeJS.ProcessEnv): Patience {
  return { superseded: { pause: UNHURRIED_MS }, stop: stopBy(env.UPKEEP_STOP_WITHIN) };
}

function stopBy(said: string | undefined): DrainOptions {
  if (said === 'infinity') return {};
  const within = said !== undefined && /^\d{1,9}$/.test(said) ? Number(said) : STOP_MS;
  return { within: within - Math.min(within * REST, LONGEST_REST_MS) };
}
