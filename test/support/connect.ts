// The connector of the program, as the courier hands it to its channels.

import type { Socket } from 'node:net';
import type { Endpoint } from '../../src/core/question.js';
import { connectTo } from '../../src/heartbeats/connect.js';

export const asHeartbeatsDo = (endpoint: Endpoint, signal: AbortSignal): Promise<Socket> =>
  connectTo(endpoint, { signal, begin: () => undefined });
