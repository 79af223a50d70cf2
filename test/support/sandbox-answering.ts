// Debian's daemons in the sandbox as those who answer heartbeats: how each is run, how it is asked, and what of it has to stand
// still for it to hang. Knows nothing of Upkeep but the kinds.

import { chownSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { askDns } from '../../src/heartbeats/dns.js';
import { askHttp } from '../../src/heartbeats/http.js';
import type { Asking, Finding } from '../../src/heartbeats/kind.js';
import { askLdap } from '../../src/heartbeats/ldap.js';
import { askPostgres } from '../../src/heartbeats/postgres.js';
import { askRedis } from '../../src/heartbeats/redis.js';
import { askSmtp } from '../../src/heartbeats/smtp.js';
import { askSsh } from '../../src/heartbeats/ssh.js';
import { askSshAgent } from '../../src/heartbeats/ssh-agent.js';
import { httpQuestion, plainTls } from './builders.js';
import { endAll, processes, run, type Seen, until } from './sandbox-machine.js';

export interface Answering {
  readonly name: string;
  /** In the foreground, as keys of a service. */
  readonly service: string;
  /** What the programs of its processes begin with. */
  readonly exe: string;
  readonly heartbeat: string;
  readonly ask: (asking: Asking) => Promise<Finding>;
  readonly good: RegExp;
}

export const AGENT = '/run/answering/agent';
const CLUSTER = '/var/lib/answering-postgres';
const POSTGRES = existsSync('/usr/lib/postgresql')
  ? `/usr/lib/postgresql/${readdirSync('/usr/lib/postgresql').at(-1)}/bin`
  : '/usr/lib/postgresql';

const HERE = { host: 'localhost', addresses: 'any' } as const;

export const ANSWERING: readonly Answering[] = [
  {
    name: 'sshd',
    service: 'run: /usr/sbin/sshd -D -e',
    exe: '/usr/sbin/sshd',
    heartbeat: 'ssh: localhost',
    ask: (asking) => askSsh({ kind: 'ssh', ...HERE, port: 22 }, asking),
    good: /^OpenSSH_/,
  },
  {
    name: 'slapd',
    service: 'run: "/usr/sbin/slapd -d 0 -h \'ldap:/// ldapi:///\' -F /etc/ldap/slapd.d -u openldap -g openldap"',
    exe: '/usr/sbin/slapd',
    heartbeat: 'ldap: "ldapi:///"',
    ask: (asking) =>
      askLdap({ kind: 'ldap', url: 'ldap://localhost', bind: null, startTls: 'no', tls: plainTls }, asking),
    good: /^serves dc=/,
  },
  {
    name: 'named',
    service: 'run: /usr/sbin/named -f -u bind',
    exe: '/usr/sbin/named',
    heartbeat: 'dns: 127.0.0.1, query: localhost, expect: "^127[.]0[.]0[.]1$"',
    ask: (asking) =>
      askDns({ kind: 'dns', host: '127.0.0.1', port: 53, query: 'localhost', type: 'A', expect: '127.0.0.1' }, asking),
    good: /127\.0\.0\.1/,
  },
  {
    name: 'apache',
    service: 'run: /usr/sbin/apachectl -D FOREGROUND',
    exe: '/usr/sbin/apache2',
    heartbeat: 'http: "http://localhost/"',
    ask: (asking) => askHttp(httpQuestion('http://localhost/', { status: [[200, 200]], body: 'Apache2' }), asking),
    good: /^200/,
  },
  {
    name: 'postgres',
    service: `run: ${POSTGRES}/postgres -D ${CLUSTER} -k /run/answering-postgres, user: postgres, directories: /run/answering-postgres`,
    exe: `${POSTGRES}/postgres`,
    heartbeat: 'postgres: /run/answering-postgres',
    ask: (asking) => {
      const at = { type: 'tcp', host: 'localhost', port: 5432 } as const;
      return askPostgres({ kind: 'postgres', at, user: 'postgres', database: null }, asking);
    },
    good: /^asks for authentication$/,
  },
  {
    name: 'redis',
    service: 'run: /usr/bin/redis-server --save "" --dir /tmp, user: redis',
    // Its other names are links to it.
    exe: '/usr/bin/redis-',
    heartbeat: 'redis: localhost',
    ask: (asking) =>
      askRedis({ kind: 'redis', at: { type: 'tcp', host: 'localhost', port: 6379 }, password: null }, asking),
    good: /^PONG$/,
  },
  {
    name: 'postfix',
    service: 'run: /usr/sbin/postfix start-fg',
    exe: '/usr/lib/postfix/sbin/',
    heartbeat: 'smtp: localhost',
    ask: (asking) => askSmtp({ kind: 'smtp', ...HERE, port: 25 }, asking),
    good: /./,
  },
  {
    name: 'agent',
    service: `run: /usr/bin/ssh-agent -D -a ${AGENT}, user: www-data, directories: /run/answering, clean: ${AGENT}`,
    exe: '/usr/bin/ssh-agent',
    heartbeat: `sshAgent: ${AGENT}`,
    ask: (asking) => askSshAgent({ kind: 'sshAgent', path: AGENT, keys: 0, sign: 'no' }, asking),
    good: /^0 keys$/,
  },
];

/** What their packages leave to an init system, and a cluster that lets its own user in by its socket, and others by password. */
export function prepareAnswering(): void {
  const idOf = (user: string): number => Number(run('id', ['-u', user]).stdout);
  for (const [path, user] of [
    ['/run/sshd', 'root'],
    ['/run/slapd', 'openldap'],
    ['/run/named', 'bind'],
  ] as const) {
    mkdirSync(path, { recursive: true });
    chownSync(path, idOf(user), -1);
  }
  rmSync(CLUSTER, { recursive: true, force: true });
  mkdirSync(CLUSTER);
  chownSync(CLUSTER, idOf('postgres'), -1);
  const methods = ['--auth-local=trust', '--auth-host=scram-sha-256', '--pwfile=/etc/hostname'];
  const initdb = [`${POSTGRES}/initdb`, '--no-sync', ...methods, '-D', CLUSTER];
  const made = run('setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', ...initdb]);
  if (made.code !== 0) throw new Error(`initdb: ${made.stderr}`);
}

/** All processes of it: Apache's workers answer without their master, and so do Postfix's. */
export const processesOf = ({ exe }: Answering): readonly Seen[] =>
  processes().filter((seen) => seen.exe.startsWith(exe));

/** SIGSTOP to all of it, also to a worker that was just begun. */
export const standStill = (one: Answering): Promise<true> =>
  until(`${one.name} stands still`, () => {
    const moving = processesOf(one).filter(({ state }) => state !== 'T');
    for (const { pid } of moving) process.kill(pid, 'SIGSTOP');
    return moving.length === 0;
  });

export function goOn(one: Answering): void {
  for (const { pid } of processesOf(one)) process.kill(pid, 'SIGCONT');
}

export async function endAllAnswering(): Promise<void> {
  await endAll(...ANSWERING.flatMap(processesOf).map(({ exe }) => exe));
}
