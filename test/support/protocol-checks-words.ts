// Checks of what a service says by sd_notify: readiness, status, whose words count, the main process, time-outs, the watchdog.

import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Check,
  type Findings,
  inState,
  isAlive,
  type Kept,
  PYTHON,
  program,
  type Seen,
  told,
  touch,
  when,
  yesOrNo,
} from './protocol-check.js';
import { until } from './sandbox-machine.js';

type Step = Readonly<Record<string, unknown>>;

const SENDER = program('sd-notify-sender.py');

/** The service is this from then on; single quotes of the shell have no meaning inside. */
const becomes = (...steps: readonly Step[]): string => `exec ${PYTHON} ${SENDER} '${JSON.stringify(steps)}'`;

/** Says one after the other, and waits after each until somebody has looked. */
const inTurn = (steps: readonly Step[]): readonly Step[] =>
  steps.flatMap((step, i) => [step, { barrier: `heard-${i}` }, { wait: `next-${i}` }]);

/** What is seen after each of these steps. */
async function turns(kept: Kept, count: number): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  for (let i = 0; i < count; i++) {
    await told(kept, `heard-${i}`);
    seen.push(await kept.look());
    touch(kept, `next-${i}`);
  }
  return seen;
}

const shown = (text: string | undefined): string => (text === undefined || text === '' ? '(nothing)' : text);

const ready: Check = {
  cites: 'A1 A2',
  id: 'ready',
  script: () => `until [ -e go ]; do sleep 0.1; done
systemd-notify --ready --status='serving from a shell'
echo $? >code.new; mv code.new code
exec sleep 1000`,
  unit: () => ['Type=notify'],
  settings: () => ({ ready: 'notify' }),
  play: async (kept) => {
    const before = await when(kept, 'it has a process', ({ main }) => main !== 0);
    touch(kept, 'go');
    const after = await inState(kept, 'up');
    return {
      'before READY=1 the service is': before.state,
      'after `systemd-notify --ready` it is': after.state,
      'after `systemd-notify --status` it says': after.text,
      'systemd-notify, which waits for the answer to BARRIER=1, ends with': await told(kept, 'code'),
    };
  },
};

/** Messages one after the other, and the text that is shown after each. */
const TEXTS: Readonly<Record<string, Step>> = {
  'STATUS twice in one message': { say: 'STATUS=first\nSTATUS=second' },
  'lines that end with CR LF': { say: 'STATUS=crlf\r\nX_OTHER=1\r\n' },
  'a blank before the key': { say: ' STATUS=blank' },
  'a key in small letters': { say: 'status=small' },
  'an empty STATUS': { say: 'STATUS=' },
  'STATUS anew': { say: 'STATUS=anew' },
  'a STATUS that is no UTF-8': { say: 'STATUS=\xff\xfe' },
  'a message without a line': { say: 'STATUS=there' },
  'an empty message': { say: '' },
  'a zero byte within': { say: 'STATUS=zero\0READY=1' },
  'a zero byte at the end': { say: 'STATUS=zero at the end\0' },
  'BARRIER=1 without a descriptor': { say: 'BARRIER=1' },
  'BARRIER=1 with two': { say: 'BARRIER=1', fds: 2 },
  'BARRIER=1 beside another line': { barrier: 'mixed', with: 'BARRIER=1\nSTATUS=mixed' },
  'the next message': { say: 'STATUS=goes on' },
  '4096 bytes': { say: `STATUS=4096${'-'.repeat(4085)}` },
  '5000 bytes': { say: `STATUS=5000${'-'.repeat(4989)}` },
};

const text: Check = {
  cites: 'A3 A4 A5 A6',
  id: 'text',
  script: () => becomes({ say: 'READY=1' }, ...inTurn(Object.values(TEXTS))),
  unit: () => ['Type=notify'],
  settings: () => ({ ready: 'notify' }),
  play: async (kept) => {
    const names = Object.keys(TEXTS);
    const seen = await turns(kept, names.length);
    const found = names.map((name, i) => [
      `STATUS after ${name}`,
      // Upkeep cuts what it shows.
      shown(seen[i]?.text).replace(/-{9,}.*$/, ' …'),
    ]);
    return { ...Object.fromEntries(found), 'BARRIER=1 beside another line is': await told(kept, 'mixed') };
  },
};

/** Who speaks in a matrix of NotifyAccess, in the order of a life: as units call it, and as Upkeep does. */
const ROLES = {
  'start-pre': 'ExecStartPre, `beforeStart`',
  main: 'ExecStart, `run`',
  child: 'its child',
  'start-post': 'ExecStartPost, `afterStart`',
  reload: 'ExecReload, `reload`',
  stop: 'ExecStop, `beforeStop`',
  'stop-post': 'ExecStopPost, `afterStop`',
} as const;
type Role = keyof typeof ROLES;

const ROLE = program('notify-role.sh');
const helper = (place: string, role: Role): string => `/bin/sh ${ROLE} ${role} ${place} ${SENDER}`;
const words = (role: Role): readonly Step[] => [
  { wait: `go-${role}` },
  { say: `STATUS=${role}` },
  { barrier: `heard-${role}` },
];

async function heard(kept: Kept, role: Role): Promise<boolean> {
  touch(kept, `go-${role}`);
  await told(kept, `heard-${role}`);
  const { text } = await kept.look();
  touch(kept, `next-${role}`);
  return text === role;
}

const access = (whose: 'main' | 'exec' | 'all'): Check => ({
  cites: 'A8',
  id: `access-${whose}`,
  script: () => `echo "$NOTIFY_SOCKET" >address
echo "\${NOTIFY_SOCKET:+yes}" >socket-main
echo "\${WATCHDOG_USEC:+yes}" >watchdog-main
${becomes(...words('main'), { fork: words('child') })}`,
  unit: (place) => [
    'Type=exec',
    'WatchdogSec=20min',
    `NotifyAccess=${whose}`,
    `ExecStartPre=${helper(place, 'start-pre')}`,
    `ExecStartPost=${helper(place, 'start-post')}`,
    `ExecReload=${helper(place, 'reload')}`,
    `ExecStop=${helper(place, 'stop')}`,
    `ExecStopPost=${helper(place, 'stop-post')}`,
  ],
  settings: (place) => ({
    notify: whose,
    watchdog: '20m',
    hooks: {
      beforeStart: helper(place, 'start-pre'),
      afterStart: helper(place, 'start-post'),
      beforeStop: helper(place, 'stop'),
      afterStop: helper(place, 'stop-post'),
    },
    reload: { exec: helper(place, 'reload') },
  }),
  play: async (kept) => {
    const roles: Role[] = [];
    const say = async (role: Role): Promise<void> => {
      if (await heard(kept, role)) roles.push(role);
    };
    for (const role of ['start-pre', 'main', 'child', 'start-post'] as const) await say(role);
    await inState(kept, 'up');
    kept.act('reload');
    await say('reload');
    await inState(kept, 'up');
    kept.act('stop');
    for (const role of ['stop', 'stop-post'] as const) await say(role);
    await inState(kept, 'down');
    const all = Object.keys(ROLES) as readonly Role[];
    const given = async (what: string): Promise<readonly Role[]> => {
      const noted = await Promise.all(
        all
          .filter((role) => role !== 'child')
          .map(async (role) => [role, await told(kept, `${what}-${role}`)] as const),
      );
      return noted.filter(([, note]) => note === 'yes').map(([role]) => role);
    };
    const inWords = (some: readonly Role[]): string => some.map((role) => ROLES[role]).join('; ') || 'nobody';
    return {
      [`NotifyAccess=${whose}: NOTIFY_SOCKET is given to`]: inWords(await given('socket')),
      [`NotifyAccess=${whose}: WATCHDOG_USEC is given to`]: inWords(await given('watchdog')),
      [`NotifyAccess=${whose}: whose STATUS is shown`]: inWords(roles),
    };
  },
});

const accessNone: Check = {
  cites: 'A8',
  id: 'access-none',
  script: () => `echo "\${NOTIFY_SOCKET:+yes}" >socket; exec sleep 1000`,
  unit: () => ['Type=exec', 'NotifyAccess=none'],
  settings: () => ({ notify: 'none' }),
  play: async (kept) => {
    await inState(kept, 'up');
    return { 'NotifyAccess=none: a NOTIFY_SOCKET is given': (await told(kept, 'socket')) || 'no' };
  },
};

/** In a cgroup of no unit, and of no service. */
const stranger: Check = {
  cites: 'A7',
  id: 'stranger',
  script: () => `echo "$NOTIFY_SOCKET" >address.new; mv address.new address
${becomes({ say: 'READY=1\nSTATUS=from the service' }, { barrier: 'said' })}`,
  unit: () => ['Type=notify', 'NotifyAccess=all'],
  settings: () => ({ ready: { notify: 'all' } }),
  play: async (kept) => {
    await told(kept, 'said');
    const address = await told(kept, 'address');
    const steps = JSON.stringify([
      { say: 'STATUS=from a stranger' },
      { barrier: join(kept.place, 'heard') },
      { exit: 0 },
    ]);
    const { code } = kept.beside('env', `NOTIFY_SOCKET=${address}`, PYTHON, SENDER, steps);
    return {
      'STATUS after a message of a process of no service': (await kept.look()).text,
      'whoever sent it is told': code === 0 ? 'nothing' : 'something',
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

const outcome = ({ state, result }: Seen): string => (state === 'up' ? 'up' : `${state}: ${result}`);

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

export const wordChecks: readonly Check[] = [
  ready,
  text,
  stranger,
  accessNone,
  access('main'),
  access('exec'),
  access('all'),
  mainPid('root'),
  mainPid('nobody'),
  successor('named'),
  successor('unnamed'),
  stopping('main'),
  stopping('all'),
  ownStopping,
  ...Object.keys(EXTENDED).map(extend),
  ...watchdogs,
  watchdogEnvironment,
  agreedCode,
];
