// What a connection that speaks no HTTP any more is told when the server drains. Knows no server.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Asks the other side to end the connection. `upgrade` is null where it never spoke HTTP. */
export type Farewell = (socket: Socket, upgrade: IncomingMessage | null) => void;

/** A close frame, unmasked as a server's is, with the code 1001 "going away" (RFC 6455, 5.5.1 and 7.4.1). */
const GOING_AWAY = Uint8Array.of(0x88, 0x02, 0x03, 0xe9);

/**
 * WebSockets are closed, whatever library serves them: it answers the close of the client as any other. A frame is written in
 * one turn of the loop, so ours comes between two of them. Other protocols are left to the deadline.
 */
export const farewell: Farewell = (socket, upgrade) => {
  if (upgrade?.headers.upgrade?.toLowerCase() === 'websocket' && socket.writable) socket.write(GOING_AWAY);
};
