// A TCP connection to whichever address of a host answers first. Node's own Happy Eyeballs aborts an address that is
// good but slow when the next one's turn comes; here the earlier ones go on. Knows no services.

import { lookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';

// Between the beginnings of two addresses.
const STAGGER_MS = 100;

/** @throws the error of the last address when none answers, or the reason of the signal. */
export async function connectAny(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const addresses = await addressesOf(host);
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const sockets = new Set<Socket>();
    let next = 0;
    let timer: NodeJS.Timeout | null = null;

    const end = (winner: Socket | null): void => {
      if (timer !== null) clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      for (const socket of sockets) if (socket !== winner) socket.destroy();
      sockets.clear();
    };
    const giveUp = (): void => {
      end(null);
      reject(signal.reason);
    };
    const begin = (): void => {
      if (timer !== null) clearTimeout(timer);
      const address = addresses[next];
      if (address === undefined) return;
      next += 1;
      const socket = connect({ host: address, port });
      sockets.add(socket);
      socket.once('connect', () => {
        if (isConnectedToItself(socket)) {
          socket.destroy(new Error(`nothing listens on port ${port}`));
          return;
        }
        end(socket);
        resolve(socket);
      });
      // Stays for the winner too, whose later errors are its user's to hear or to ignore.
      socket.on('error', (error) => {
        if (!sockets.delete(socket)) return;
        if (next < addresses.length) begin();
        else if (sockets.size === 0) {
          end(null);
          reject(error);
        }
      });
      if (next < addresses.length) timer = setTimeout(begin, STAGGER_MS);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    begin();
  });
}

/** With nobody listening on a port of the ephemeral range, TCP now and then connects a socket to itself. */
function isConnectedToItself(socket: Socket): boolean {
  return socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
}

async function addressesOf(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  // Whatever the resolver says or lacks, a program that listens on localhost has one of these.
  if (host === 'localhost') return ['::1', '127.0.0.1'];
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}
