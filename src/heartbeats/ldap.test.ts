import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { anAsking } from '../../test/support/asking.js';
import { plainTls } from '../../test/support/builders.js';
import { certificate } from '../../test/support/certificate.js';
import { inBytes, type TalkingServer, talkingServer } from '../../test/support/talking-server.js';
import type { LdapQuestion } from '../core/question.js';
import { judge } from './judge.js';
import { askLdap } from './ldap.js';

// The real slapd is asked in test/root/heartbeats-daemons.test.ts; these are its messages, as Wireshark shows them.
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const ANONYMOUS_BIND = hex('30 0c 02 01 01 60 07 02 01 03 04 00 80 00');
const BOUND = hex('30 0c 02 01 01 61 07 0a 01 00 04 00 04 00');
/** dn: (empty), namingContexts: dc=nodomain; and that this was all. */
const ROOT_DSE = Buffer.concat([
  hex('30 2a 02 01 02 64 25 04 00 30 21 30 1f 04 0e'),
  Buffer.from('namingContexts'),
  hex('31 0d 04 0b'),
  Buffer.from('dc=nodomain'),
  hex('30 0c 02 01 02 65 07 0a 01 00 04 00 04 00'),
]);
const STARTED_TLS = hex('30 0c 02 01 01 78 07 0a 01 00 04 00 04 00');

/** What a server answers instead: this code, in words. */
function refusal(id: number, operation: number, code: number, words = ''): Buffer {
  const length = words.length;
  const head = [0x30, 12 + length, 2, 1, id, operation, 7 + length, 0x0a, 1, code, 4, 0, 4, length];
  return Buffer.concat([Buffer.from(head), Buffer.from(words)]);
}

let server: TalkingServer;
let directory: string | null = null;
afterEach(async () => {
  await server.close();
  if (directory !== null) rmSync(directory, { recursive: true, force: true });
  directory = null;
});

/** Each thing that it hears has its answer. */
const inTurn =
  (...answers: readonly Buffer[]) =>
  (socket: Socket): void => {
    const left = [...answers];
    socket.on('data', () => socket.write(left.shift() ?? ''));
  };

async function asked(change: Partial<LdapQuestion> = {}) {
  const url = `ldap://127.0.0.1:${server.port}`;
  const tls = { verify: 'no', name: null, ca: null } as const;
  const asking = anAsking();
  const question = { kind: 'ldap', url, bind: null, startTls: 'no', tls, ...change } as const;
  const finding = await askLdap(question, asking).catch(judge);
  return { ...finding, steps: asking.steps };
}

const LOGIN = { dn: 'cn=admin,dc=nodomain', password: { type: 'file', path: '/etc/upkeep/ldap.pass' } } as const;

describe('a directory', () => {
  it('is good when it lets us bind and shows its root DSE; it is told that we go', async () => {
    server = await talkingServer(inTurn(BOUND, ROOT_DSE));
    expect(await asked()).toEqual({
      result: 'good',
      detail: 'serves dc=nodomain',
      steps: ['connect', 'bind', 'root DSE'],
    });
    await expect.poll(() => server.open()).toBe(0);
    expect(server.heard().subarray(0, ANONYMOUS_BIND.length)).toEqual(ANONYMOUS_BIND);
    expect(server.heard().subarray(-7)).toEqual(hex('30 05 02 01 7f 42 00'));
  });

  it('is understood when it says a byte at a time', async () => {
    server = await talkingServer((socket) => {
      const left = [BOUND, ROOT_DSE];
      socket.on('data', () => inBytes(socket, left.shift() ?? ''));
    });
    expect(await asked()).toMatchObject({ result: 'good' });
  });

  it('is good when it shows nothing to whom it does not know, and has failed when it does not know the name it is told', async () => {
    server = await talkingServer(inTurn(refusal(1, 0x61, 48, 'anonymous bind disallowed')));
    expect(await asked()).toMatchObject({
      result: 'good',
      detail: 'answers, and lets in no stranger: inappropriate authentication (48): anonymous bind disallowed',
    });
    await server.close();
    server = await talkingServer(inTurn(refusal(1, 0x61, 49)));
    expect(await asked({ bind: LOGIN })).toMatchObject({ result: 'failed', detail: 'invalid credentials (49)' });
    expect(server.heard().toString('latin1')).toContain('cn=admin,dc=nodomain\x80\x06secret');
  });

  it.each([
    [51, 'busy (51)'],
    [52, 'unavailable (52)'],
    [80, 'error (80)'],
  ])('has failed with the result %i', async (code, detail) => {
    server = await talkingServer(inTurn(refusal(1, 0x61, code)));
    expect(await asked()).toMatchObject({ result: 'failed', detail });
  });

  it('has failed when it shows no root DSE', async () => {
    server = await talkingServer(inTurn(BOUND, refusal(2, 0x65, 0)));
    expect(await asked()).toMatchObject({ result: 'failed', detail: 'shows no root DSE' });
    await server.close();
    server = await talkingServer(inTurn(BOUND, refusal(2, 0x65, 32)));
    expect(await asked()).toMatchObject({ result: 'failed', detail: 'no such object (32)' });
  });

  it('has failed when it leaves, and says why', async () => {
    server = await talkingServer(inTurn(refusal(0, 0x78, 52, 'shutting down')));
    expect(await asked()).toMatchObject({
      result: 'failed',
      detail: 'the server leaves: unavailable (52): shutting down',
    });
  });

  it('is no other program, which is seen at once', async () => {
    server = await talkingServer((socket) => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n'));
    expect(await asked()).toMatchObject({
      result: 'failed',
      detail: 'no LDAP server: it says "SSH-2.0-OpenSSH_9.2p1"',
    });
  });

  it('that announces more than anybody reads is not waited for', async () => {
    server = await talkingServer((socket) => socket.write(hex('30 84 7f ff ff ff 02 01 01')));
    expect(await asked()).toMatchObject({ result: 'failed', detail: expect.stringContaining('no LDAP server') });
  });

  it('is asked over TLS', async () => {
    server = await talkingServer((socket) => {
      const { key, cert } = certificate();
      const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ key, cert }) });
      inTurn(BOUND, ROOT_DSE)(secure.on('error', () => undefined));
    });
    expect(await asked({ url: `ldaps://127.0.0.1:${server.port}` })).toEqual({
      result: 'good',
      detail: 'serves dc=nodomain',
      steps: ['connect', 'tls', 'bind', 'root DSE'],
    });
  });

  it('is asked to start TLS, and has failed when it cannot', async () => {
    server = await talkingServer((socket) => {
      socket.once('data', () => {
        socket.removeAllListeners('data');
        socket.write(STARTED_TLS);
        const { key, cert } = certificate();
        const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ key, cert }) });
        inTurn(BOUND, ROOT_DSE)(secure.on('error', () => undefined));
      });
    });
    expect(await asked({ startTls: 'yes' })).toEqual({
      result: 'good',
      detail: 'serves dc=nodomain',
      steps: ['connect', 'starttls', 'tls', 'bind', 'root DSE'],
    });
    await server.close();
    server = await talkingServer(inTurn(refusal(1, 0x78, 2, 'unsupported extended operation')));
    expect(await asked({ startTls: 'yes' })).toMatchObject({
      result: 'failed',
      detail: 'no StartTLS: protocol error (2): unsupported extended operation',
    });
  });

  it('is not believed with a certificate of its own', async () => {
    server = await talkingServer((socket) => {
      const { key, cert } = certificate();
      new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ key, cert }) }).on(
        'error',
        () => {},
      );
    });
    expect(await asked({ url: `ldaps://127.0.0.1:${server.port}`, tls: plainTls })).toMatchObject({
      result: 'failed',
      detail: expect.stringContaining('vouches for its certificate'),
    });
  });

  it('is asked by the socket that an ldapi URL names', async () => {
    directory = mkdtempSync(join(tmpdir(), 'upkeep-ldapi-'));
    const path = join(directory, 'ldapi');
    server = await talkingServer(inTurn(BOUND, ROOT_DSE), path);
    expect(await asked({ url: `ldapi://${encodeURIComponent(path)}/` })).toMatchObject({ result: 'good' });
  });
});
