// The wish of seed 001 on Debian's own daemons: a few lines per daemon say what to look for and how to
// bring it back; whatever dies is back at once, and it is reported.

import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  apache,
  type Daemon,
  killMain,
  named,
  serving,
  slapd,
  sshd,
  startSyslog,
  syslog,
} from '../support/sandbox-daemons.js';
import {
  forgetEverything,
  inState,
  Keeper,
  runningAs,
  UPKEEP,
  upkeep,
  writeConfig,
} from '../support/sandbox-keeper.js';
import { endAll, ofProgram, run, until } from '../support/sandbox-machine.js';

// The five lines of the manual with the seed's descriptions. Apache alone needs one word more: its
// workers outlive a killed master and keep port 80, so that no start can succeed before they are gone.
const CONFIG = `
notices: { mail: root }
classes: { web: ["web*"], dns: ["ns*"] }
services:
  ssh:    { watch: /usr/sbin/sshd,    start: service ssh restart,                        description: OpenSSH }
  ldap:   { watch: /usr/sbin/slapd,   start: service slapd restart,   hosts: web|dns,    description: OpenLDAP }
  bind:   { watch: /usr/sbin/named,   start: service named restart,   hosts: web|dns,    description: BIND }
  apache: { watch: /usr/sbin/apache2, start: service apache2 restart, hosts: web,        description: Apache, leftovers: kill }
`;

const DAEMONS: readonly (readonly [name: string, description: string, daemon: Daemon])[] = [
  ['ssh', 'OpenSSH', sshd],
  ['ldap', 'OpenLDAP', slapd],
  ['bind', 'BIND', named],
  ['apache', 'Apache', apache],
];
const PROGRAMS = DAEMONS.map(([, , daemon]) => daemon.exe);

let keeper: Keeper;

beforeAll(async () => {
  forgetEverything();
  await endAll(...PROGRAMS);
  await startSyslog();
  writeConfig(CONFIG);
  keeper = await Keeper.start();
});

afterAll(async () => {
  await keeper.stop();
  await endAll(...PROGRAMS);
});

describe('seed 001 with a keeper', () => {
  it('finds all of them down, and starts each by its own init script', async () => {
    for (const [name, , daemon] of DAEMONS) {
      const pid = await serving(daemon);
      await runningAs(name, pid);
    }
    expect(upkeep('status').code).toBe(0);
  });

  it.each(DAEMONS)('brings %s back after kill -9, and reports it', async (name, description, daemon) => {
    const said = keeper.text.length;
    const old = killMain(daemon);
    const pid = await serving(daemon, old);
    const now = await runningAs(name, pid);
    expect(now.lastDeath).toMatchObject({ pid: old, cause: 'signal', signal: 'SIGKILL' });
    expect(now.restarts.total).toBeGreaterThanOrEqual(1);
    // The seed's own report, in the keeper's output and in the host's log.
    await until('the report on stderr', () =>
      keeper.text.slice(said).includes(`${description} is not running, restarting`),
    );
    await until('the report in the syslog', () => syslog().includes(`${description} is not running, restarting`));
    expect(upkeep('status').code).toBe(0);
  });

  it('brings all four back when they die in the same instant', async () => {
    const old = DAEMONS.map(([, , daemon]) => killMain(daemon));
    for (const [index, [name, , daemon]] of DAEMONS.entries()) {
      await runningAs(name, await serving(daemon, old[index]));
    }
    expect(upkeep('status').code).toBe(0);
  });

  it('reports a daemon that fails to start, with exit code 3, and has it back once it can start', async () => {
    const file = '/etc/ldap/slapd.d/cn=config.ldif';
    const good = readFileSync(file);
    appendFileSync(file, 'this is no configuration\n');
    try {
      killMain(slapd);
      await until('the report on stderr', () => /OpenLDAP failed to start/.test(keeper.text));
      await until('the report in the syslog', () => /OpenLDAP failed to start/.test(syslog()));
      await until('exit code 3', () => upkeep('status', 'ldap').code === 3);
      // The others are not touched by it.
      expect(upkeep('status', 'ssh').code).toBe(0);
    } finally {
      writeFileSync(file, good);
    }
    expect(upkeep('reset', 'ldap').code).toBe(0);
    await runningAs('ldap', await serving(slapd));
  });

  it('stays down at the word of an operator, and an init script is not fought', async () => {
    expect(upkeep('stop', 'bind').code).toBe(0);
    await inState('bind', 'stopped');
    expect(ofProgram(named.exe)).toEqual([]);
    // It is not wanted up, so all that is wanted up is up.
    expect(upkeep('status').code).toBe(0);
    expect(upkeep('start', 'bind').code).toBe(0);
    await runningAs('bind', await serving(named));
  });
});

describe('seed 001 on another host', () => {
  // One keeper for a directory: this one has directories, and a host name, of its own.
  const elsewhere = (name: string): NodeJS.ProcessEnv => ({
    UPKEEP_RUNTIME_DIR: `/run/${name}`,
    UPKEEP_STATE_DIR: `/var/lib/${name}`,
    UPKEEP_LOG_DIR: `/var/log/${name}`,
  });

  it('runs there only the services of the classes that the host is in', async () => {
    const env = elsewhere('ns1');
    await keeper.stop();
    await endAll(...PROGRAMS);
    const there = await Keeper.start({
      before: ['unshare', '--uts', 'sh', '-c', 'hostname ns1 && exec "$@"', 'sh'],
      env,
    });
    try {
      for (const daemon of [sshd, slapd, named]) await serving(daemon);
      const ran = run(process.execPath, [UPKEEP, 'status', '--json'], { env: { ...process.env, ...env } });
      const seen = JSON.parse(ran.stdout) as { host: string; services: { name: string }[] };
      expect(seen.host).toBe('ns1');
      expect(seen.services.map((one) => one.name).sort()).toEqual(['bind', 'ldap', 'ssh']);
      expect(ofProgram(apache.exe)).toEqual([]);
    } finally {
      await there.stop();
      keeper = await Keeper.start();
    }
    await serving(apache);
  });

  it('can be checked for another host without going there', () => {
    const front = upkeep('check', '--as', 'web7');
    expect(front.code).toBe(0);
    expect(front.stdout).toContain('4 services on web7');
    const dns = upkeep('check', '--as', 'ns1');
    expect(dns.code).toBe(0);
    expect(dns.stdout).toContain('3 services on ns1, and 1 for other hosts (apache)');
    const mail = upkeep('check', '--as', 'mail1');
    expect(mail.stdout).toContain('1 service on mail1');
  });
});
