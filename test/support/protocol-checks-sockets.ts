// Checks of sockets that the manager opens: what the service finds, and who is served while it comes and goes.

import { existsSync, lstatSync } from 'node:fs';
import {
  ask,
  type Check,
  inState,
  isAlive,
  type Kept,
  PYTHON,
  program,
  signal,
  told,
  when,
  yesOrNo,
} from './protocol-check.js';
import { pause, until } from './sandbox-machine.js';

/** Writes what it finds to `said`, then serves each connection of its first socket with its pid. */
const accepting = (): string => `exec /usr/bin/perl ${program('listen-checker.pl')} said accept`;

const nothing = () => ({});

/** What it was passed: an entry for each name, with what the socket is. */
async function passed(kept: Kept): Promise<{ readonly pid: string; readonly sockets: ReadonlyMap<string, string> }> {
  const lines = (await told(kept, 'said')).split('\n');
  const [pid = '', , names = '', ...sockets] = lines;
  const all = names.replace('names ', '').split(':');
  return { pid, sockets: new Map(all.map((name, i) => [name, sockets[i]?.replace(/^\d+ /, '') ?? 'nothing'])) };
}

const found: Check = {
  cites: 'B1 B3',
  id: 'sockets',
  script: accepting,
  unit: () => [],
  settings: nothing,
  sockets: [
    { name: 'http', type: 'tcp', start: 'with the service' },
    { name: 'admin', type: 'path', start: 'with the service' },
    { name: 'dns', type: 'udp', start: 'with the service' },
  ],
  play: async (kept) => {
    const { pid, sockets } = await passed(kept);
    const rows = ['http', 'admin', 'dns'].map((name) => {
      const address = String(kept.addressOf(name));
      const is = sockets.get(name) ?? 'nothing';
      return [
        `the socket named ${name} is`,
        is.replace(/ \S+$/, is.endsWith(address) ? ', at its address' : ', elsewhere'),
      ];
    });
    return { 'LISTEN_PID is': pid.replace('pid ', ''), ...Object.fromEntries(rows) };
  },
};

/** The first run makes its socket non-blocking, as Node does. */
const blocking: Check = {
  cites: 'B4',
  id: 'blocking',
  script: () => `[ -e second ] && ${accepting()}
touch second
exec ${PYTHON} -c 'import os, time
os.set_blocking(3, False)
open("nonblocking", "w")
time.sleep(600)'`,
  unit: () => [],
  settings: nothing,
  sockets: [{ name: 'http', type: 'tcp', start: 'with the service' }],
  play: async (kept) => {
    await told(kept, 'nonblocking');
    await inState(kept, 'up');
    kept.act('restart');
    const is = (await passed(kept)).sockets.get('http') ?? '';
    return {
      'the next process finds a socket blocking that the last one has made non-blocking': yesOrNo(
        is.includes('blocks'),
      ),
    };
  },
};

const CLIENTS = 10;

const down: Check = {
  cites: 'B5',
  id: 'down',
  script: accepting,
  unit: () => ['Restart=always', 'RestartSec=1'],
  settings: () => ({ restart: { when: 'always', delay: '1s' } }),
  sockets: [{ name: 'http', type: 'tcp', start: 'with the service' }],
  play: async (kept) => {
    await told(kept, 'said');
    const { main } = await inState(kept, 'up');
    signal(kept, main, 'KILL');
    // Of a connection that it takes in its last moment it tells nobody.
    await until('it is dead', () => !isAlive(kept, main));
    const served = await Promise.all(Array.from({ length: CLIENTS }, () => ask(kept, 'http')));
    const next = await when(kept, 'it is up again', (seen) => seen.state === 'up' && seen.main !== main);
    return {
      [`of ${CLIENTS} clients that connect after SIGKILL, the next process serves`]: String(
        served.filter((by) => by === String(next.main)).length,
      ),
    };
  },
};

const SOCKETS_OF_THE_SERVICE =
  'A socket belongs to its service: `upkeep stop` closes it. systemd has a unit for it, which goes on listening, and starts the service again.';

const path: Check = {
  cites: 'B6',
  id: 'path',
  script: accepting,
  unit: () => [],
  settings: nothing,
  sockets: [{ name: 'unix', type: 'path', start: 'with the service' }],
  play: async (kept) => {
    const file = String(kept.addressOf('unix'));
    await told(kept, 'said');
    const { main } = await inState(kept, 'up');
    const { ino } = lstatSync(file);
    kept.act('restart');
    await when(kept, 'it is another', (seen) => seen.state === 'up' && seen.main !== main && seen.main !== 0);
    const isSame = existsSync(file) && lstatSync(file).ino === ino;
    const served = await ask(kept, 'unix');
    kept.act('stop');
    await inState(kept, 'down');
    const isThere = await stays(file);
    return {
      'the path of a socket after a restart is the same': yesOrNo(isSame),
      'a connection to it after a restart is served by':
        served === main.toString() ? 'the old process' : /^\d+$/.test(served) ? 'the new process' : served,
      'after a stop of the service the path is': isThere ? 'there' : 'removed',
      'a connection after a stop of the service': /^\d+$/.test(await ask(kept, 'unix')) ? 'starts it' : 'is refused',
    };
  },
  differs: {
    'after a stop of the service the path is': SOCKETS_OF_THE_SERVICE,
    'a connection after a stop of the service': SOCKETS_OF_THE_SERVICE,
  },
};

/** Whoever removes it may do so a moment after the service has ended. */
async function stays(file: string): Promise<boolean> {
  for (let i = 0; i < 20 && existsSync(file); i++) await pause(100);
  return existsSync(file);
}

const lazy: Check = {
  cites: 'B7',
  id: 'lazy',
  script: accepting,
  unit: () => [],
  settings: nothing,
  sockets: [{ name: 'http', type: 'tcp', start: 'lazy' }],
  play: async (kept) => {
    const before = await inState(kept, 'down');
    const by = await ask(kept, 'http');
    const after = await inState(kept, 'up');
    return {
      'before the first connection the main process is': before.main === 0 ? 'none' : 'there',
      'the first connection is served by': by === String(after.main) ? 'the process that it started' : by,
    };
  },
};

export const socketChecks: readonly Check[] = [found, blocking, down, path, lazy];
