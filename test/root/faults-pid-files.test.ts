// Pid files that lie (supervisors 15, monitors 3): a keeper of root must not be led to a stranger by one.

import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serving, sshd } from '../support/sandbox-daemons.js';
import {
  forgetEverything,
  inState,
  Keeper,
  runningAs,
  status,
  upkeep,
  writeConfig,
} from '../support/sandbox-keeper.js';
import { endAll, isAlive, pause, service, until } from '../support/sandbox-machine.js';

const NOBODY = 65534;
const STARTS = '/var/tmp/started';
const PLACE = '/srv/pid';
const PID_FILE = `${PLACE}/daemon.pid`;

let keeper: Keeper | null = null;
let stranger: ChildProcess;

beforeEach(async () => {
  forgetEverything();
  await endAll(sshd.exe);
  rmSync(PLACE, { recursive: true, force: true });
  mkdirSync(PLACE, { recursive: true, mode: 0o755 });
  rmSync(STARTS, { force: true });
  stranger = spawn('sleep', ['infinity'], { stdio: 'ignore' });
});

afterEach(async () => {
  await keeper?.stop();
  keeper = null;
  stranger.kill('SIGKILL');
  await endAll(sshd.exe);
  forgetEverything();
});

describe('a pid file that names no process of the service', () => {
  // A kernel thread cannot be shown here: a PID namespace has none. The unit tests have that row.
  const LIES: readonly (readonly [what: string, text: () => string])[] = [
    ['nothing', () => ''],
    ['no number', () => 'abc\n'],
    ['0', () => '0\n'],
    ['1, the init', () => '1\n'],
    ['-1, everybody', () => '-1\n'],
    ["the keeper's own pid", () => `${keeper?.pid ?? 0}\n`],
    ['a stranger', () => `${stranger.pid ?? 0}\n`],
  ];

  it('is not believed, whatever it holds: the daemon is found by its executable, and stop reaches it alone', async () => {
    writeConfig(`
defaults: { ready: { alive: 200ms } }
services:
  ssh: { watch: { exe: /usr/sbin/sshd, pidFile: ${PID_FILE} }, start: service ssh restart }
`);
    service('ssh', 'start');
    let listener = await serving(sshd);
    keeper = await Keeper.start();
    await runningAs('ssh', listener);
    for (const [what, text] of LIES) {
      writeFileSync(PID_FILE, text());
      process.kill(listener, 'SIGKILL');
      listener = await serving(sshd, listener);
      await runningAs('ssh', listener);
      expect(isAlive(stranger.pid ?? 0), what).toBe(true);
      expect(isAlive(keeper.pid), what).toBe(true);
    }
    expect(upkeep('stop', 'ssh').code).toBe(0);
    await until('the listener has ended', () => sshd.main() === undefined);
    expect(isAlive(stranger.pid ?? 0)).toBe(true);
    expect(isAlive(keeper.pid)).toBe(true);
  });

  it.each(LIES.slice(0, 6))(
    'alone, holding %s, means down: it is started, and nothing is signalled',
    async (_what, text) => {
      // The daemon of this service is a sleep that writes its pid itself, as daemons do.
      writeFileSync(
        '/usr/local/sbin/own-daemon',
        `#!/bin/sh\necho start >>${STARTS}\nsetsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >${PID_FILE}\n`,
      );
      chmodSync('/usr/local/sbin/own-daemon', 0o755);
      writeFileSync(PID_FILE, '');
      writeConfig(`
defaults: { ready: { alive: 200ms } }
services:
  own: { watch: { pidFile: ${PID_FILE} }, start: /usr/local/sbin/own-daemon, leftovers: kill }
`);
      keeper = await Keeper.start();
      const pid = (await inState('own', 'running')).process?.pid ?? 0;
      expect(isAlive(pid)).toBe(true);
      writeFileSync(PID_FILE, text());
      process.kill(pid, 'SIGKILL');
      await until('another one runs', () => {
        const now = status('own');
        return now.state === 'running' && now.process !== null && now.process.pid !== pid && isAlive(now.process.pid);
      });
      expect(isAlive(keeper.pid)).toBe(true);
      expect(upkeep('stop', 'own').code).toBe(0);
      expect(isAlive(stranger.pid ?? 0)).toBe(true);
    },
  );
});

describe('a pid file that somebody else can write', () => {
  it.each([
    ['the file is another user’s', () => chownSync(PID_FILE, NOBODY, NOBODY)],
    ['everybody can write the file', () => chmodSync(PID_FILE, 0o666)],
    ['the directory is another user’s', () => chownSync(PLACE, NOBODY, NOBODY)],
    ['everybody can write the directory', () => chmodSync(PLACE, 0o777)],
  ])('is refused: %s, and the process that it names is left alone', async (_what, weaken) => {
    writeFileSync(PID_FILE, `${stranger.pid ?? 0}\n`, { mode: 0o644 });
    weaken();
    writeConfig(`
defaults: { ready: { alive: 200ms } }
services:
  own: { watch: { pidFile: ${PID_FILE} } }
`);
    keeper = await Keeper.start();
    await pause(500);
    const now = status('own');
    expect(now.state).not.toBe('running');
    expect(now.process).toBeNull();
    // It says which file, and what is wrong with it.
    expect(`${now.reason}\n${keeper.text}`).toContain(PLACE);
    upkeep('stop', 'own', '--timeout', '3s');
    upkeep('restart', 'own', '--timeout', '3s');
    expect(isAlive(stranger.pid ?? 0)).toBe(true);
  });
});
