// Checks of what ends a service, or does not: time-outs that it extends, its watchdog, its agreed exit code.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, type Findings, inState, type Seen, when, yesOrNo } from './protocol-check.js';
import { becomes, type Step } from './protocol-sender.js';

const outcome = ({ state, result }: Seen): string => (state === 'up' ? 'up' : `${state}: ${result}`);

/** Starts that may take 4 s. Each is far from its bound, for a machine that others load. */
const EXTENDED: Readonly<Record<string, { readonly title: string; readonly steps: readonly Step[] }>> = {
  ready: {
    title: 'after 0.5 s EXTEND_TIMEOUT_USEC of 12 s, READY=1 after 7 s',
    steps: [{ sleep: 0.5 }, { say: 'EXTEND_TIMEOUT_USEC=12000000' }, { sleep: 6.5 }, { say: 'READY=1' }],
  },
  silent: {
    title: 'after 0.5 s EXTEND_TIMEOUT_USEC of 5 s, then nothing',
    steps: [{ sleep: 0.5 }, { say: 'EXTEND_TIMEOUT_USEC=5000000' }],
  },
  late: {
    title: 'EXTEND_TIMEOUT_USEC after 8 s',
    steps: [{ sleep: 8 }, { say: 'EXTEND_TIMEOUT_USEC=60000000' }, { say: 'READY=1' }],
  },
};

const extend = (id: string): Check => ({
  cites: 'A12',
  id: `extend-${id}`,
  script: () => becomes(...(EXTENDED[id]?.steps ?? [])),
  unit: () => ['Type=notify', 'TimeoutStartSec=4', 'Restart=no'],
  settings: () => ({ ready: { notify: true, timeout: '4s' }, restart: 'never' }),
  play: async (kept) => ({
    [`a start that may take 4 s; ${EXTENDED[id]?.title}`]: outcome(
      await when(kept, 'it has come to rest', ({ state }) => state === 'up' || state === 'failed'),
    ),
  }),
});

const watchdog = (id: string, title: string, steps: readonly Step[], period: string | null): Check => ({
  cites: 'A13',
  id: `watchdog-${id}`,
  script: () => becomes(...steps),
  unit: () => ['Type=notify', 'Restart=no', ...(period === null ? [] : [`WatchdogSec=${period}`])],
  settings: () => ({ ready: 'notify', restart: 'never', ...(period === null ? {} : { watchdog: period }) }),
  play: async (kept): Promise<Findings> => ({
    [title]: outcome(
      await when(kept, 'it has come to rest', ({ state, text }) => state === 'failed' || text === 'still there'),
    ),
  }),
});

const watchdogs: readonly Check[] = [
  watchdog('silent', 'a watchdog of 1 s, and silence', [{ say: 'READY=1' }], '1s'),
  watchdog('trigger', 'WATCHDOG=trigger, without a watchdog', [{ say: 'READY=1\nWATCHDOG=trigger' }], null),
  watchdog(
    'longer',
    'a watchdog of 2 s; WATCHDOG_USEC of 10 min with READY=1, and silence for 4 s',
    [{ say: 'READY=1\nWATCHDOG_USEC=600000000' }, { sleep: 4 }, { say: 'STATUS=still there' }],
    '2s',
  ),
];

const watchdogEnvironment: Check = {
  cites: 'A13',
  id: 'watchdog-environment',
  script: () => becomes({ report: ['WATCHDOG_PID', 'WATCHDOG_USEC'] }, { say: 'READY=1' }),
  unit: () => ['Type=notify', 'WatchdogSec=20min'],
  settings: () => ({ ready: 'notify', watchdog: '20m' }),
  play: async (kept) => {
    const { text: said, main } = await inState(kept, 'up');
    return {
      'WATCHDOG_PID is that of the service': yesOrNo(said.includes(`WATCHDOG_PID=${main} `)),
      'WATCHDOG_USEC for 20 min': /WATCHDOG_USEC=(\S*)/.exec(said)?.[1] ?? 'none',
    };
  },
};

const agreedCode: Check = {
  cites: '-',
  id: 'agreed-code',
  script: () => `[ -e ran ] && exec sleep 1000
touch ran
exit 75`,
  unit: () => ['Restart=no', 'RestartForceExitStatus=75'],
  settings: () => ({ restart: { when: 'never', alwaysAfter: [75] } }),
  play: async (kept) => ({
    'a service that is not to be restarted, after its agreed exit code': outcome(
      await when(
        kept,
        'it has come to rest',
        ({ state }) => (state === 'up' || state === 'failed') && existsSync(join(kept.place, 'ran')),
      ),
    ),
  }),
};

export const endingChecks: readonly Check[] = [
  ...Object.keys(EXTENDED).map(extend),
  ...watchdogs,
  watchdogEnvironment,
  agreedCode,
];
