// Ready when something accepts connections: on a TCP port, or on a Unix socket, whose file alone says nothing because it outlives
// its listener. Whose port it is cannot be told cheaply: a stranger on it makes the service ready wrongly, until it fails to
// get the port itself and ends.

import type { Socket } from 'node:net';
import type { Place } from '../core/question.js';
import type { Attempt } from './attempt.js';

/** To whichever address answers first. Rejects where none does, or with the signal's reason; whoever takes the socket destroys it. */
export type Connect = (place: Place, signal: AbortSignal) => Promise<Socket>;

export function connectionProbe(place: Place, connect: Connect): Attempt {
  return async (signal) => {
    try {
      const socket = await connect(place, signal);
      socket.destroy();
      return 'ready';
    } catch {
      return 'not yet';
    }
  };
}
