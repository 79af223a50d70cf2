// The sessions of HTTP/2: they are told to open no more streams, and end when those that are open have ended.

import type { ServerHttp2Session } from 'node:http2';
import type { Server, Socket } from 'node:net';

export interface Sessions {
  /**
   * `pause`: how long streams are taken that a client opened before it heard of it. `freshPause`: the same for one that never
   * opened any. Asked again, the shorter ones count.
   */
  drain(pause: number, freshPause: number): void;
  destroy(): void;
}

/**
 * GOAWAY with the highest number of a stream and no error: open no more, and none that is on its way is refused (RFC 9113, 6.8).
 * Node has no word for it: after session.goaway() it ignores all new streams, whatever number it named.
 */
const NOTICE = Uint8Array.of(0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0);

export function followSessions(server: Server): Sessions {
  const open = new Map<ServerHttp2Session, 'fresh' | 'used' | 'told'>();
  const carriers = new WeakMap<ServerHttp2Session, Socket>();
  let draining: { readonly pause: number; readonly freshPause: number } | null = null;

  // Node makes the session as the connection is told, and says of it before we hear of the connection. Its own `socket` takes no frames.
  let latest: ServerHttp2Session | null = null;
  const carry = (socket: Socket): void => {
    if (latest !== null) carriers.set(latest, socket);
    latest = null;
  };
  server.on('connection', carry);
  server.on('secureConnection', carry);

  const tell = (session: ServerHttp2Session, pause: number): void => {
    if (session.closed || session.destroyed) return;
    // All that a session writes at once are whole frames, and ours comes between two of them.
    const carrier = carriers.get(session);
    if (open.get(session) !== 'told' && carrier?.writable === true) carrier.write(NOTICE);
    open.set(session, 'told');
    setTimeout(() => session.close(), pause).unref();
  };
  const tellIfFresh = (session: ServerHttp2Session, pause: number, freshPause: number): void => {
    setTimeout(() => tell(session, pause), freshPause).unref();
  };

  server.on('session', (session: ServerHttp2Session) => {
    latest = session;
    open.set(session, 'fresh');
    session.once('close', () => open.delete(session));
    session.on('stream', () => {
      if (open.get(session) === 'fresh') open.set(session, 'used');
      if (draining !== null && open.get(session) !== 'told') tell(session, draining.pause);
    });
    if (draining !== null) tellIfFresh(session, draining.pause, draining.freshPause);
  });

  return {
    drain(pause, freshPause) {
      draining = { pause, freshPause };
      for (const [session, use] of open) {
        if (use === 'fresh') tellIfFresh(session, pause, freshPause);
        else tell(session, pause);
      }
    },
    destroy() {
      for (const session of open.keys()) session.destroy();
    },
  };
}
