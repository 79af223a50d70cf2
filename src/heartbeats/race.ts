// One connection out of several that are tried: to each address a little later than to the one before, without giving that up,
// and the first that connects is taken. Node's own way gives up an address that is good but slow when the next one's turn comes
// (nodejs/node 54359), which here would restart a service that answers. Knows no names and nothing of what is said.

import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { Endpoint } from '../core/question.js';
import { endpointText } from '../core/question-text.js';
import { type Meaning, meaningOf, Verdict } from './judge.js';
import { type Finding, failed, unasked } from './kind.js';
import { listed } from './listed.js';

/**
 * Between the beginnings of two addresses, in ms, where the earlier one is silent (RFC 8305 section 5); after a refusal the next
 * begins at once. All have begun within SPAN, however many they are, so that a deadline of a second still leaves the last one time.
 */
const STAGGER = 250;
const SPAN = 750;

export interface Target {
  readonly options: NetConnectOpts;
  readonly name: string;
}

/** `host`: an address. */
export const targetAt = (endpoint: Endpoint): Target => ({
  options: { host: endpoint.host, port: endpoint.port },
  name: endpointText(endpoint),
});

export interface Miss {
  readonly name: string;
  readonly meaning: Meaning;
}

/** Whoever takes the socket destroys it. @throws Verdict that says what each of them did, or the signal's reason */
export function firstOf(targets: readonly Target[], signal: AbortSignal): Promise<Socket> {
  const stagger = Math.min(STAGGER, SPAN / Math.max(1, targets.length - 1));
  const sockets = new Set<Socket>();
  const misses: Miss[] = [];
  let next = 0;
  let timer: NodeJS.Timeout | undefined;

  return new Promise<Socket>((resolve, reject) => {
    const settle = (winner: Socket | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      for (const socket of sockets) if (socket !== winner) socket.destroy();
    };
    const abort = (): void => {
      settle(null);
      reject(signal.reason);
    };
    const missed = (name: string, meaning: Meaning): void => {
      misses.push({ name, meaning });
      if (misses.length < targets.length) begin();
      else {
        settle(null);
        reject(new Verdict(verdictOf(misses)));
      }
    };
    const begin = (): void => {
      clearTimeout(timer);
      const target = targets[next];
      if (target === undefined) return;
      next += 1;
      const { options, name } = target;
      const socket = connect(options);
      sockets.add(socket);
      const fail = (error: unknown): void => {
        if (sockets.delete(socket)) missed(name, meaningOf(error));
      };
      // Stays for the winner too, whose later errors are its user's to hear or to ignore.
      socket.on('error', fail);
      socket.once('connect', () => {
        if (isConnectedToItself(socket)) {
          sockets.delete(socket);
          socket.destroy();
          missed(name, { about: 'service', words: 'nobody listens at' });
        } else {
          settle(socket);
          sockets.clear();
          resolve(socket);
        }
      });
      if (next < targets.length) timer = setTimeout(begin, stagger);
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    begin();
  });
}

/** With nobody listening on a port of the ephemeral range, TCP now and then connects a socket to itself. */
const isConnectedToItself = (socket: Socket): boolean =>
  socket.localPort !== undefined &&
  socket.localPort === socket.remotePort &&
  socket.localAddress === socket.remoteAddress;

/** What all of them together mean: `refused by 127.0.0.1:80 and [::1]:80`. */
export function verdictOf(misses: readonly Miss[]): Finding {
  const isAbout = (about: Meaning['about']): boolean => misses.some(({ meaning }) => meaning.about === about);
  const words = [...new Set(misses.map(({ meaning }) => meaning.words))];
  const told = words
    .map((said) => `${said} ${listed(misses.filter(({ meaning }) => meaning.words === said).map(({ name }) => name))}`)
    .join(', ');
  return isAbout('service') && !isAbout('us') ? failed(told) : unasked(told);
}
