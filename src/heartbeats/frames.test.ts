import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { inBytes, type TalkingServer, talkingServer } from '../../test/support/talking-server.js';
import { type Cut, framesOf } from './frames.js';
import { judge } from './judge.js';

let server: TalkingServer;
let socket: Socket;
afterEach(async () => {
  socket.destroy();
  await server.close();
});

async function connected(talk: Parameters<typeof talkingServer>[0]): Promise<Socket> {
  server = await talkingServer(talk);
  socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
  return socket;
}

/** A length of one byte, and so many bytes. */
const counted: Cut<string> = (received) => {
  const length = 1 + (received[0] ?? 0);
  return received.length < length || length === 1 ? undefined : { value: received.toString('utf8', 1, length), length };
};

describe('the messages of a server', () => {
  it('come whole, however they are cut on the way', async () => {
    const { next } = framesOf(await connected((other) => inBytes(other, '\x03one\x03two\x05three')));
    expect([await next(counted), await next(counted), await next(counted)]).toEqual(['one', 'two', 'three']);
  });

  it('come one after the other from what has come at once, and leave no listener behind', async () => {
    const { next } = framesOf(await connected('\x01a\x01b\x01c'));
    const before = socket.eventNames().length;
    expect([await next(counted), await next(counted), await next(counted)]).toEqual(['a', 'b', 'c']);
    expect(await next(counted).catch(judge)).toEqual({
      result: 'failed',
      detail: 'closed by the server without an answer',
    });
    expect(socket.listenerCount('readable')).toBe(0);
    expect(socket.eventNames().length).toBeLessThanOrEqual(before);
  });

  it('end with the connection, in the middle of one too', async () => {
    const { next } = framesOf(await connected('\x09half'));
    expect(await next(counted).catch(judge)).toMatchObject({ result: 'failed' });
  });

  it('end with a reset, which is told as one', async () => {
    const { next } = framesOf(await connected((other) => other.resetAndDestroy()));
    expect(await next(counted).catch(judge)).toEqual({ result: 'failed', detail: 'reset by the server' });
  });

  it('are not waited for when the connection is gone already', async () => {
    const { next } = framesOf((await connected(() => undefined)).destroy());
    expect(await next(counted).catch(judge)).toMatchObject({ result: 'failed' });
  });
});
