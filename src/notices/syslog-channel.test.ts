import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { letter, notice } from '../../test/support/letters.js';
import { type SyslogReceiver, startLocalSyslog, startSyslogServer } from '../../test/support/syslog-receiver.js';
import { sendDatagram } from '../kernel/syslog.js';
import type { Delivery } from './channel.js';
import { syslogSender } from './syslog-channel.js';

process.env.TZ = 'UTC';

let directory: string;
let path: string;
const receivers: SyslogReceiver[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-syslog-'));
  path = join(directory, 'log');
});
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close();
  rmSync(directory, { recursive: true, force: true });
});

async function opened(receiver: Promise<SyslogReceiver>): Promise<SyslogReceiver> {
  const one = await receiver;
  receivers.push(one);
  return one;
}

function send(server: string | null, one = letter(), signal = AbortSignal.timeout(30_000)): Promise<Delivery> {
  const channel = { type: 'syslog', facility: 'local3', server } as const;
  return syslogSender(channel, { sendDatagram, path })(one, { signal, talk: () => undefined });
}

const two = letter(
  notice(),
  notice({ id: 'k1-18', label: 'UP', kind: 'recovered', headline: 'up again', incident: 'a"b]\\' }),
);
const evil = letter(notice({ service: 'x\n<0>kernel: panic', headline: `ü\u0000\u001b[2J\r\n${'ü'.repeat(5000)}` }));

describe('syslog of this host', () => {
  it.each(['dgram', 'stream'] as const)('gets a line for each notice (%s)', async (type) => {
    const { until } = await opened(startLocalSyslog(path, type));
    expect(await send(null, two)).toEqual({ type: 'delivered', answer: `${path} took it` });
    const end = type === 'stream' ? '\\x00' : '';
    expect(await until(2)).toEqual([
      `<155>Nov 20 10:00:00 upkeep[${process.pid}]: [DOWN] worker: exit 1 after 4 s, 5th in 10 min, retrying in 30 s (incident w-3fq9)${end}`,
      `<157>Nov 20 10:00:00 upkeep[${process.pid}]: [UP] worker: up again (incident a"b]\\x5c)${end}`,
    ]);
  });

  it('gets one line, whatever a program is called', async () => {
    const { until } = await opened(startLocalSyslog(path));
    await send(null, evil);
    const [message = ''] = await until(1);
    expect(message).toMatch(
      /^<155>Nov 20 10:00:00 upkeep\[\d+\]: \[DOWN\] x <0>kernel: panic: ü ü+… \(incident w-3fq9\)$/,
    );
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(2048);
  });

  it('that is away for a moment gets it when it is there', async () => {
    const sending = send(null);
    const { until } = await opened(startLocalSyslog(path));
    expect(await sending).toMatchObject({ type: 'delivered' });
    expect(await until(1)).toHaveLength(1);
  });

  it('that is not there is refused with a word about it; one that was killed is tried again', async () => {
    expect(await send(null)).toEqual({ type: 'refused', reason: `there is no syslog here: nothing is at ${path}` });
    const receiver = await startLocalSyslog(path);
    await receiver.close();
    expect(await send(null)).toEqual({ type: 'later', reason: `${path} does not take it (ECONNREFUSED)` });
  });

  it('is given up at the deadline', async () => {
    const over = AbortSignal.abort(new Error('over'));
    expect(await send(null, letter(), over)).toMatchObject({ type: 'refused' });
  });
});

describe('syslog of another host', () => {
  it('gets RFC 5424 with incident and service as data', async () => {
    const { place, until } = await opened(startSyslogServer());
    expect(await send(place, two)).toEqual({
      type: 'delivered',
      answer: `sent to ${place} by UDP, which tells nothing of its arrival`,
    });
    expect(await until(2)).toEqual([
      `<155>1 2026-11-20T10:00:00.000Z web3 upkeep ${process.pid} failed [upkeep@32473 kind="failed" service="worker" incident="w-3fq9" id="k1-17"] [DOWN] worker: exit 1 after 4 s, 5th in 10 min, retrying in 30 s (incident w-3fq9)`,
      `<157>1 2026-11-20T10:00:00.000Z web3 upkeep ${process.pid} recovered [upkeep@32473 kind="recovered" service="worker" incident="a\\"b\\]\\\\" id="k1-18"] [UP] worker: up again (incident a"b]\\)`,
    ]);
  });

  it('gets whole characters in one line of a length that every receiver takes', async () => {
    const { place, until } = await opened(startSyslogServer());
    await send(place, { ...evil, host: 'wéb\n3 x' });
    const [message = ''] = await until(1);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(2048);
    expect(message).not.toMatch(/[\p{Cc}\ufffd]/u);
    expect(message).toContain(' wb3x upkeep ');
  });

  it('that has nobody who listens is tried again', async () => {
    const receiver = await startSyslogServer();
    await receiver.close();
    expect(await send(receiver.place)).toEqual({ type: 'later', reason: `${receiver.place} refused the connection` });
    expect(await send('nothing.invalid')).toMatchObject({ type: 'later' });
  });
});
