// Ready when something accepts connections on a TCP port. Whose it is cannot be told cheaply: a stranger on the port
// makes the service ready wrongly, until it fails to get the port itself and ends.

import type { Attempt } from './attempt.js';
import { connectAny } from './connect.js';

export function portProbe(host: string, port: number): Attempt {
  return async (signal) => {
    try {
      const socket = await connectAny(host, port, signal);
      socket.destroy();
      return 'ready';
    } catch {
      return 'not yet';
    }
  };
}
