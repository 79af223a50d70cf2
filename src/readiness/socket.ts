// Ready when something accepts connections on a Unix socket. The file alone says nothing: it outlives its listener.

import { connect } from 'node:net';
import type { Attempt } from './attempt.js';

export function socketProbe(path: string): Attempt {
  return (signal) =>
    new Promise((resolve) => {
      const socket = connect({ path });
      const end = (outcome: 'ready' | 'not yet'): void => {
        signal.removeEventListener('abort', giveUp);
        socket.destroy();
        resolve(outcome);
      };
      const giveUp = (): void => end('not yet');
      signal.addEventListener('abort', giveUp, { once: true });
      socket.once('connect', () => end('ready'));
      socket.on('error', () => end('not yet'));
    });
}
