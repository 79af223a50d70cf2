// What daemons do to a watcher: a listener that dies under its sessions, workers that outlive their master,
// and a package upgrade that stops, replaces and starts the program by itself.

import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { apache, killMain, serving, slapd, sshd } from '../support/sandbox-daemons.js';
import {
  forgetEverything,
  inState,
  Keeper,
  runningAs,
  status,
  upkeep,
  writeConfig,
} from '../support/sandbox-keeper.js';
import { endAll, isAlive, ofProgram, pause, processes, run, service, until } from '../support/sandbox-machine.js';

// Longer than `settle` (5 s), so that a start that should not happen would have happened.
const LONGER_THAN_SETTLE = 7000;

const STARTS = '/var/tmp/starts';

let keeper: Keeper | null = null;

/** A start command that counts itself in `STARTS` before it does its work. */
function counted(name: string): string {
  const file = `/usr/local/sbin/start-${name}`;
  writeFileSync(file, `#!/bin/sh\necho ${name} >>${STARTS}\nexec service ${name} restart\n`);
  chmodSync(file, 0o755);
  return file;
}

const starts = (): readonly string[] => (existsSync(STARTS) ? readFileSync(STARTS, 'utf8').trim().split('\n') : []);

beforeAll(async () => {
  await endAll(sshd.exe, apache.exe, slapd.exe);
});

afterEach(async () => {
  await keeper?.stop();
  keeper = null;
  await endAll(sshd.exe, apache.exe, slapd.exe);
  forgetEverything();
  rmSync(STARTS, { force: true });
});

afterAll(() => {
  rmSync('/root/.ssh', { recursive: true, force: true });
});

describe('a listener killed with a session open', () => {
  it('comes back, and the session does not notice', async () => {
    mkdirSync('/root/.ssh', { recursive: true, mode: 0o700 });
    run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', '/root/.ssh/id_ed25519']);
    writeFileSync('/root/.ssh/authorized_keys', readFileSync('/root/.ssh/id_ed25519.pub'), { mode: 0o600 });
    writeConfig('services: { ssh: { watch: /usr/sbin/sshd, start: service ssh restart } }\n');
    service('ssh', 'start');
    const first = await serving(sshd);
    keeper = await Keeper.start();
    await runningAs('ssh', first);

    const options = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'BatchMode=yes'];
    const session = spawn('ssh', [...options, 'root@127.0.0.1', 'echo open; cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    try {
      let heard = '';
      session.stdout.on('data', (chunk: Buffer) => {
        heard += chunk.toString();
      });
      await until('the session is open', () => heard.includes('open'));
      const server = await until('the session process', () =>
        processes().find((seen) => seen.argv[0] === 'sshd: root@notty'),
      );

      // Twice: the second time an orphaned session of the first listener is there beside the new listener.
      let old = first;
      for (const word of ['one', 'two']) {
        killMain(sshd);
        const pid = await serving(sshd, old);
        // The session matches the same executable with the same uid. It is neither followed nor ambiguous.
        const now = await runningAs('ssh', pid);
        expect(now.lastDeath).toMatchObject({ pid: old, signal: 'SIGKILL' });
        session.stdin.write(`${word}\n`);
        await until('the session answers', () => heard.includes(word));
        expect(isAlive(server.pid)).toBe(true);
        old = pid;
      }

      // A keeper that comes new to all this finds the listener, too: argv says which one listens.
      await keeper.stop();
      forgetRuntime();
      keeper = await Keeper.start();
      await runningAs('ssh', old);

      // And with no listener at all, the session alone is not the service.
      await keeper.stop();
      killMain(sshd);
      await until('the listener is gone', () => sshd.main() === undefined);
      forgetRuntime();
      keeper = await Keeper.start();
      await runningAs('ssh', await serving(sshd, old));
      expect(isAlive(server.pid)).toBe(true);
    } finally {
      session.stdin.end();
      session.kill();
    }
  });
});

/** The next keeper knows nothing of processes; a boot does the same to /run. */
function forgetRuntime(): void {
  for (const entry of readdirSync('/run/upkeep')) rmSync(`/run/upkeep/${entry}`, { recursive: true, force: true });
}

describe('an apache whose orphaned workers keep the port', () => {
  it('is back and serves, with `leftovers: kill`', async () => {
    writeConfig(
      'services: { apache: { watch: /usr/sbin/apache2, start: service apache2 restart, leftovers: kill } }\n',
    );
    keeper = await Keeper.start();
    for (let round = 0, old = 0; round < 3; round += 1) {
      const pid = await serving(apache, old);
      await runningAs('apache', pid);
      const workers = ofProgram(apache.exe).filter((seen) => seen.ppid === pid);
      expect(workers.length).toBeGreaterThan(0);
      killMain(apache);
      await runningAs('apache', await serving(apache, pid));
      for (const worker of workers) expect(isAlive(worker.pid)).toBe(false);
      old = pid;
    }
  });

  it('says what is in the way with the default `leave`, kills nothing, and is no running service', async () => {
    writeConfig(`
services:
  apache: { watch: /usr/sbin/apache2, start: apache2ctl start, restart: { delay: 0s, backoff: { max: 0s }, limit: 2 in 5m } }
`);
    keeper = await Keeper.start();
    await runningAs('apache', await serving(apache));
    const workers = ofProgram(apache.exe).filter((seen) => seen.uid !== 0);
    killMain(apache);
    // "Address already in use", exit 1. (Its init script exits 0 all the same, so that only time tells, and its "restart"
    // would first wait for the orphans.)
    await inState('apache', 'failed');
    expect(workers.map((worker) => isAlive(worker.pid))).toEqual(workers.map(() => true));
    expect(upkeep('status').code).toBe(3);
    // A person ends what is left over; then a try succeeds.
    for (const worker of workers) process.kill(worker.pid, 'SIGKILL');
    expect(upkeep('reset', 'apache').code).toBe(0);
    await runningAs('apache', await serving(apache));
  });
});

describe('somebody else restarts the daemon', () => {
  it('meets no second start after `service ssh restart` and no notice of failure', async () => {
    writeConfig(`services: { ssh: { watch: /usr/sbin/sshd, start: ${counted('ssh')} } }\n`);
    service('ssh', 'start');
    const first = await serving(sshd);
    keeper = await Keeper.start();
    await runningAs('ssh', first);
    expect(service('ssh', 'restart')).toBe(0);
    const second = await serving(sshd, first);
    await runningAs('ssh', second);
    await pause(LONGER_THAN_SETTLE);
    expect(starts()).toEqual([]);
    expect(await serving(sshd)).toBe(second);
    expect(keeper.text).not.toMatch(/failed/i);
  });

  it('meets no second start while a package is upgraded, also when the daemon is away for two seconds', async () => {
    writeConfig(`
services:
  ssh:  { watch: /usr/sbin/sshd,  start: ${counted('ssh')} }
  ldap: { watch: /usr/sbin/slapd, start: ${counted('slapd')} }
`);
    service('ssh', 'start');
    service('slapd', 'start');
    const [ssh, ldap] = [await serving(sshd), await serving(slapd)];
    keeper = await Keeper.start();
    await runningAs('ssh', ssh);
    await runningAs('ldap', ldap);

    // The real thing: dpkg replaces /usr/sbin/sshd under the running daemon and its postinst restarts it.
    const packages = readdirSync('/var/cache/sandbox').filter((file) => file.startsWith('openssh-server_'));
    expect(packages).toHaveLength(1);
    const upgrade = run('sh', ['-c', 'dpkg -i "$0" >/var/tmp/dpkg.log 2>&1', `/var/cache/sandbox/${packages[0]}`]);
    expect(upgrade.code).toBe(0);
    const newSsh = await serving(sshd, ssh);
    await runningAs('ssh', newSsh);

    // And the old fashion: stopped before, started after, nothing in between.
    service('slapd', 'stop');
    await pause(2000);
    service('slapd', 'start');
    await runningAs('ldap', await serving(slapd, ldap));

    await pause(LONGER_THAN_SETTLE);
    expect(starts()).toEqual([]);
    expect(await serving(sshd)).toBe(newSsh);
    expect(keeper.text).not.toMatch(/failed/i);
  });

  it('is started by us when nobody else does: `service ssh stop` is given its five seconds', async () => {
    writeConfig(`services: { ssh: { watch: /usr/sbin/sshd, start: ${counted('ssh')} } }\n`);
    service('ssh', 'start');
    const first = await serving(sshd);
    keeper = await Keeper.start();
    await runningAs('ssh', first);
    service('ssh', 'stop');
    await inState('ssh', 'waiting');
    await runningAs('ssh', await serving(sshd, first));
    expect(starts()).toEqual(['ssh']);
    expect(status('ssh').lastDeath?.cause).toMatch(/exit|signal/);
  });
});
