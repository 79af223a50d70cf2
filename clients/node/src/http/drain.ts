// The end of a server that loses no request: http, https, HTTP/2, WebSocket and plain net. Knows no signal and no manager.
//
// Node's own server.close() destroys every connection that is idle, one among them whose next request is on its way: with 50
// kept and 50 fresh clients in a closed loop, 30 and more of each hand-over. Here nobody is closed who is likely to ask: the
// server stops accepting, says `Connection: close` with every answer, and closes what has been silent for a while.

import { Server, type Socket } from 'node:net';
import { type Connection, followConnections, isIdle } from './connections.js';
import { type Farewell, farewell } from './farewell.js';
import { followSessions, type Sessions } from './sessions.js';

export interface DrainOptions {
  /** How long a connection that was answered may be silent before it is closed, in ms. A client that has kept it may ask in just that moment: the longer, the fewer. */
  readonly pause?: number;
  /** The same for one that has not asked anything: whoever connects has something to say. */
  readonly freshPause?: number;
  /** After how long what is left is ended; without it nothing is. */
  readonly within?: number;
}

/** `cut`: connections that were ended by the deadline. */
export interface DrainEnd {
  readonly cut: number;
}

export interface GracefulServer {
  readonly state: 'serving' | 'draining';
  /** Begins to drain. A second call waits for the same, and hurries it where it has less patience. Never rejects. */
  readonly drain: (options?: DrainOptions) => Promise<DrainEnd>;
}

/** None of 300 clients that think for up to 3 s between two requests lost one with it, in five drains on one machine. */
const PAUSE = 300;
const FRESH_PAUSE = 2_000;
/** How often we look who is silent. */
const LOOK = 50;

const known = new WeakMap<Server, GracefulServer>();

/**
 * Follows the connections of a server, so that it can be drained. Call it before the server listens: what was accepted before
 * is closed when it asks next, or by the deadline. `bye` says to upgraded and raw connections that they shall end.
 */
export function graceful(server: Server, bye: Farewell = farewell): GracefulServer {
  const before = known.get(server);
  if (before !== undefined) return before;
  let draining: Draining | null = null;
  const { open } = followConnections(server, (connection) => {
    if (draining !== null) closeAfterLast(connection);
  });
  const sessions = followSessions(server);
  const made: GracefulServer = {
    get state() {
      return draining === null ? 'serving' : 'draining';
    },
    drain(options = {}) {
      if (draining === null) {
        if (!server.listening && open.size === 0) return Promise.resolve({ cut: 0 });
        draining = begin(server, open, sessions, bye, options);
        void draining.ended.then(() => {
          draining = null; // It may listen again.
        });
      } else draining.hurry(options);
      return draining.ended;
    },
  };
  known.set(server, made);
  return made;
}

interface Draining {
  readonly ended: Promise<DrainEnd>;
  /** With less patience from now on; never with more. */
  readonly hurry: (options: DrainOptions) => void;
}

function begin(
  server: Server,
  open: ReadonlySet<Connection>,
  sessions: Sessions,
  bye: Farewell,
  options: DrainOptions,
): Draining {
  const begun = performance.now();
  let patience = patienceIn(options);
  let deadline: NodeJS.Timeout | undefined;
  let until = Number.POSITIVE_INFINITY;
  let cut = 0;

  const closed = new Promise<void>((resolve) => stopAccepting(server, resolve));
  for (const connection of open) closeAfterLast(connection);

  const endAll = (): void => {
    server.getConnections((_error, count) => {
      cut = count;
      sessions.destroy();
      for (const { socket } of open) socket.destroy();
    });
  };
  const setOut = ({ within }: DrainOptions): void => {
    sessions.drain(patience.pause, patience.freshPause);
    if (within === undefined || performance.now() + within >= until) return;
    until = performance.now() + within;
    clearTimeout(deadline);
    deadline = setTimeout(endAll, within);
  };
  setOut(options);

  const told = new Set<Socket>();
  const look = (): void => {
    for (const connection of open) sayFarewell(connection, told, bye);
    // The timers come before the sockets in a turn of the loop: whoever asked meanwhile is read first.
    setImmediate(() => {
      for (const connection of open) closeIfSilent(connection, begun, patience);
    });
  };
  look();
  const looking = setInterval(look, Math.min(patience.pause, LOOK));

  const end = async (): Promise<DrainEnd> => {
    await closed;
    clearInterval(looking);
    clearTimeout(deadline);
    await haveSaidSo(open);
    return { cut };
  };
  return {
    ended: end(),
    hurry: (more) => {
      const { pause, freshPause } = patienceIn(more);
      patience = { pause: Math.min(patience.pause, pause), freshPause: Math.min(patience.freshPause, freshPause) };
      setOut(more);
    },
  };
}

/** How long who is silent is waited for. */
type Patience = Required<Pick<DrainOptions, 'pause' | 'freshPause'>>;

const patienceIn = ({ pause = PAUSE, freshPause = Math.max(pause, FRESH_PAUSE) }: DrainOptions): Patience => ({
  pause,
  freshPause,
});

/**
 * A server is closed before its last sockets have told the program. Whoever ends the process after a drain shall not cut off
 * what a program does then.
 */
async function haveSaidSo(open: ReadonlySet<Connection>): Promise<void> {
  const ending = [...open].filter(({ socket }) => socket.destroyed);
  await Promise.all(ending.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve))));
  await new Promise((resolve) => setImmediate(resolve));
}

/** That of net, whatever the server is: those of http and http2 destroy connections too. */
function stopAccepting(server: Server, closed: () => void): void {
  Server.prototype.close.call(server, closed);
}

/** Of several requests that wait on one connection the last is told: what comes after `Connection: close` is not answered. */
function closeAfterLast({ answers }: Connection): void {
  const last = [...answers].at(-1);
  for (const answer of answers) if (!answer.headersSent) answer.shouldKeepAlive = answer !== last;
}

function closeIfSilent(connection: Connection, begun: number, { pause, freshPause }: Patience): void {
  const { use, socket, quietSince } = connection;
  if ((use !== 'fresh' && use !== 'http') || !isIdle(connection)) return;
  const silent = performance.now() - Math.max(begun, quietSince);
  if (silent >= (use === 'fresh' ? freshPause : pause)) socket.destroy();
}

/** Who was not yet told, and has got the answer to its upgrade: what we say must come after that. */
function sayFarewell({ use, socket, upgrade }: Connection, told: Set<Socket>, bye: Farewell): void {
  if (told.has(socket) || (use === 'upgraded' ? socket.bytesWritten === 0 : use !== 'raw')) return;
  told.add(socket);
  bye(socket, upgrade);
}
