// Checks of whose words count (NotifyAccess=), and of what the commands around a service have in their environment.

import { type Check, inState, type Kept, program, signal, told, touch, yesOrNo } from './protocol-check.js';
import { becomes, SENDER, type Step } from './protocol-sender.js';

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
echo "\${LISTEN_FDS:+yes}" >sockets-main
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
  sockets: [{ name: 'unix', type: 'path', start: 'with the service' }],
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
      [`NotifyAccess=${whose}: LISTEN_FDS is given to`]: inWords(await given('sockets')),
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

/** What the commands at its end are told of it. */
const ENDED = '$SERVICE_RESULT $EXIT_CODE $EXIT_STATUS';

const ending = (how: 'stop' | 'SIGSEGV'): Check => ({
  cites: '1.4',
  id: `ending-${how}`,
  script: () => 'exec sleep 1000',
  unit: (place) => [
    `ExecStop=/bin/sh -c 'echo $MAINPID >${place}/main'`,
    `ExecStopPost=/bin/sh -c 'echo ${ENDED} >${place}/result.new; mv ${place}/result.new ${place}/result'`,
    'Restart=no',
  ],
  settings: (place) => ({
    hooks: {
      beforeStop: { exec: ['sh', '-c', `echo $MAINPID >${place}/main`] },
      afterStop: { exec: ['sh', '-c', `echo ${ENDED} >${place}/result.new; mv ${place}/result.new ${place}/result`] },
    },
    restart: 'never',
  }),
  play: async (kept) => {
    const { main } = await inState(kept, 'up');
    if (how === 'stop') kept.act('stop');
    else signal(kept, main, 'SEGV');
    const result = await told(kept, 'result');
    return {
      [`SERVICE_RESULT, EXIT_CODE and EXIT_STATUS of ExecStopPost, \`afterStop\`, after ${how}`]: result,
      ...(how === 'stop'
        ? {
            'MAINPID of ExecStop, `beforeStop`, is that of the service': yesOrNo(
              (await told(kept, 'main')) === String(main),
            ),
          }
        : {}),
    };
  },
});

export const accessChecks: readonly Check[] = [
  accessNone,
  access('main'),
  access('exec'),
  access('all'),
  ending('stop'),
  ending('SIGSEGV'),
];
