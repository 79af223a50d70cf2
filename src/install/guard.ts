// The guard: a small parent of the keeper (lib/guard.sh) that starts it again, started now and by nothing at boot. Pure.

import { join } from 'node:path';
import { keeperCommand, type Target, whereItSpeaks, withVariables } from './target.js';
import { type Command, startTextOf, type Way } from './way.js';

export function guardWay(target: Target): Way {
  return {
    via: 'guard',
    files: [],
    links: [],
    line: null,
    settle: [],
    start: guardStart(target, 'guard'),
    stop: null,
    beforeRemoval: [],
    afterRemoval: [],
    startText: startTextOf('guard', target.whose),
    keeps: 'its guard starts it again at once when it ends',
    notes: ['nothing starts the guard at boot; `--via systemd`, `cron` or `sysv` would', whereItSpeaks(target)],
  };
}

/** The words that start the guard, in the background, away from who asks. */
export function guardStart(target: Target, owner: 'guard' | 'sysv'): Command {
  const { scripts, runtime, logs, environment } = target;
  const guard = ['/bin/sh', join(scripts, 'guard.sh'), ...keeperCommand(target)];
  const start = ['/bin/sh', join(scripts, 'start.sh'), runtime, logs, ...guard];
  return withVariables({ UPKEEP_OWNER: owner, ...environment }, start);
}
