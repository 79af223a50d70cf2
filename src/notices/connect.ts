// A TCP connection to a host by all of its addresses. Node's own way gives up a good address after a quarter of a second
// and is left with the last, often an IPv6 address without a route. It must not know what is said over it.

import { lookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import { type Endpoint, inText } from './endpoint.js';

/** Until the next address is tried beside those that have not answered yet (RFC 8305 section 5), in ms. */
const STAGGER = 250;

/** The first that answers; the others are given up then. @throws Error that says what each address said, or the signal's reason */
export async function connectTo(endpoint: Endpoint, signal: AbortSignal): Promise<Socket> {
  const addresses = isIP(endpoint.host) === 0 ? await addressesOf(endpoint.host, signal) : [endpoint.host];
  return firstOf(
    addresses.map((host) => ({ host, port: endpoint.port })),
    signal,
  );
}

/** By the host's own resolver, with /etc/hosts. It cannot be broken off, only left alone. */
async function addressesOf(host: string, signal: AbortSignal): Promise<readonly string[]> {
  const found = await unlessAborted(lookup(host, { all: true }), signal);
  return found.map(({ address }) => address);
}

function firstOf(endpoints: readonly Endpoint[], signal: AbortSignal): Promise<Socket> {
  const sockets = new Set<Socket>();
  const failures: string[] = [];
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
    const tryNext = (): void => {
      clearTimeout(timer);
      const endpoint = endpoints[next++];
      if (endpoint === undefined) return;
      const socket = connect({ ...endpoint, autoSelectFamily: false });
      sockets.add(socket);
      // Whoever takes it listens too; until then, and after it was given up, an error ends nothing but the socket.
      socket.on('error', () => undefined);
      const failed = (error: Error): void => {
        sockets.delete(socket);
        failures.push(`${inText(endpoint)} ${reasonOf(error)}`);
        if (failures.length < endpoints.length) {
          tryNext();
        } else {
          settle(null);
          reject(new Error(failures.join(', ')));
        }
      };
      socket.once('error', failed);
      socket.once('connect', () => {
        socket.removeListener('error', failed);
        settle(socket);
        resolve(socket);
      });
      if (next < endpoints.length) timer = setTimeout(tryNext, STAGGER);
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    if (endpoints.length === 0) return reject(new Error('the name has no address'));
    tryNext();
  });
}

/** The code of a system error, which is short and the same in every language, else its text. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? inWords(error.code) : error.message;
}

function inWords(code: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'refused the connection';
    case 'ENOTFOUND':
      return 'is no name that resolves';
    case 'EAI_AGAIN':
      return 'cannot be resolved now';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'cannot be reached';
    case 'ECONNRESET':
      return 'broke off the connection';
    case 'ETIMEDOUT':
      return 'did not answer';
    default:
      return code;
  }
}

/** The result, or the signal's reason as soon as it is aborted. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
