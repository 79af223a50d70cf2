// Where a server listens, and whether that is where another one wants to. Pure; reads nothing.

import { isIPv4, isIPv6 } from 'node:net';
import { resolve } from 'node:path';

export type ListenAddress =
  /** `host` null: all addresses of both families, as net.Server has it where none is said. */
  | { readonly type: 'tcp'; readonly host: string | null; readonly port: number }
  | { readonly type: 'unix'; readonly path: string };

/** One form for each address: ::1 and 0:0:0:0:0:0:0:1 are the same. */
export function canonicalHost(host: string): string {
  const bare = host.replace(/%.*$/, '').toLowerCase();
  return isIPv6(bare) ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare;
}

/** What net.Server#listen(...args) is asked for; null: a handle, a descriptor, or any port that is free. */
export function wantedAddress(args: readonly unknown[]): ListenAddress | null {
  const [first, second] = args;
  if (typeof first === 'object' && first !== null) {
    const { fd, port, host, path } = first as Readonly<Record<string, unknown>>;
    if ('_handle' in first || 'handle' in first || typeof fd === 'number') return null;
    return port === undefined || port === null ? unixAddress(path) : tcpAddress(port, host);
  }
  // A text that is no number is a path: listen('3000') means a port.
  return tcpAddress(first, typeof second === 'string' ? second : undefined) ?? unixAddress(first);
}

function tcpAddress(port: unknown, host: unknown): ListenAddress | null {
  const number = typeof port === 'string' && port.trim() !== '' ? Number(port) : port;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 1) return null;
  return { type: 'tcp', host: typeof host === 'string' && host !== '' ? canonicalHost(host) : null, port: number };
}

const unixAddress = (path: unknown): ListenAddress | null =>
  typeof path === 'string' && path !== '' && !(Number(path) >= 0) ? { type: 'unix', path } : null;

/** `exactly`: the same. `instead`: the kernel lets nobody have `wanted` while `held` is open, and it serves whom `wanted` would, or who may. */
export type Match = 'exactly' | 'instead' | 'no';

export function match(held: ListenAddress, wanted: ListenAddress): Match {
  if (held.type === 'unix' || wanted.type === 'unix') {
    const isSame = held.type === 'unix' && wanted.type === 'unix' && resolve(held.path) === resolve(wanted.path);
    return isSame ? 'exactly' : 'no';
  }
  if (held.port !== wanted.port) return 'no';
  const [has, wants] = [held.host ?? '::', wanted.host ?? '::'];
  if (has === wants) return 'exactly';
  // Whoever wants all addresses is content with the one that the administrator chose.
  if (wants === '::' || has === '::') return 'instead';
  if (isIPv4(wants)) return isIPv4(has) && (has === '0.0.0.0' || wants === '0.0.0.0') ? 'instead' : 'no';
  // Of a name we do not know the address before it is looked up; there is one socket with that port.
  if (isIPv6(wants)) return 'no';
  return wants !== 'localhost' || ['127.0.0.1', '::1', '0.0.0.0'].includes(has) ? 'instead' : 'no';
}

/** For people. */
export function textOf(address: ListenAddress): string {
  if (address.type === 'unix') return address.path.replace('\0', '@');
  const host = address.host ?? '::';
  return `${isIPv6(host) ? `[${host}]` : host}:${address.port}`;
}
