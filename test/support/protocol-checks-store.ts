// Checks of the fd store: what is counted, what comes back, and when it is emptied.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COUNTED, type Step } from './fd-store-sequence.js';
import {
  type Check,
  inState,
  type Kept,
  PYTHON,
  program,
  signal,
  told,
  touch,
  when,
  yesOrNo,
} from './protocol-check.js';

const CLIENT = program('fd-store-client.py');
const NEWER = 'systemd 252 does not have it; newer ones do.';

/** Each run has a directory of its own: `run-0`, `run-1`, … */
const client = (steps: readonly Step[]): string => `run=0
while ! mkdir "run-$run" 2>/dev/null; do run=$((run + 1)); done
cd "run-$run"
exec ${PYTHON} ${CLIENT} . '${JSON.stringify(steps)}'`;

/** How many are kept after each step of the first run. `hungUp`: steps after which the kernel tells, in its own time, that one is gone. */
async function counts(kept: Kept, steps: readonly Step[], hungUp: readonly number[]): Promise<string> {
  const seen: number[] = [];
  for (const [i] of steps.entries()) {
    const before = seen.at(-1);
    const now = await when(
      kept,
      `step ${i} is done`,
      ({ text, stored }) => text === String(i) && !(hungUp.includes(i) && stored === before),
    );
    seen.push(now.stored);
    touch(kept, `run-0/next-${i}`);
  }
  return seen.join(', ');
}

const counted: Check = {
  cites: 'C2 C3 C4',
  id: 'counted',
  script: () => client(COUNTED),
  unit: () => ['FileDescriptorStoreMax=12'],
  settings: () => ({ fdStore: 12 }),
  play: async (kept) => ({
    'kept of at most 12: two; one; a second name for the first; the name `a:b`; a name of 256; a pipe; it hangs up; one with FDPOLL=0; it hangs up; one; ten; all ten removed; stored and removed at once; one removed':
      await counts(kept, COUNTED, [6]),
    'the service after that, whose ten were too many, is': (await kept.look()).state,
  }),
};

const POLLED: readonly Step[] = [
  { socket: 's', say: 'FDSTORE=1\nFDNAME=s' },
  { device: true, say: 'FDSTORE=1\nFDNAME=null' },
  { event: true, say: 'FDSTORE=1\nFDNAME=event' },
  { socket: 't', say: 'FDSTORE=1\nFDNAME=t\nFDPOLL=0' },
  { hangUp: 's' },
  { hangUp: 't' },
];

const polled: Check = {
  cites: 'C3',
  id: 'polled',
  script: () => client(POLLED),
  unit: () => ['FileDescriptorStoreMax=12'],
  settings: () => ({ fdStore: 12 }),
  play: async (kept) => ({
    'kept: one end of a pair of sockets; /dev/null; an eventfd; another end with FDPOLL=0; the other end of the first hangs up; that of the second':
      await counts(kept, POLLED, [4]),
  }),
};

const DISABLED: readonly Step[] = [{ files: 2, say: 'FDSTORE=1\nFDNAME=a' }];

const disabled: Check = {
  cites: 'C6',
  id: 'disabled',
  script: () => client(DISABLED),
  unit: () => ['NotifyAccess=main'],
  settings: () => ({ notify: 'main' }),
  play: async (kept) => ({
    'kept without a store': await counts(kept, DISABLED, []),
    'without a store the service, which is not told, is': (await inState(kept, 'up')).state,
  }),
};

interface Passed {
  readonly pid: boolean;
  readonly max: string | null;
  readonly passed: readonly { readonly name: string; readonly is: string; readonly content: string | null }[];
}

const ALIGNED: readonly Step[] = [
  { report: 'passed' },
  { files: 1, say: 'FDSTORE=1\nFDNAME=one' },
  { fill: 'its content', say: 'FDSTORE=1\nFDNAME=two' },
  { files: 1, say: 'FDSTORE=1' },
];

const aligned: Check = {
  cites: 'C7',
  id: 'aligned',
  script: () => client(ALIGNED),
  unit: () => ['FileDescriptorStoreMax=12'],
  settings: () => ({ fdStore: 12 }),
  sockets: [{ name: 'http', type: 'path', start: 'with the service' }],
  play: async (kept) => {
    await counts(kept, ALIGNED, []);
    kept.act('restart');
    const { pid, max, passed } = JSON.parse(await told(kept, 'run-1/passed')) as Passed;
    const [first, ...stored] = passed;
    return {
      'with a socket and a store the next start is passed first': `${first?.name}, a ${first?.is}`,
      'then, from the store, sorted': stored
        .map(({ name }) => name)
        .sort()
        .join(', '),
      'from the store, in the order': stored.map(({ name }) => name).join(', '),
      'from the store, each under its own name': yesOrNo(
        stored.find(({ name }) => name === 'two')?.content === 'its content',
      ),
      'LISTEN_PID with a store is its own': yesOrNo(pid),
      'FDSTORE in its environment': max ?? 'none',
    };
  },
  differs: {
    'from the store, in the order':
      'The order in which they came. systemd promises none, and newer versions have another; a program goes by the names.',
    'FDSTORE in its environment': NEWER,
  },
};

const REPORT = 'report';
const remembering = (): string => `exec ${PYTHON} ${program('storing-service.py')} ${REPORT} memory 'counted to 41'`;

interface Run {
  readonly names: readonly string[];
  readonly state: string | null;
}

/** What its run with this number was passed, and that it is ready. */
async function run(kept: Kept, number: number): Promise<Run> {
  const lines = (): readonly string[] => readFileSync(join(kept.place, REPORT), 'utf8').split('\n').slice(0, -1);
  await when(kept, `run ${number} is ready`, ({ state }) => state === 'up' && lines().length > number);
  return JSON.parse(lines()[number] ?? '') as Run;
}

const inWords = ({ names, state }: Run): string => (names.length === 0 ? 'nothing' : `${names.join(', ')}: ${state}`);

const lifetime: Check = {
  cites: 'C1',
  id: 'lifetime',
  script: remembering,
  unit: () => ['Type=notify', 'FileDescriptorStoreMax=16', 'Restart=always'],
  settings: () => ({ ready: 'notify', fdStore: 16, restart: 'always' }),
  play: async (kept) => {
    await run(kept, 0);
    const { main, stored } = await kept.look();
    signal(kept, main, 'KILL');
    const afterKill = await run(kept, 1);
    kept.act('restart');
    const afterRestart = await run(kept, 2);
    kept.act('stop');
    const stopped = await inState(kept, 'down');
    kept.act('start');
    return {
      'kept of a memory file that the service stores': String(stored),
      'what the next start after SIGKILL is passed of it': inWords(afterKill),
      'what the next start after a restart is passed of it': inWords(afterRestart),
      'kept of it after a stop': String(stopped.stored),
      'what the start after that is passed of it': inWords(await run(kept, 3)),
    };
  },
};

const failed: Check = {
  cites: 'C1',
  id: 'failed',
  script: remembering,
  unit: () => ['Type=notify', 'FileDescriptorStoreMax=16', 'Restart=no'],
  settings: () => ({ ready: 'notify', fdStore: 16, restart: 'never' }),
  play: async (kept) => {
    await run(kept, 0);
    signal(kept, (await kept.look()).main, 'KILL');
    const { stored } = await inState(kept, 'failed');
    return { 'kept of it when the service has failed and is not started again': String(stored) };
  },
};

/** As cloudflare/shellflip does it under systemd: a memory file that is stored empty, and filled before the end with an agreed code. */
const handedOver: Check = {
  cites: 'C8',
  id: 'handed-over',
  script: () => `exec ${PYTHON} ${program('storing-service.py')} ${REPORT} mem-handover 75`,
  unit: () => ['Type=notify', 'FileDescriptorStoreMax=1', 'Restart=no', 'RestartForceExitStatus=75'],
  settings: () => ({ ready: 'notify', fdStore: 1, restart: { when: 'never', alwaysAfter: [75] } }),
  play: async (kept) => {
    const states: string[] = [];
    for (let number = 0; number < 3; number++) {
      states.push(shortly((await run(kept, number)).state));
      if (number < 2) signal(kept, (await kept.look()).main, 'USR1');
    }
    return { 'what three generations find, each of which ends with the agreed code 75': states.join(', ') };
  },
};

const shortly = (state: string | null): string => (state === null || state === '' ? 'nothing' : state);

export const storeChecks: readonly Check[] = [lifetime, failed, handedOver, counted, polled, disabled, aligned];
