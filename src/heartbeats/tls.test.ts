import type { AddressInfo } from 'node:net';
import { createServer, type TlsOptions as ServerOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { anAsking } from '../../test/support/asking.js';
import { type Authority, anAuthority } from '../../test/support/authority.js';
import { certificate } from '../../test/support/certificate.js';
import { talkingServer } from '../../test/support/talking-server.js';
import type { TlsOptions, TlsQuestion } from '../core/question.js';
import type { Link } from './chain.js';
import { judge } from './judge.js';
import { askTls, judgeDays } from './tls.js';

const closers: Array<() => unknown> = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

let authority: Authority;
beforeAll(() => {
  authority = anAuthority({ until: 1000 });
});
afterAll(() => authority.close());

/** The port of a real TLS server, and how many connections it has. */
async function serve(options: ServerOptions) {
  const server = createServer(options, (socket) => socket.on('error', () => undefined).resume());
  let open = 0;
  server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return { port: (server.address() as AddressInfo).port, open: () => open };
}

const question = (port: number, tls: Partial<TlsOptions> = {}, more: Partial<TlsQuestion> = {}): TlsQuestion => ({
  ...{ kind: 'tls', host: 'localhost', port, days: 14, addresses: 'any' },
  tls: { verify: 'yes', name: null, ca: authority.file, ...tls },
  ...more,
});

const asked = (one: TlsQuestion, asking = anAsking()) => askTls(one, asking).catch(judge);

describe('a TLS server', () => {
  it('is good with a certificate for its name that is valid for long enough, and hears of the end', async () => {
    const server = await serve(authority.issue('localhost', { until: 83.2 }));
    const asking = anAsking();
    expect(await asked(question(server.port), asking)).toEqual({ result: 'good', detail: 'valid for 83 d' });
    expect(asking.steps).toEqual(['connect <::1, 127.0.0.1>', 'tls']);
    await expect.poll(() => server.open(), { timeout: 20_000 }).toBe(0);
  });

  it('is asked for the name that is to be found in its certificate', async () => {
    const names: string[] = [];
    const { port } = await serve({
      ...authority.issue('www.example.org', { until: 83.2 }),
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    });
    expect(await asked(question(port, { name: 'www.example.org' }))).toMatchObject({ result: 'good' });
    expect(names).toEqual(['www.example.org']);
  });

  it('has failed with a certificate for another name', async () => {
    const { port } = await serve(authority.issue('www.example.org', { until: 83 }));
    expect(await asked(question(port))).toEqual({
      result: 'failed',
      detail: 'its certificate is not for localhost, but for www.example.org',
    });
  });

  it('has failed when its certificate has expired, or runs out sooner than is wanted', async () => {
    const expired = await serve(authority.issue('localhost', { until: -3.2 }));
    expect(await asked(question(expired.port))).toMatchObject({
      result: 'failed',
      detail: expect.stringMatching(/^its certificate expired 3 d ago/),
    });
    const soon = await serve(authority.issue('localhost', { until: 5.2 }));
    expect(await asked(question(soon.port))).toEqual({
      result: 'failed',
      detail: 'its certificate expires in 5 d, 14 d are wanted',
    });
    expect(await asked(question(soon.port, {}, { days: 5 }))).toMatchObject({ result: 'good' });
  });

  it('has failed when its certificate is not valid yet', async () => {
    const { port } = await serve(authority.issue('localhost', { from: 3.2, until: 83 }));
    expect(await asked(question(port))).toMatchObject({
      result: 'failed',
      detail: expect.stringMatching(/^its certificate is valid from .* only, in 3 d$/),
    });
  });

  it('has failed when its authority runs out before it', async () => {
    const old = anAuthority({ until: 9.2 });
    closers.push(old.close);
    const own = old.issue('localhost', { until: 83 });
    const { port } = await serve({ ...own, cert: own.cert + old.pem });
    expect(await asked(question(port, { ca: old.file }))).toEqual({
      result: 'failed',
      detail: 'the certificate of its issuer Test Authority expires in 9 d, 14 d are wanted',
    });
  });

  it('has failed when nobody trusts who has signed its certificate', async () => {
    const { port } = await serve(certificate());
    for (const ca of [authority.file, null]) {
      expect(await asked(question(port, { ca }))).toMatchObject({
        result: 'failed',
        detail: expect.stringMatching(/^nobody that we trust vouches for its certificate .*issued by itself/),
      });
    }
  });

  it('may have any certificate where none is judged, but it has to be fresh', async () => {
    const { port } = await serve(certificate());
    expect(await asked(question(port, { verify: 'no', ca: null }, { days: 1 }))).toMatchObject({ result: 'good' });
    expect(await asked(question(port, { verify: 'no', ca: null }, { days: 3 }))).toMatchObject({ result: 'failed' });
    const expired = await serve(authority.issue('www.example.org', { until: -3.2 }));
    expect(await asked(question(expired.port, { verify: 'no', ca: null }))).toEqual({
      result: 'failed',
      detail: 'its certificate expired 3 d ago',
    });
  });

  it('could not be asked when the certificates to trust cannot be read', async () => {
    const server = await serve(certificate());
    expect(await asked(question(server.port, { ca: '/nowhere/ca.pem' }))).toMatchObject({ result: 'unasked' });
    await expect.poll(() => server.open(), { timeout: 20_000 }).toBe(0);
  });

  it('is none that speaks in the clear', async () => {
    const server = await talkingServer((socket) => socket.write('220 mail.example.org ESMTP\r\n'));
    closers.push(server.close);
    expect(await asked(question(server.port))).toEqual({ result: 'failed', detail: 'it speaks no TLS' });
    await expect.poll(() => server.open(), { timeout: 20_000 }).toBe(0);
  });

  it('is none that closes at once', async () => {
    const server = await talkingServer('');
    closers.push(server.close);
    expect(await asked(question(server.port))).toEqual({
      result: 'failed',
      detail: 'closed by the server during the TLS handshake',
    });
  });

  it('that never answers is left when the time is over', async () => {
    const server = await talkingServer(() => undefined);
    closers.push(server.close);
    const asking = anAsking();
    const answer = askTls(question(server.port), asking);
    await expect.poll(() => server.heard().length, { timeout: 20_000 }).toBeGreaterThan(0);
    asking.end();
    await expect(answer).rejects.toThrow('deadline');
    await expect.poll(() => server.open(), { timeout: 20_000 }).toBe(0);
  });
});

describe('the days of a chain', () => {
  const DAY = 86_400_000;
  const link = (whose: string, days: number): Link => ({ whose, from: -DAY, until: days * DAY });

  it('are those of its first certificate to run out', () => {
    expect(judgeDays([link('own', 90), link('issuer', 20), link('root', 900)], 14, 0).detail).toBe('valid for 20 d');
    expect(judgeDays([link('own', 90), link('issuer', 20), link('root', 900)], 30, 0)).toEqual({
      result: 'failed',
      detail: 'issuer expires in 20 d, 30 d are wanted',
    });
  });

  it('do not know an old authority that is still shown beside the one that took its place', () => {
    expect(judgeDays([link('own', 90), link('root', -40)], 14, 0)).toEqual({
      result: 'good',
      detail: 'valid for 90 d',
    });
  });
});
