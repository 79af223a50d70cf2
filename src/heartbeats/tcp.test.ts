import { afterEach, describe, expect, it } from 'vitest';
import { anAsking } from '../../test/support/asking.js';
import { type TalkingServer, talkingServer } from '../../test/support/talking-server.js';
import type { TcpQuestion } from '../core/question.js';
import { judge } from './judge.js';
import { askTcp } from './tcp.js';

let server: TalkingServer;
afterEach(() => server.close());

const serve = async (...talk: Parameters<typeof talkingServer>): Promise<void> => {
  server = await talkingServer(...talk);
};

const question = (more: Partial<TcpQuestion> = {}): TcpQuestion => ({
  ...{ kind: 'tcp', host: '127.0.0.1', port: server.port, send: null, expect: null, addresses: 'any' },
  ...more,
});

const asked = (more: Partial<TcpQuestion> = {}) => askTcp(question(more), anAsking()).catch(judge);

const gone = () => expect.poll(() => server.open(), { timeout: 20_000 }).toBe(0);

describe('a TCP port', () => {
  it('is good when somebody takes the connection, of which nothing stays', async () => {
    await serve(() => undefined);
    expect(await asked()).toEqual({ result: 'good', detail: 'connected' });
    await gone();
  });

  it('has failed when nobody listens', async () => {
    await serve('');
    await server.close();
    expect(await asked()).toEqual({ result: 'failed', detail: `refused by 127.0.0.1:${server.port}` });
  });

  it('is told a text, all of it, where nothing is expected', async () => {
    await serve(() => undefined);
    const send = 'PING\n'.repeat(100_000);
    expect(await asked({ send })).toEqual({ result: 'good', detail: 'connected, and sent the text' });
    await expect.poll(() => server.heard().length, { timeout: 20_000 }).toBe(send.length);
    await gone();
  });

  it('is good as soon as what comes matches, however it is cut into pieces', async () => {
    await serve((socket) => {
      socket.write('+gr\xc3', 'latin1');
      setTimeout(() => socket.write('\xbcn\r\n', 'latin1'), 50);
    });
    expect(await asked({ expect: '^\\+grün' })).toEqual({ result: 'good', detail: 'answered "+grün"' });
    await gone();
  });

  it('answers what was sent to it', async () => {
    await serve((socket) => socket.on('data', (heard) => socket.write(`you said ${heard.toString()}`)));
    expect(await asked({ send: 'hello\n', expect: 'said (hello|goodbye)' })).toEqual({
      result: 'good',
      detail: 'answered "said hello"',
    });
  });

  it('may end its lines as it likes', async () => {
    await serve('one\r\ntwo\r\n');
    expect(await asked({ expect: 'one\\s+two' })).toEqual({ result: 'good', detail: 'answered "one"' });
  });

  it('has failed when it closes before anything matches', async () => {
    await serve('HTTP/1.1 400');
    expect(await asked({ send: 'PING\n', expect: '^\\+PONG' })).toEqual({
      result: 'failed',
      detail: 'closed after 12 bytes that do not match /^\\+PONG/: "HTTP/1.1 400"',
    });
  });

  it('has failed when it closes at once', async () => {
    await serve('');
    expect(await asked({ expect: '220' })).toEqual({
      result: 'failed',
      detail: 'closed without a word, where /220/ is expected',
    });
  });

  it('has failed when it resets the connection', async () => {
    await serve((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await asked({ send: 'x', expect: '220' })).toEqual({ result: 'failed', detail: 'reset by the server' });
  });

  it('is read for 64 KiB and no further', async () => {
    await serve((socket) => {
      const more = (): void => {
        while (socket.writable && socket.write('x'.repeat(1000)));
      };
      socket.on('drain', more);
      more();
    });
    expect(await asked({ expect: 'y' })).toEqual({
      result: 'failed',
      detail: `64 KiB came that do not match /y/: "${'x'.repeat(60)}"`,
    });
    await gone();
  });

  it('is not read further where the pattern would match behind 64 KiB', async () => {
    await serve(`${'x'.repeat(64 * 1024)}y`);
    expect(await asked({ expect: 'y' })).toMatchObject({ result: 'failed' });
  });

  it.each([
    ['never answers', 0],
    ['says a byte now and then', 20],
  ])('that %s is left when the time is over', async (_, pause) => {
    await serve((socket) => {
      if (pause === 0) return;
      const timer = setInterval(() => socket.write('x'), pause);
      socket.once('close', () => clearInterval(timer));
    });
    const asking = anAsking();
    const answer = askTcp(question({ send: 'PING\n', expect: 'PONG' }), asking);
    await expect.poll(() => server.heard().toString(), { timeout: 20_000 }).toBe('PING\n');
    asking.end();
    await expect(answer).rejects.toThrow('deadline');
    expect(asking.steps).toEqual(['connect', 'answer']);
    await gone();
  });

  it('is asked by each of its addresses, and those that are not good are named', async () => {
    await serve('220 ready\r\n');
    expect(await asked({ host: 'localhost', expect: '^220 ', addresses: 'each' })).toEqual({
      result: 'failed',
      detail: expect.stringContaining(`::1: refused by [::1]:${server.port}`),
    });
  });
});
