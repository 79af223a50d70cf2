// The promise: on a plain Debian, a notice to root lies in root's mailbox and a line of it in the log of the host: with a real
// mail system and a real syslog daemon. Inside the sandbox only.

import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendDatagram } from '../../src/kernel/syslog.js';
import { mailSender } from '../../src/notices/mail-channel.js';
import { syslogSender } from '../../src/notices/syslog-channel.js';
import { letter } from '../support/letters.js';
import { readMail } from '../support/mail-reader.js';
import { startSyslog, syslog } from '../support/sandbox-daemons.js';
import { service } from '../support/sandbox-machine.js';

const MAILBOX = '/var/mail/root';

const sending = () => ({ signal: AbortSignal.timeout(60_000), talk: () => undefined });

describe('a notice on a host as Debian makes it', () => {
  beforeAll(async () => {
    await startSyslog();
    expect(service('postfix', 'start')).toBe(0);
  });
  afterAll(() => {
    service('postfix', 'stop');
  });

  it('to root lies in the mailbox of root, from the keeper’s user', async () => {
    const channel = { type: 'mail', to: ['root'], from: null, via: { type: 'sendmail' } } as const;
    const send = mailSender(channel, { env: process.env, uid: 0, user: 'root' });
    expect(await send(letter(), sending())).toEqual({ type: 'delivered', answer: '/usr/sbin/sendmail took it' });
    await expect
      .poll(() => existsSync(MAILBOX) && readFileSync(MAILBOX, 'utf8'), { timeout: 60_000 })
      .toContain('Incident:');
    const { header, text } = readMail(Buffer.from(readFileSync(MAILBOX, 'utf8').replace(/^From .*\n/, '')));
    expect(header('Subject')).toBe('[DOWN] worker@web3: exit 1 after 4 s, 5th in 10 min, retrying in 30 s');
    expect(header('From')).toMatch(/^Upkeep on web3 <root@/);
    expect(header('Message-ID')).toBe('<admin-k1-17@web3>');
    expect(text).toContain('Incident: w-3fq9');
  });

  it('to syslog is a line of the log', async () => {
    const channel = { type: 'syslog', facility: 'daemon', server: null } as const;
    const send = syslogSender(channel, { sendDatagram });
    expect(await send(letter(), sending())).toEqual({ type: 'delivered', answer: '/dev/log took it' });
    await expect
      .poll(syslog, { timeout: 60_000 })
      .toMatch(/ upkeep\[\d+\]: \[DOWN\] worker: exit 1 after 4 s, .* \(incident w-3fq9\)\n/);
  });
});
