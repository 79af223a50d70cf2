// `upkeep once` without a keeper: a look at everything, repair, report, end; for cron. The same keeper with the same
// memory, which ends when nothing of its watched services is on its way any more. Supervised services are not started.

import type { OnceOptions } from '../cli/ports.js';
import { runDaemon } from './daemon.js';

/** Resolves to the exit code: 0 all is as wanted, 3 something that should be up is not, 1 it could not look. */
export function lookOnce(options: OnceOptions, version: string): Promise<number> {
  return runDaemon({ ...options, leave: 'yes', strict: 'no', exitWith: null, command: null }, version, 'once');
}
