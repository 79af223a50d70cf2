// The promise: on a plain Debian, a notice to root lies in root's mailbox and a line of it in the log of the host: with a real
// mail system and a real syslog daemon. Inside the sandbox only.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendDatagram } from '../../src/kernel/syslog.js';
import { mailSender } from '../../src/notices/mail-channel.js';
import { syslogSender } from '../../src/notices/syslog-channel.js';
import { asHeartbeatsDo } from '../support/connect.js';
import { letter } from '../support/letters.js';
import { type Mail, readMail } from '../support/mail-reader.js';
import { startSyslog, syslog } from '../support/sandbox-daemons.js';
import { service } from '../support/sandbox-machine.js';
import { mailbox } from '../support/sandbox-mailbox.js';

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
    const send = mailSender(channel, { env: process.env, uid: 0, user: 'root', connect: asHeartbeatsDo });
    expect(await send(letter(), sending())).toEqual({ type: 'delivered', answer: '/usr/sbin/sendmail took it' });
    const ours = (): Mail | undefined => mailbox().find(({ header }) => header('Message-ID') === '<admin-k1-17@web3>');
    await expect.poll(ours, { timeout: 60_000 }).toBeDefined();
    const { header, text } = ours() ?? readMail(Buffer.from(''));
    expect(header('Subject')).toBe('[DOWN] worker@web3: exit 1 after 4 s, 5th in 10 min, retrying in 30 s');
    expect(header('From')).toMatch(/^Upkeep on web3 <root@/);
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
