// The addresses of a host, by the system's own resolver with /etc/hosts. Knows no ports and no sockets.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { errorCode } from '../core/error-text.js';
import { Verdict } from './judge.js';
import { type Asking, unasked } from './kind.js';

/** Whatever the resolver says or lacks: a program that listens on localhost has one of these. */
const LOCALHOST = ['::1', '127.0.0.1'];

/**
 * Each once, in the order of the resolver. @throws Verdict: could not ask, or the signal's reason
 *
 * getaddrinfo cannot be broken off. One that hangs is left alone when the signal comes, but keeps a thread of the pool, of which
 * there are four unless UV_THREADPOOL_SIZE says otherwise, and half of which may resolve names: when all of these hang, further
 * names wait behind them, until their own deadlines pass in the step `resolve`, which is held against nobody.
 */
export async function addressesOf(
  host: string,
  { signal, begin }: Pick<Asking, 'signal' | 'begin'>,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  if (host.toLowerCase() === 'localhost') return LOCALHOST;
  begin('resolve');
  const found = await unlessAborted(looking(host), signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new Verdict(unasked(whyNot(host, errorCode(error))));
  });
  if (found.length === 0) throw new Verdict(unasked(whyNot(host, 'ENOTFOUND')));
  return [...new Set(found.map(({ address }) => address))];
}

const lookups = new Map<string, ReturnType<typeof lookedUp>>();
const lookedUp = (host: string) => lookup(host, { all: true });

/** Whoever asks for a name that is being looked up hears the same: one that hangs has one thread, however often it is asked for. */
function looking(host: string): ReturnType<typeof lookedUp> {
  const open = lookups.get(host);
  if (open !== undefined) return open;
  const found = lookedUp(host).finally(() => lookups.delete(host));
  lookups.set(host, found);
  return found;
}

function whyNot(host: string, code: string): string {
  if (code === 'ENOTFOUND') return `${host} does not resolve`;
  if (code === 'EAI_AGAIN') return `${host} cannot be resolved now: no name server answers`;
  return `${host} cannot be resolved (${code})`;
}

/** The result, or the signal's reason as soon as it is aborted. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) {
      // Nobody waits for it any more.
      promise.catch(() => undefined);
      return abort();
    }
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
