// http.Server#close of an unchanged program: most end with `process.on('SIGTERM', () => server.close())`, which loses requests.
// Here it drains, with the same callback and the same event. Knows no signal.

import { Server as PlainHttp } from 'node:http';
import { Server as SecureHttp } from 'node:https';
import { Server as NetServer } from 'node:net';
import { type DrainOptions, graceful } from '../http/drain.js';
import { around } from './around.js';

const listened = new Set<NetServer>();

/** Of whoever closes a server next. */
let patience: DrainOptions = {};

/** Servers that are closed, and those that will be, have no more patience than that. */
export function hurryAll(options: DrainOptions): void {
  patience = options;
  for (const server of listened) if (graceful(server).state === 'draining') void graceful(server).drain(options);
}

/** `options` hold until somebody hurries. */
export function closeGracefully(options: DrainOptions): void {
  patience = options;
  // A server is followed from before its first connection.
  around(
    NetServer.prototype,
    'listen',
    (listen) =>
      function (this: NetServer, ...args: readonly unknown[]) {
        graceful(this);
        listened.add(this);
        this.once('close', () => listened.delete(this));
        return Reflect.apply(listen, this, args);
      },
  );
  for (const { prototype } of [PlainHttp, SecureHttp]) {
    around(
      prototype,
      'close',
      (close) =>
        function (this: PlainHttp, callback) {
          const server = graceful(this);
          if (!this.listening && server.state === 'serving') return Reflect.apply(close, this, [callback]);
          if (callback !== undefined) this.once('close', () => callback());
          void server.drain(patience);
          return this;
        },
    );
    // Frameworks call it beside close(). What is idle is closed by the drain, in its own time.
    around(
      prototype,
      'closeIdleConnections',
      (closeIdleConnections) =>
        function (this: PlainHttp) {
          if (graceful(this).state === 'serving') Reflect.apply(closeIdleConnections, this, []);
        },
    );
  }
}
