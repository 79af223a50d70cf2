// What a kind says over connections: by the first address that connects, or by each of them. Owns the connections, which are
// gone when it settles, however that is. Knows no protocol.

import type { Socket } from 'node:net';
import type { Addresses, Endpoint, Place } from '../core/question.js';
import { endpointText } from '../core/question-text.js';
import { addressesOf, unlessAborted } from './addresses.js';
import { connectAt, connectTo } from './connect.js';
import { judge } from './judge.js';
import { type Asking, type Finding, failed, good, unasked } from './kind.js';
import { listed } from './listed.js';
import { firstOf, targetAt } from './race.js';

/** It need not heed the signal: the socket goes with it. */
export type Talk = (socket: Socket, asking: Asking) => Promise<Finding>;

/** Asks by the first address that connects, or by each of them. */
export async function talkTo(endpoint: Endpoint, addresses: Addresses, asking: Asking, talk: Talk): Promise<Finding> {
  if (addresses === 'any') return over(await connectTo(endpoint, asking), asking, talk);
  return talkToEach(endpoint, asking, talk);
}

/** The same by one place. */
export const talkAt = async (place: Place, asking: Asking, talk: Talk): Promise<Finding> =>
  over(await connectAt(place, asking), asking, talk);

/** Asks every address of the host at once. Good when all of them are; those that are not are named. */
async function talkToEach(endpoint: Endpoint, asking: Asking, talk: Talk): Promise<Finding> {
  const addresses = await addressesOf(endpoint.host, asking);
  asking.begin(addresses.length === 1 ? 'ask' : `ask ${addresses.length} addresses`, addresses.join(', '));
  // The steps of several talks at once would say nothing.
  const quiet = { ...asking, begin: () => undefined, hears: () => undefined };
  const ask = async (host: string): Promise<Finding> => {
    const one = { host, port: endpoint.port };
    try {
      return await over(await firstOf([targetAt(one)], asking.signal), quiet, talk);
    } catch (error) {
      if (asking.signal.aborted) return failed('no answer in time');
      return judge(error, endpointText(one));
    }
  };
  const findings = await Promise.all(addresses.map(ask));
  return ofAll(findings.map((finding, index) => ({ finding, address: addresses[index] ?? '' })));
}

interface Asked {
  readonly address: string;
  readonly finding: Finding;
}

/** One that failed makes the whole fail; those that are not good come first. */
function ofAll(all: readonly Asked[]): Finding {
  const bad = (result: Finding['result']): readonly Asked[] => all.filter(({ finding }) => finding.result === result);
  const [failures, others] = [bad('failed'), bad('unasked')];
  if (failures.length + others.length === 0) {
    const details = listed([...new Set(all.map(({ finding }) => finding.detail))]);
    return good(all.length === 1 ? details : `${details} from ${all.length} addresses`);
  }
  const told = [...failures, ...others].map(({ address, finding }) => `${address}: ${finding.detail}`).join(', ');
  return failures.length > 0 ? failed(told) : unasked(told);
}

async function over(socket: Socket, asking: Asking, talk: Talk): Promise<Finding> {
  asking.hears?.(() => socket.bytesRead);
  try {
    return await unlessAborted(talk(socket, asking), asking.signal);
  } finally {
    socket.destroy();
  }
}
