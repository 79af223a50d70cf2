// The connections of a server, and what each of them is doing. Knows no drain: it tells what it sees.

import { subscribe } from 'node:diagnostics_channel';
import { type IncomingMessage, Server as PlainHttp, type ServerResponse } from 'node:http';
import { createSecureServer, createServer } from 'node:http2';
import { Server as SecureHttp } from 'node:https';
import type { Server, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

export interface Connection {
  readonly socket: Socket;
  /**
   * `fresh`: nothing was asked on it yet, and of TLS no word said. `raw`: a protocol that we do not know. `carrier`: a session
   * of HTTP/2 speaks through it, and is told instead.
   */
  use: 'fresh' | 'http' | 'upgraded' | 'raw' | 'carrier';
  /** Requests that came whole with their head and are not answered to the end, oldest first. */
  readonly answers: Set<ServerResponse>;
  /** The request that upgraded it. */
  upgrade: IncomingMessage | null;
  /** When it was accepted, or answered last (performance.now()). */
  quietSince: number;
  /** How much had been read of it then. More than that: a request is under way whose head is not whole yet. */
  readThen: number;
}

/** Told of each request as it begins, before the program sees it. */
export type RequestSeen = (connection: Connection) => void;

export interface Connections {
  readonly open: ReadonlySet<Connection>;
}

interface Following {
  readonly open: Set<Connection>;
  readonly seen: RequestSeen;
}

const followed = new WeakMap<Server, Following>();
const bySocket = new WeakMap<Socket, Connection>();

export function followConnections(server: Server, seen: RequestSeen): Connections {
  const following: Following = { open: new Set(), seen };
  followed.set(server, following);
  // A socket of TLS is told twice: as it is accepted, and as what speaks through it once the handshake is done. As the first it
  // is never idle again after that.
  server.on('connection', (socket: Socket) => {
    add(following, socket, server instanceof TlsServer ? 'fresh' : first(server));
  });
  server.on('secureConnection', (socket: Socket) => add(following, socket, first(server)));
  followUpgrades(server, following);
  listenForRequests();
  return following;
}

/** Nothing was asked that is not answered. */
export const isIdle = (connection: Connection): boolean =>
  connection.answers.size === 0 && connection.socket.bytesRead === connection.readThen;

/** node:http2 does not export its classes. */
const HTTP2 = [createServer, createSecureServer].map((create) => create().constructor);

const first = (server: Server): Connection['use'] => {
  if (server instanceof PlainHttp || server instanceof SecureHttp) return 'fresh';
  return HTTP2.some((http2) => server instanceof http2) ? 'carrier' : 'raw';
};

function add(following: Following, socket: Socket, use: Connection['use']): Connection {
  const connection: Connection = {
    socket,
    use,
    answers: new Set(),
    upgrade: null,
    quietSince: performance.now(),
    readThen: socket.bytesRead,
  };
  bySocket.set(socket, connection);
  following.open.add(connection);
  socket.once('close', () => following.open.delete(connection));
  return connection;
}

/**
 * An `upgrade` listener of our own would have Node accept what the program does not, and so there is one only as long as the
 * program has one.
 */
function followUpgrades(server: Server, following: Following): void {
  const upgraded = (request: IncomingMessage, socket: Socket): void => {
    const connection = bySocket.get(socket) ?? add(following, socket, 'fresh');
    connection.use = 'upgraded';
    connection.upgrade = request;
    following.seen(connection);
  };
  for (const event of ['upgrade', 'connect'] as const) {
    const join = (): void => {
      if (!server.listeners(event).includes(upgraded)) server.on(event, upgraded);
    };
    if (server.listenerCount(event) > 0) join();
    server.on('newListener', (name, listener) => {
      if (name === event && listener !== upgraded) join();
    });
    server.on('removeListener', (name) => {
      if (name === event && server.listenerCount(event) === 1) server.off(event, upgraded);
    });
  }
}

interface RequestMessage {
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly server: Server;
}

let listening: 'yes' | 'no' = 'no';

/**
 * By these channels Node tells of each request, whether the program takes it as `request`, `checkContinue` or otherwise, and
 * nothing of the program's own listeners is touched.
 */
function listenForRequests(): void {
  if (listening === 'yes') return;
  listening = 'yes';
  subscribe('http.server.request.start', (message) => {
    const { server, socket, response } = message as RequestMessage;
    const following = followed.get(server);
    if (following === undefined) return;
    const connection = bySocket.get(socket) ?? add(following, socket, 'http');
    connection.use = 'http';
    connection.answers.add(response);
    following.seen(connection);
  });
  subscribe('http.server.response.finish', (message) => {
    const { socket, response } = message as RequestMessage;
    const connection = bySocket.get(socket);
    if (connection?.answers.delete(response) !== true) return;
    connection.quietSince = performance.now();
    connection.readThen = socket.bytesRead;
  });
}
