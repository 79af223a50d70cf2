// What a channel needs to know of connections: how it gets one, and what an error of one is called. The connector itself is that of
// the heartbeats and is handed in; it must not know what is said over it.

import type { Socket } from 'node:net';
import type { Endpoint } from './endpoint.js';

/** By all addresses of the host. Rejects with an Error that says what each address did, or with the signal's reason. */
export type Connect = (endpoint: Endpoint, signal: AbortSignal) => Promise<Socket>;

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
