// Seed 001 the way its author ran it: nothing stays resident but cron, and a look each minute repairs and
// reports. Limits and delays are remembered from one look to the next.

import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killMain, named, serving, slapd, sshd, startSyslog, syslog } from '../support/sandbox-daemons.js';
import { forgetEverything, UPKEEP, upkeep, writeConfig } from '../support/sandbox-keeper.js';
import { endAll, processes, service, until } from '../support/sandbox-machine.js';

// Debian's cron reads /etc/cron.d each minute. Its jobs have PATH=/usr/bin:/bin, where `service` is not.
const CRON = '/usr/sbin/cron';
const JOB = '/etc/cron.d/upkeep';
const OUTPUT = '/var/log/upkeep-once.log';
const ATTEMPTS = '/var/tmp/attempts';

const CONFIG = `
classes: { web: ["web*"], dns: ["ns*"] }
services:
  ssh:  { watch: /usr/sbin/sshd,  start: service ssh restart,                    description: OpenSSH }
  ldap: { watch: /usr/sbin/slapd, start: service slapd restart, hosts: web|dns,  description: OpenLDAP }
  bind: { watch: /usr/sbin/named, start: service named restart, hosts: dns,      description: BIND }
`;

beforeAll(async () => {
  forgetEverything();
  await endAll(sshd.exe, slapd.exe, named.exe, CRON);
  await startSyslog();
});

afterAll(async () => {
  rmSync(JOB, { force: true });
  await endAll(CRON, sshd.exe, slapd.exe);
});

describe('seed 001 without a keeper', () => {
  it('repairs, reports and ends: exit 0 when all is up afterwards', async () => {
    writeConfig(CONFIG);
    const first = upkeep('once');
    const ssh = await serving(sshd);
    const ldap = await serving(slapd);
    expect(first.code).toBe(0);
    expect(first.stdout + first.stderr).toContain('OpenSSH is not running, starting');
    expect(first.stdout + first.stderr).toContain('OpenLDAP is not running, starting');

    // Silence when nothing is wrong, as cron mails every word.
    const second = upkeep('once');
    expect(second).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect([await serving(sshd), await serving(slapd)]).toEqual([ssh, ldap]);
    // Not of this host's classes.
    expect(named.main()).toBeUndefined();
  });

  it('brings sshd back from the next look of a real cron', async () => {
    writeFileSync(JOB, `* * * * * root ${process.execPath} ${UPKEEP} once >>${OUTPUT} 2>&1\n`, { mode: 0o644 });
    expect(service('cron', 'start')).toBe(0);
    const ldap = await serving(slapd);
    const old = killMain(sshd);
    // A minute is the grain of cron.
    const pid = await serving(sshd, old, 100);
    expect(pid).not.toBe(old);
    await until(
      'the report for cron to mail',
      () => existsSync(OUTPUT) && readFileSync(OUTPUT, 'utf8').includes('OpenSSH is not running, restarting'),
    );
    await until('the report in the syslog', () => syslog().includes('OpenSSH is not running, restarting'));
    expect(await serving(slapd)).toBe(ldap);
    await endAll(CRON);
    rmSync(JOB);
    // cron's last look may be under way still.
    await until('the end of the last look', () => !processes().some((seen) => seen.argv.includes('once')));
  }, 150_000);

  it('remembers limits and delays between its runs, and what it gave up stays given up', async () => {
    await endAll(slapd.exe);
    forgetEverything();
    rmSync(ATTEMPTS, { force: true });
    writeFileSync('/usr/local/sbin/never-starts', `#!/bin/sh\necho try >>${ATTEMPTS}\nexit 1\n`);
    chmodSync('/usr/local/sbin/never-starts', 0o755);
    writeConfig(`
services:
  ldap:
    watch: /usr/sbin/slapd
    start: /usr/local/sbin/never-starts
    description: OpenLDAP
    restart: { delay: 0s, backoff: { max: 0s }, limit: 3 in 10m, then: give-up }
`);
    const attempts = (): number =>
      existsSync(ATTEMPTS) ? readFileSync(ATTEMPTS, 'utf8').trim().split('\n').length : 0;
    const codes: (number | null)[] = [];
    for (let look = 0; look < 6; look += 1) codes.push(upkeep('once').code);
    // Whichever look makes which attempt: no more of them than the limit allows, and 3 from each look.
    expect(new Set(codes)).toEqual(new Set([3]));
    const made = attempts();
    expect(made).toBeGreaterThanOrEqual(3);
    expect(made).toBeLessThanOrEqual(4);
    const last = upkeep('once');
    expect(last.code).toBe(3);
    expect(attempts()).toBe(made);
  });
});
