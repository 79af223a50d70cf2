// Heartbeats that are right and yet do not do what they seem to say, because of the `restart` of their service.

import type { RestartWhen } from '../core/spec.js';
import { isRestarting, placeOfThen } from './heartbeat-checks.js';
import type { Problems } from './problem.js';
import type { ReadService } from './service.js';

// A death by a heartbeat is a failure and abnormal, and no watchdog's; to these it is no reason to start again.
const RESTING: readonly RestartWhen[] = ['never', 'on-success', 'on-abort', 'on-watchdog'];

/** Both right, but together a failed heartbeat is the end. */
export function warnOfHeartbeats(here: ReadonlyMap<string, ReadService>, warnings: Problems): void {
  for (const [name, { members, effective }] of here) {
    const [{ spec }] = members;
    const { when } = spec.restart;
    if (!RESTING.includes(when)) continue;
    spec.heartbeats.forEach((heartbeat, index) => {
      if (!isRestarting(heartbeat)) return;
      const text = `with \`restart: ${when}\` a failed heartbeat stops it for good; write \`then: notice\` or \`then: stop\`, or another \`restart\``;
      warnings.report(placeOfThen(effective, index), `services.${name}.heartbeat`, text);
    });
  }
}
