import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificate } from '../../test/support/certificate.js';
import { asHeartbeatsDo } from '../../test/support/connect.js';
import { letter, notice, postMortem } from '../../test/support/letters.js';
import { startWebhookReceiver, type WebhookReceiver } from '../../test/support/webhook-receiver.js';
import type { Letter } from '../core/notice.js';
import type { Channel } from '../core/notice-spec.js';
import type { Delivery } from './channel.js';
import { webhookSender } from './webhook-channel.js';

type Webhook = Extract<Channel, { type: 'webhook' }>;

const TOKEN = 'T0KEN-abcdef123456';
let directory: string;
let talk: string[] = [];
const closing: (() => Promise<void>)[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-webhook-'));
  talk = [];
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(directory, { recursive: true, force: true });
});

async function receiver(tls: 'none' | 'tls' = 'none'): Promise<WebhookReceiver> {
  const started = await startWebhookReceiver({ tls });
  closing.push(started.close);
  return started;
}

interface Sent {
  readonly format?: Webhook['format'];
  readonly one?: Letter;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

function send(
  url: Webhook['url'],
  { format = 'json', one = letter(), env = {}, signal }: Sent = {},
): Promise<Delivery> {
  const sender = webhookSender(
    { type: 'webhook', url, format },
    {
      env,
      uid: process.getuid?.() ?? 0,
      connect: asHeartbeatsDo,
    },
  );
  return sender(one, { signal: signal ?? AbortSignal.timeout(30_000), talk: (line) => talk.push(line) });
}

const evil = letter(
  notice({
    service: 'w<!channel>',
    headline: 'ü @channel *x* `id`\r\nX-Evil: 1',
    runbook: 'https://wiki/\r\nX: 1',
    postMortem: postMortem({ output: ['``` @here <https://evil|click> & <b>', 'x'.repeat(1_000_000)] }),
  }),
);

describe('a webhook', () => {
  it('gets the letter as JSON, at the path and with the name that its URL has', async () => {
    const { origin, posted } = await receiver();
    const url = `${origin.replace('//', `//up:${TOKEN}@`)}/hooks/x?y=1`;
    expect(await send(url)).toEqual({ type: 'delivered', answer: '200 ok' });
    const [one] = posted;
    expect(one).toMatchObject({ method: 'POST', path: '/hooks/x?y=1' });
    expect(one?.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      authorization: `Basic ${Buffer.from(`up:${TOKEN}`).toString('base64')}`,
      host: new URL(origin).host,
    });
    expect(JSON.parse(one?.body ?? '')).toMatchObject({ version: 1, notices: [{ service: 'worker' }] });
  });

  it('of Slack gets text in which nothing mentions, links or ends the quotation', async () => {
    const { origin, posted } = await receiver();
    await send(origin, { format: 'slack', one: evil });
    const { text } = JSON.parse(posted[0]?.body ?? '') as { text: string };
    expect(text).toMatch(/^\*\[DOWN\] w&lt;!channel&gt;@web3: ü @\u200bchannel ∗x∗ `id` X-Evil: 1\*\n```\n/);
    expect(text).toContain('&lt;https://evil|click&gt; &amp; &lt;b&gt;');
    expect(text.split('```')).toHaveLength(3);
    expect(text).not.toMatch(/[<>]|@here/);
    expect(text.length).toBeLessThan(5000);
  });

  it('of ntfy gets a title, a priority and a page of text', async () => {
    const { origin, posted } = await receiver();
    await send(origin, { format: 'ntfy' });
    expect(posted[0]?.headers).toMatchObject({
      title: '[DOWN] worker@web3: exit 1 after 4 s, 5th in 10 min, retrying in 30 s',
      priority: '5',
      tags: 'rotating_light',
      click: 'https://wiki.example.org/worker',
    });
    expect(posted[0]?.body).toContain('Incident: w-3fq9');
    await send(origin, { format: 'ntfy', one: evil });
    const { headers, body } = posted[1]!;
    const title = /^=\?UTF-8\?B\?(.*)\?=$/.exec(String(headers.title))?.[1] ?? '';
    expect(Buffer.from(title, 'base64').toString()).toMatch(/^\[DOWN\] w<!channel>@web3: ü @channel/);
    expect(headers['x-evil']).toBeUndefined();
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4096);
  });

  it.each([
    [204, 'delivered', ''],
    [500, 'later', ' answered 500 busy'],
    [429, 'later', ' answered 429 busy, to be tried after 120'],
    [408, 'later', ' answered 408 busy'],
    [404, 'refused', ' answered 404 busy'],
    [302, 'refused', ' sends us elsewhere (302), which is not followed; write the URL that it goes to'],
  ])('that answers %i is %s', async (status, type, reason) => {
    const { origin, manner, posted } = await receiver();
    Object.assign(manner, {
      status,
      body: 'busy',
      headers: status === 429 ? { 'retry-after': '120' } : { location: origin },
    });
    const delivery = await send(origin);
    expect(delivery.type).toBe(type);
    if (delivery.type !== 'delivered') expect(delivery.reason).toBe(`${new URL(origin).host}${reason}`);
    expect(posted).toHaveLength(1);
  });

  it('that takes the request and never answers ends at the deadline; one that never ends its answer has it', async () => {
    const { origin, manner, until } = await receiver();
    manner.hangs = 'request';
    const over = new AbortController();
    const sending = send(origin, { signal: over.signal });
    await until(1);
    over.abort(new Error('over'));
    expect(await sending).toEqual({ type: 'later', reason: `${new URL(origin).host} did not answer in time` });
    Object.assign(manner, { hangs: 'body', body: 'well\u001b[2J' });
    expect(await send(origin)).toEqual({ type: 'delivered', answer: '200 well' });
    Object.assign(manner, { hangs: 'never', body: 'x'.repeat(10_000_000) });
    expect(await send(origin)).toEqual({ type: 'delivered', answer: `200 ${'x'.repeat(199)}…` });
  });

  it('by HTTPS must show a certificate that somebody vouches for', async () => {
    const { origin, posted } = await receiver('tls');
    expect(await send(origin)).toEqual({
      type: 'later',
      reason: `the certificate of ${new URL(origin).host} is not believed (self-signed certificate)`,
    });
    const vouched = join(directory, 'authorities.pem');
    writeFileSync(vouched, certificate().cert);
    expect(await send(origin, { env: { SSL_CERT_FILE: vouched } })).toMatchObject({ type: 'delivered' });
    expect(posted).toHaveLength(1);
  });

  it('that is away is tried again', async () => {
    const gone = await startWebhookReceiver();
    await gone.close();
    const { host } = new URL(gone.origin);
    expect(await send(gone.origin)).toEqual({ type: 'later', reason: `refused by ${host}` });
    expect(await send('http://nothing.invalid/x')).toMatchObject({
      type: 'later',
      reason: expect.stringMatching(
        /^nothing\.invalid:80: nothing\.invalid (does not resolve|cannot be resolved now: no name server answers)$/,
      ),
    });
  });
});

describe('the URL of a webhook', () => {
  it('from a file or a variable is in nothing that is said, whatever the other side repeats of it', async () => {
    const { origin, manner, posted } = await receiver();
    const url = `${origin}/hooks/${TOKEN}?key=${TOKEN}`;
    const file = join(directory, 'url');
    writeFileSync(file, `${url}\n`, { mode: 0o600 });
    const deliveries: Delivery[] = [];
    for (const status of [200, 404, 500, 301]) {
      Object.assign(manner, { status, body: `no ${url} ${TOKEN} ${encodeURIComponent(url)}` });
      deliveries.push(await send({ type: 'file', path: file }));
      deliveries.push(await send({ type: 'env', name: 'CHAT_URL' }, { env: { CHAT_URL: url } }));
    }
    await closing.pop()?.();
    deliveries.push(await send({ type: 'file', path: file }));
    expect(posted.map(({ path }) => path)).toContain(`/hooks/${TOKEN}?key=${TOKEN}`);
    expect(JSON.stringify([deliveries, talk])).not.toContain(TOKEN);
  });

  it('that is none, or is missing, says where it was looked for', async () => {
    expect(await send({ type: 'env', name: 'CHAT_URL' }, { env: { CHAT_URL: TOKEN } })).toEqual({
      type: 'later',
      reason: 'the URL: what is in the variable CHAT_URL is no URL that begins with https://',
    });
    expect(await send({ type: 'env', name: 'CHAT_URL' })).toEqual({
      type: 'later',
      reason: 'the URL: the keeper has no variable CHAT_URL',
    });
  });
});
