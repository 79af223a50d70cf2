// The reports that the author of seed 001 wanted: that a daemon had to be restarted, and that it cannot be. By a real mail system
// into the mailbox of root, and into the log of the host. Inside the sandbox only.

import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Mail } from '../support/mail-reader.js';
import { apache, killMain, serving, sshd, startSyslog, syslog } from '../support/sandbox-daemons.js';
import { forgetEverything, Keeper, runningAs, upkeep, writeConfig } from '../support/sandbox-keeper.js';
import { endAll, service, until } from '../support/sandbox-machine.js';
import { MAILBOX, mailbox } from '../support/sandbox-mailbox.js';

const SSHD_CONFIG = '/etc/ssh/sshd_config';
/** Postfix, on a machine that others load. */
const MAIL_SECONDS = 90;

// The seed's own words; only the times are shorter, so that the test need not wait for five minutes.
const CONFIG = `
notices: { mail: root, digest: 4s }
defaults: { restart: { healthyAfter: 2s } }
services:
  ssh:    { watch: /usr/sbin/sshd,    start: service ssh restart,     description: OpenSSH }
  apache: { watch: /usr/sbin/apache2, start: service apache2 restart, description: Apache, leftovers: kill }
`;

const subjectOf = (mail: Mail): string => mail.header('Subject') ?? '';

/** The mail with such a subject, once it lies there. */
const mailWith = (subject: RegExp): Promise<Mail> =>
  until(`a mail with ${subject} to root`, () => mailbox().find((mail) => subject.test(subjectOf(mail))), MAIL_SECONDS);

let keeper: Keeper;

beforeAll(async () => {
  forgetEverything();
  rmSync(MAILBOX, { force: true });
  await endAll(sshd.exe, apache.exe);
  await startSyslog();
  expect(service('postfix', 'start')).toBe(0);
  writeConfig(CONFIG);
  keeper = await Keeper.start();
  await runningAs('ssh', await serving(sshd));
  await runningAs('apache', await serving(apache));
});

afterAll(async () => {
  await keeper.stop();
  await endAll(sshd.exe, apache.exe);
  service('postfix', 'stop');
});

describe('the reports of seed 001', () => {
  it('that daemons had to be restarted: in the log at once, and in one mail', async () => {
    const before = { ssh: killMain(sshd), apache: killMain(apache) };
    await runningAs('ssh', await serving(sshd, before.ssh));
    await runningAs('apache', await serving(apache, before.apache));
    await until('both in the log', () => {
      const log = syslog();
      return log.includes('OpenSSH is not running, restarting') && log.includes('Apache is not running, restarting');
    });
    const mail = await mailWith(/^\[RESTARTED\] 2 services@web1: (ssh, apache|apache, ssh)$/);
    expect(mail.text).toMatch(/^\[RESTARTED\] ssh: SIGKILL .*back after/m);
    expect(mail.text).toMatch(/^\[RESTARTED\] apache: SIGKILL .*back after/m);
    expect(mail.header('From')).toMatch(/^Upkeep on web1 <root@/);
    expect(mail.header('Auto-Submitted')).toBe('auto-generated');
  });

  it('that one failed to start: in the log and in a mail at once, and when it is up again, in the same thread', async () => {
    const good = readFileSync(SSHD_CONFIG);
    appendFileSync(SSHD_CONFIG, '\nThisIsNoOption yes\n');
    let old = 0;
    let down: Mail;
    try {
      old = killMain(sshd);
      await until('the report in the log', () => syslog().includes('OpenSSH failed to start'));
      down = await mailWith(/^\[(DOWN|FAILED)\] ssh@web1: failed to start: /);
    } finally {
      writeFileSync(SSHD_CONFIG, good);
    }
    expect(down.text).toContain('OpenSSH is down');
    // What its own init script said of it.
    expect(down.text).toContain('ThisIsNoOption');
    const incident = down.header('X-Upkeep-Incident') ?? '';
    expect(incident).not.toBe('');
    expect(upkeep('why', 'ssh').stdout).toContain(incident);

    expect(upkeep('reset', 'ssh').code).toBe(0);
    await runningAs('ssh', await serving(sshd, old));
    const up = await mailWith(/^\[UP\] ssh@web1: up again after /);
    expect(up.header('References')).toBe(down.header('References'));
    expect(up.text).toMatch(/^Outage: +\d/m);
    expect(new Set(mailbox().map((mail) => mail.header('Message-ID'))).size).toBe(mailbox().length);
  });
});
