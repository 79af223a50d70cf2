// A server of a test, on a port or a path of its own, that says what it is told to. Gone, with its connections, when it is closed.

import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Place } from '../../src/core/question.js';

export interface TalkingServer {
  readonly port: number;
  readonly at: Place;
  /** All that all clients have said. */
  readonly heard: () => Buffer;
  readonly open: () => number;
  readonly close: () => Promise<void>;
}

/** `talk`: is called with each connection; a text is said at once, and the connection closed. */
export async function talkingServer(
  talk: string | Buffer | ((socket: Socket) => void),
  path?: string,
): Promise<TalkingServer> {
  const heard: Buffer[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('data', (chunk) => heard.push(chunk));
    socket.once('close', () => open.delete(socket));
    if (typeof talk === 'function') talk(socket);
    else socket.end(talk);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path === undefined ? { host: '127.0.0.1', port: 0 } : { path }, resolve);
  });
  const port = path === undefined ? (server.address() as AddressInfo).port : 0;
  return {
    port,
    at: path === undefined ? { type: 'tcp', host: '127.0.0.1', port } : { type: 'unix', path },
    heard: () => Buffer.concat(heard),
    open: () => open.size,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Says it a byte at a time, so that it comes in pieces. */
export function inBytes(socket: Socket, text: string | Buffer): void {
  const [first, ...rest] = Buffer.from(text);
  if (first === undefined || socket.destroyed) return;
  socket.setNoDelay().write(Buffer.from([first]), () => setImmediate(inBytes, socket, Buffer.from(rest)));
}
