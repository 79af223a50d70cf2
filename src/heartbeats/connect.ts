// Connections to what is asked: by all addresses of a host, or by a Unix socket. Knows nothing of what is said over them.

import type { Socket } from 'node:net';
import type { Endpoint, Place } from '../core/question.js';
import { addressesOf } from './addresses.js';
import { Verdict } from './judge.js';
import { type Asking, unasked } from './kind.js';
import { firstOf, targetAt } from './race.js';

/** What a connection needs of an asking: readiness probes have no more. */
export type Under = Pick<Asking, 'signal' | 'begin'>;

/** sun_path of Linux without its end; Node cuts a longer one off in silence. */
const LONGEST_PATH = 107;

/** Whoever takes the socket destroys it. @throws Verdict, or the signal's reason */
export const connectAt = (place: Place, asking: Under): Promise<Socket> =>
  place.type === 'tcp' ? connectTo(place, asking) : connectUnix(place.path, asking);

/** Whoever takes the socket destroys it. @throws Verdict that says what each address did, or the signal's reason */
export async function connectTo(endpoint: Endpoint, asking: Under): Promise<Socket> {
  const addresses = await addressesOf(endpoint.host, asking);
  asking.begin('connect', addresses[0] === endpoint.host ? undefined : addresses.join(', '));
  return firstOf(
    addresses.map((host) => targetAt({ host, port: endpoint.port })),
    asking.signal,
  );
}

/** Whoever takes the socket destroys it. @throws Verdict, or the signal's reason */
export async function connectUnix(path: string, { signal, begin }: Under): Promise<Socket> {
  if (Buffer.byteLength(path) > LONGEST_PATH) throw new Verdict(unasked(`longer than a socket's path can be: ${path}`));
  begin('connect');
  return firstOf([{ options: { path }, name: path }], signal);
}
