import { hostname } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { anAsking } from '../../test/support/asking.js';
import { startSmtpServer } from '../../test/support/smtp-server.js';
import { talkingServer } from '../../test/support/talking-server.js';
import { judge } from './judge.js';
import { askSmtp } from './smtp.js';

const closers: Array<() => unknown> = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function realServer() {
  const server = await startSmtpServer();
  closers.push(server.close);
  return server;
}

async function serve(...talk: Parameters<typeof talkingServer>) {
  const server = await talkingServer(...talk);
  closers.push(server.close);
  return server;
}

const ask = (port: number, asking = anAsking()) =>
  askSmtp({ kind: 'smtp', host: '127.0.0.1', port, addresses: 'any' }, asking);
const asked = (port: number) => ask(port).catch(judge);

/** Says one text at each of our commands, after a greeting. */
const answering = (greeting: string, ...answers: readonly string[]) =>
  serve((socket) => {
    const left = [...answers];
    socket.write(greeting);
    socket.on('data', () => socket.write(left.shift() ?? ''));
  });

describe('a mail server', () => {
  it('is good when it greets us and takes our EHLO', async () => {
    const { port } = await realServer();
    const asking = anAsking();
    expect(await ask(port, asking)).toEqual({ result: 'good', detail: expect.stringMatching(/^220 .*ESMTP/) });
    expect(asking.steps).toEqual(['connect', 'greeting', 'EHLO', 'QUIT']);
  });

  it('has failed when it is too busy', async () => {
    const { port, trouble } = await realServer();
    trouble.connect = '421 too busy';
    expect(await asked(port)).toEqual({ result: 'failed', detail: expect.stringMatching(/^421 .*too busy/) });
  });

  it('has failed with a 554 for a greeting', async () => {
    const { port } = await serve('554 no service for you\r\n');
    expect(await asked(port)).toEqual({ result: 'failed', detail: '554 no service for you' });
  });

  it('may greet with many lines, all of which are waited for', async () => {
    const server = await serve((socket) => {
      socket.write('220-mail.example.org ESMTP\r\n');
      socket.write('220-no spam\r\n220 ');
      setTimeout(() => socket.write('please\r\n'), 20);
      socket.once('data', () => {
        socket.write('250-mail.example.org\r\n250 PIPELINING\r\n');
        socket.once('data', () => socket.end('221 bye\r\n'));
      });
    });
    expect(await asked(server.port)).toEqual({ result: 'good', detail: '220 mail.example.org ESMTP' });
    expect(server.heard().toString()).toBe(`EHLO ${hostname()}\r\nQUIT\r\n`);
  });

  it('has failed when it does not take our EHLO', async () => {
    const { port } = await answering('220 hello\r\n', '502 not implemented\r\n');
    expect(await asked(port)).toEqual({ result: 'failed', detail: 'EHLO: 502 not implemented' });
  });

  it('need not say goodbye', async () => {
    const { port } = await serve((socket) => {
      socket.write('220 hello\r\n');
      socket.on('data', (heard) => (heard.includes('QUIT') ? socket.resetAndDestroy() : socket.write('250 ok\r\n')));
    });
    expect(await asked(port)).toEqual({ result: 'good', detail: '220 hello' });
  });

  it('is no other program', async () => {
    const { port } = await serve('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(await asked(port)).toEqual({
      result: 'failed',
      detail: 'no mail server: it says "HTTP/1.1 400 Bad Request"',
    });
  });

  it('has failed when it closes at once, or in the middle of a line', async () => {
    const silent = await serve('');
    expect(await asked(silent.port)).toEqual({ result: 'failed', detail: 'closed by the server without an answer' });
    const broken = await serve('220 mai');
    expect(await asked(broken.port)).toEqual({ result: 'failed', detail: 'closed by the server after "220 mai"' });
  });

  it('has failed when its greeting has no end', async () => {
    const server = await serve((socket) => {
      const more = (): void => {
        while (socket.writable && socket.write('220-and more\r\n'.repeat(100)));
      };
      socket.on('drain', more);
      more();
    });
    expect(await asked(server.port)).toEqual({ result: 'failed', detail: 'more than 64 KiB, and no answer in it' });
    await expect.poll(() => server.open(), { timeout: 20_000 }).toBe(0);
  });

  it('that hangs is left when the time is over', async () => {
    const server = await serve((socket) => socket.write('220-'));
    const asking = anAsking();
    const answer = ask(server.port, asking);
    await expect.poll(() => server.open(), { timeout: 20_000 }).toBe(1);
    asking.end();
    await expect(answer).rejects.toThrow('deadline');
    await expect.poll(() => server.open(), { timeout: 20_000 }).toBe(0);
  });
});
