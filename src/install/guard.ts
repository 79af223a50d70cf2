// The guard: a small parent of the keeper (lib/guard.sh) that starts it again, started now and by nothing at boot. Pure.

import { join } from 'node:path';
import { keeperCommand, type Target } from './target.js';
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
    notes: [
      'nothing starts the guard at boot; `--via systemd`, `cron` or `sysv` would',
      `what it says goes to ${join(target.logs, '_keeper.log')}, and to syslog where there is one`,
    ],
  };
}

/** The words that start the guard, in the background, away from who asks. */
export function guardStart(target: Target, owner: 'guard' | 'sysv'): Command {
  const { scripts, runtime, logs, environment } = target;
  const variables = Object.entries({ UPKEEP_OWNER: owner, ...environment }).map(([name, value]) => `${name}=${value}`);
  return [
    'env',
    ...variables,
    '/bin/sh',
    join(scripts, 'start.sh'),
    runtime,
    logs,
    '/bin/sh',
    join(scripts, 'guard.sh'),
    ...keeperCommand(target),
  ];
}
