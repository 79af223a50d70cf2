import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { anAsking } from '../../test/support/asking.js';
import { aNameServer, type Said, wireName, wireNumbers, wireText } from '../../test/support/name-server.js';
import type { DnsQuestion } from '../core/question.js';
import { askDns } from './dns.js';
import { judge } from './judge.js';

// The real one is asked in test/root/; these are its words.
const closers: Array<() => unknown> = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(answer: Said | Buffer | null, host?: string) {
  const server = await aNameServer(answer, host);
  closers.push(server.close);
  return server;
}

const question = (port: number, more: Partial<DnsQuestion> = {}): DnsQuestion => ({
  ...{ kind: 'dns', host: '127.0.0.1', port, query: 'www.example.org', type: 'A', expect: null },
  ...more,
});

const asked = (port: number, more: Partial<DnsQuestion> = {}) => askDns(question(port, more), anAsking()).catch(judge);

const A = (...address: readonly number[]) => ({ type: 1, data: Buffer.from(address) });

const sockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => name.includes('UDP') || name.includes('QUERY')).length;
const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('a name server', () => {
  it('is good with any answer, and is asked for no other name', async () => {
    const server = await serve({ records: [A(192, 0, 2, 1), A(192, 0, 2, 2)] });
    expect(await asked(server.port)).toEqual({ result: 'good', detail: '192.0.2.1 and 192.0.2.2' });
    expect(server.asked).toEqual(['www.example.org']);
  });

  it('is good when one of its answers matches', async () => {
    const { port } = await serve({ records: [A(192, 0, 2, 1), A(192, 0, 2, 2)] });
    expect(await asked(port, { expect: '^192\\.0\\.2\\.2$' })).toMatchObject({ result: 'good' });
    expect(await asked(port, { expect: '^198\\.' })).toEqual({
      result: 'failed',
      detail: '192.0.2.1 and 192.0.2.2 does not match /^198\\./',
    });
  });

  const MAIL = Buffer.concat([wireNumbers(10), wireName('mail.example.org')]);
  const SERVICE = Buffer.concat([wireNumbers(1, 2, 443), wireName('web.example.org')]);
  const NUMBERS = wireNumbers(0, 7, 0, 3600, 0, 600, 1, 0, 0, 60);
  const START = Buffer.concat([wireName('ns.example.org'), wireName('root.example.org'), NUMBERS]);
  const TEXT = Buffer.concat([wireText('v=spf1 '), wireText('-all')]);

  it.each([
    ['AAAA', 28, Buffer.from('20010db8000000000000000000000001', 'hex'), '2001:db8::1'],
    ['CNAME', 5, wireName('web.example.org'), 'web.example.org'],
    ['MX', 15, MAIL, '10 mail.example.org'],
    ['NS', 2, wireName('ns.example.org'), 'ns.example.org'],
    ['PTR', 12, wireName('web.example.org'), 'web.example.org'],
    ['SOA', 6, START, 'ns.example.org root.example.org 7 3600 600 65536 60'],
    ['SRV', 33, SERVICE, '1 2 443 web.example.org'],
    ['TXT', 16, TEXT, 'v=spf1 -all'],
  ] as const)('says of a record of type %s what dig says', async (type, number, data, text) => {
    const { port } = await serve({ records: [{ type: number, data }] });
    expect(await asked(port, { type })).toEqual({ result: 'good', detail: text });
  });

  it.each([
    [1, 'FORMERR: it does not understand the question'],
    [2, 'SERVFAIL: it could not find out about www.example.org'],
    [3, 'NXDOMAIN: there is no www.example.org'],
    [4, 'NOTIMP: it does not understand the question'],
    [5, 'REFUSED: it does not answer us about www.example.org'],
  ])('has failed with code %i', async (code, detail) => {
    const { port } = await serve({ code });
    expect(await asked(port)).toEqual({ result: 'failed', detail });
  });

  it('has failed when it has no record of that type', async () => {
    const { port } = await serve({});
    expect(await asked(port, { type: 'MX' })).toEqual({ result: 'failed', detail: 'www.example.org has no MX' });
  });

  it('has failed when nobody listens on its port', async () => {
    const server = await serve(null);
    await closers.pop()?.();
    expect(await asked(server.port)).toEqual({ result: 'failed', detail: `refused by 127.0.0.1:${server.port}` });
  });

  it('on localhost answers by either address', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      const { port } = await serve({ records: [A(192, 0, 2, 1)] }, host);
      expect(await asked(port, { host: 'localhost' }), host).toEqual({ result: 'good', detail: '192.0.2.1' });
    }
  });

  it('could not be asked where no way leads to it, or its name does not resolve', async () => {
    expect(await asked(53, { host: '255.255.255.255' })).toMatchObject({ result: 'unasked' });
    expect(await asked(53, { host: 'nothing.invalid' })).toMatchObject({ result: 'unasked' });
  });

  it('could not be asked for what is no name', async () => {
    const { port } = await serve(null);
    expect(await asked(port, { query: `${'x'.repeat(64)}.example.org` })).toMatchObject({ result: 'unasked' });
  });

  it('has failed when it answers garbage', async () => {
    const { port } = await serve(Buffer.from('HTTP/1.1 400 Bad Request'));
    expect(await asked(port)).toEqual({ result: 'failed', detail: 'an answer that cannot be read' });
  });

  it('that never answers is left when the time is over, with nothing left behind', async () => {
    const server = await serve(null);
    const before = { sockets: sockets(), descriptors: descriptors() };
    const asking = anAsking();
    const answer = askDns(question(server.port), asking);
    await expect.poll(() => server.asked.length, { timeout: 20_000 }).toBe(1);
    asking.end();
    await expect(answer).rejects.toThrow('deadline');
    await expect.poll(sockets, { timeout: 20_000 }).toBeLessThanOrEqual(before.sockets);
    await expect.poll(descriptors, { timeout: 20_000 }).toBeLessThanOrEqual(before.descriptors);
  });

  it('may be asked a hundred times, and no descriptor is left', async () => {
    const { port } = await serve({ records: [A(192, 0, 2, 1)] });
    await asked(port);
    const before = descriptors();
    for (let index = 0; index < 100; index += 1) await asked(port);
    await expect.poll(descriptors, { timeout: 20_000 }).toBeLessThanOrEqual(before);
  });
});
