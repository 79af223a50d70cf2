// Debian's daemons in the sandbox: how the main process of each looks, and whether it does its work. What
// was found out about them stands here once; nothing here knows Upkeep.

import { spawnSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { ofProgram, run, type Seen, until } from './sandbox-machine.js';

/** A daemon of Debian: how its main process looks, and whether it does its work. */
export interface Daemon {
  readonly exe: string;
  readonly initScript: string;
  readonly pidFile: string;
  readonly main: () => Seen | undefined;
  readonly answers: () => Promise<boolean>;
}

const pidFrom = (file: string): number => Number(existsSync(file) ? readFileSync(file, 'utf8').trim() : '0');
const byPidFile = (exe: string, file: string) => () => ofProgram(exe).find((seen) => seen.pid === pidFrom(file));

// Seen on Debian 12 with sysvinit scripts, all children of PID 1, each leader of a session of its own:
//   ssh      /usr/sbin/sshd     uid 0    argv is rewritten to one word, "sshd: /usr/sbin/sshd [listener] 0 of 10-100 startups",
//            and again with each login (the count moves); a session is a child with a session id of its own,
//            "sshd: root@notty", the same executable and uid; it outlives the listener. /run/sshd.pid, root's
//   slapd    /usr/sbin/slapd    openldap /run/slapd/slapd.pid, openldap's, in openldap's directory
//   named    /usr/sbin/named    bind     /run/named/named.pid, bind's
//   apache2  /usr/sbin/apache2  uid 0    /run/apache2/apache2.pid, root's; two workers "/usr/sbin/apache2 -k start"
//            with the same command line as www-data, in the master's session. After kill -9 of the master they live
//            on under PID 1, keep port 80, and `service apache2 restart` exits 1 as long as they do
export const sshd: Daemon = {
  exe: '/usr/sbin/sshd',
  initScript: 'ssh',
  pidFile: '/run/sshd.pid',
  main: () => ofProgram('/usr/sbin/sshd').find((seen) => seen.argv[0]?.includes('[listener]')),
  answers: async () => (await firstLine(22)).startsWith('SSH-2.0-OpenSSH'),
};
export const slapd: Daemon = {
  exe: '/usr/sbin/slapd',
  initScript: 'slapd',
  pidFile: '/run/slapd/slapd.pid',
  main: byPidFile('/usr/sbin/slapd', '/run/slapd/slapd.pid'),
  answers: async () => {
    const root = run('ldapsearch', ['-x', '-LLL', '-H', 'ldap://127.0.0.1', '-s', 'base', '-b', '', 'namingContexts']);
    return root.code === 0 && root.stdout.includes('namingContexts:');
  },
};
export const named: Daemon = {
  exe: '/usr/sbin/named',
  initScript: 'named',
  pidFile: '/run/named/named.pid',
  main: byPidFile('/usr/sbin/named', '/run/named/named.pid'),
  answers: async () => {
    const resolver = new Resolver({ timeout: 1000, tries: 1 });
    resolver.setServers(['127.0.0.1']);
    return (await resolver.resolve4('localhost')).includes('127.0.0.1');
  },
};
export const apache: Daemon = {
  exe: '/usr/sbin/apache2',
  initScript: 'apache2',
  pidFile: '/run/apache2/apache2.pid',
  // Not by uid alone: its init script runs `apache2 -t` before it.
  main: byPidFile('/usr/sbin/apache2', '/run/apache2/apache2.pid'),
  answers: async () => {
    const response = await fetch('http://127.0.0.1/', {
      signal: AbortSignal.timeout(2000),
      headers: { connection: 'close' },
    });
    await response.arrayBuffer();
    return response.status === 200;
  },
};

/** The pid of the daemon's main process once it is another than `old` and does its work. */
export function serving(daemon: Daemon, old = 0, seconds = 30): Promise<number> {
  return until(
    `${daemon.exe} serves as another process than ${old}`,
    async () => {
      const main = daemon.main();
      if (main === undefined || main.pid === old || !(await daemon.answers())) return undefined;
      return main.pid;
    },
    seconds,
  );
}

/** Kills the daemon's main process with SIGKILL and gives back which one that was. */
export function killMain(daemon: Daemon): number {
  const main = daemon.main();
  if (main === undefined) throw new Error(`${daemon.exe} does not run`);
  process.kill(main.pid, 'SIGKILL');
  return main.pid;
}

function firstLine(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 2000 });
    socket.once('data', (data) => {
      resolve(data.toString('latin1'));
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('timeout', () => {
      socket.destroy(new Error(`port ${port} says nothing`));
    });
  });
}

/** Starts rsyslogd (Debian 12 has no init script for it), once for the whole sandbox. */
export async function startSyslog(): Promise<void> {
  if (ofProgram('/usr/sbin/rsyslogd').length === 0) spawnSync('rsyslogd', { stdio: 'ignore' });
  await until('/dev/log', () => existsSync('/dev/log'));
}

export function syslog(): string {
  return existsSync('/var/log/syslog') ? readFileSync('/var/log/syslog', 'utf8') : '';
}
