// What a server says, message by message, for protocols that say how long each one is. Reads as much as the next message needs,
// and never more than 64 KiB of what becomes none. Knows no protocol, and no deadline: the connection goes with that.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Verdict } from './judge.js';
import { failed } from './kind.js';

/** The first message of what has come, and how many bytes it takes; undefined: it is not all there. May throw a Verdict. */
export type Cut<T> = (received: Buffer) => { readonly value: T; readonly length: number } | undefined;

/** What to say of what has come where no message is in it. */
export type Without = (end: 'closed' | 'too much', received: Buffer) => string;

export interface Frames {
  /** @throws Verdict: there is none, because the server has closed or says too much; `without` says so in other words */
  readonly next: <T>(cut: Cut<T>, without?: Without) => Promise<T>;
}

export const MOST = 64 * 1024;

export function framesOf(socket: Socket): Frames {
  let received: Buffer = Buffer.alloc(0);
  return {
    next: async (cut, without = noMessage) => {
      for (;;) {
        const found = cut(received);
        if (found !== undefined) {
          received = received.subarray(found.length);
          return found.value;
        }
        if (received.length > MOST) throw new Verdict(failed(without('too much', received)));
        const more = await chunkOf(socket);
        if (more === null) throw new Verdict(failed(without('closed', received)));
        received = Buffer.concat([received, more]);
      }
    },
  };
}

const noMessage: Without = (end, received) => {
  if (end === 'too much') return 'more than 64 KiB, and no answer in it';
  return received.length === 0
    ? 'closed by the server without an answer'
    : `closed by the server after ${quoted(received)}`;
};

/** The beginning of what came, for a message: of an answer that is none, like another protocol's. */
export const quoted = (bytes: Buffer): string =>
  `"${
    bytes
      .subarray(0, 60)
      .toString('utf8')
      .split(/[\r\n\0]/)[0]
  }"`;

/** What has come, in paused mode, so that nothing is lost between two messages or to TLS that takes over. null: it has ended. */
async function chunkOf(socket: Socket): Promise<Buffer | null> {
  for (;;) {
    const chunk: Buffer | null = socket.read();
    if (chunk !== null) return chunk;
    if (socket.errored) throw socket.errored;
    if (socket.readableEnded || socket.destroyed) return null;
    const done = new AbortController();
    const event = (name: string): Promise<unknown> => once(socket, name, { signal: done.signal });
    await Promise.race([event('readable'), event('end'), event('close')]).finally(() => done.abort());
  }
}
