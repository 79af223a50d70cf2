// Checks of who the main process is: by its own word, and after its end or its STOPPING=1.

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, inState, isAlive, told, touch, when } from './protocol-check.js';
import { becomes, inTurn, type Step, turns } from './protocol-sender.js';
import { until } from './sandbox-machine.js';

/** What a main process says of who is the main one; FOREIGN is a process of nobody's service. */
const MAINS: Readonly<Record<string, Step>> = {
  'MAINPID=0': { say: 'MAINPID=0' },
  'MAINPID=1': { say: 'MAINPID=1' },
  'the pid of nobody': { say: 'MAINPID=4194303' },
  'a word': { say: 'MAINPID=nonsense' },
  'a process outside': { say: 'MAINPID=FOREIGN' },
  'a child, after all these': { fork: [{ tell: 'child' }], named: true },
};

const mainPid = (user: 'root' | 'nobody'): Check => ({
  cites: 'A9',
  id: `mainpid-${user}`,
  script: () => `until [ -e foreign ]; do sleep 0.1; done
${becomes({ tell: 'main' }, ...inTurn(Object.values(MAINS))).replace('FOREIGN', `'"$(cat foreign)"'`)}`,
  // Every process may speak: where the foreign one has become the main one, the first one still names its child.
  unit: () => ['Type=exec', 'NotifyAccess=all', `User=${user}`],
  settings: () => ({ notify: 'all', user }),
  play: async (kept) => {
    const foreign = kept.beside('sh', '-c', 'sleep 600 >/dev/null 2>&1 & echo $!').stdout.trim();
    writeFileSync(join(kept.place, 'foreign.new'), foreign);
    renameSync(join(kept.place, 'foreign.new'), join(kept.place, 'foreign'));
    const seen = await turns(kept, Object.keys(MAINS).length);
    const names = new Map([
      [await told(kept, 'main'), 'the first one'],
      [await told(kept, 'child'), 'the child'],
      [foreign, 'the one outside'],
    ]);
    kept.beside('kill', '-KILL', foreign);
    return Object.fromEntries(
      Object.keys(MAINS).map((step, i) => [
        `the main process after ${user} has named ${step}`,
        names.get(String(seen[i]?.main)) ?? `another: ${seen[i]?.main}`,
      ]),
    );
  },
  differs:
    user === 'nobody'
      ? {}
      : {
          'the main process after root has named a child, after all these':
            'Who was the main process is heard no more once it has named another.',
        },
});

const successor = (how: 'named' | 'unnamed'): Check => ({
  cites: 'A10',
  id: `successor-${how}`,
  script: () =>
    becomes(
      { say: 'READY=1' },
      { wait: 'go' },
      { fork: [{ tell: 'child' }, { say: 'STATUS=too early' }], named: how === 'named' },
      { barrier: 'named' },
      { exit: 0 },
    ),
  unit: () => ['Type=notify', 'Restart=no'],
  settings: () => ({ ready: 'notify', restart: 'never' }),
  play: async (kept) => {
    const { main } = await inState(kept, 'up');
    touch(kept, 'go');
    const child = Number(await told(kept, 'child'));
    await until('the first one has ended', () => !isAlive(kept, main));
    const after = await when(kept, 'it has come to rest', (seen) => seen.main !== main && seen.state !== 'ending');
    if (after.main === 0) await until('the child has ended', () => !isAlive(kept, child));
    return {
      [`the main process ends, its child is ${how}: the service is`]: after.state,
      [`the main process ends, its child is ${how}: the child`]: isAlive(kept, child)
        ? 'is the main process'
        : 'is ended',
    };
  },
});

const stopping = (whose: 'main' | 'all'): Check => ({
  cites: 'A11',
  id: `stopping-${whose}`,
  script: () => becomes({ say: 'READY=1' }, { fork: [], named: true }, { say: 'STOPPING=1' }, { barrier: 'said' }),
  unit: () => ['Type=notify', `NotifyAccess=${whose}`],
  settings: () => ({ ready: { notify: whose } }),
  play: async (kept) => {
    await told(kept, 'said');
    const { state } = await kept.look();
    return { [`STOPPING=1 by who was the main process, NotifyAccess=${whose}: the service is`]: state };
  },
  differs:
    whose === 'main'
      ? {}
      : {
          'STOPPING=1 by who was the main process, NotifyAccess=all: the service is':
            'The word of a generation that serves no more is about that generation. systemd stops the unit, and its new main process with it.',
        },
});

const ownStopping: Check = {
  cites: '-',
  id: 'own-stopping',
  script: () => becomes({ say: 'READY=1' }, { say: 'STOPPING=1' }, { barrier: 'said' }),
  unit: () => ['Type=notify'],
  settings: () => ({ ready: 'notify' }),
  play: async (kept) => {
    await told(kept, 'said');
    return { 'STOPPING=1 by the main process: the service is': (await kept.look()).state };
  },
  differs: {
    'STOPPING=1 by the main process: the service is':
      'It says what it is about to do, and does it in its own time: its watchdog is silent. systemd begins a stop, and kills it after TimeoutStopSec=.',
  },
};

export const mainChecks: readonly Check[] = [
  mainPid('root'),
  mainPid('nobody'),
  successor('named'),
  successor('unnamed'),
  stopping('main'),
  stopping('all'),
  ownStopping,
];
