// Asks a name server one question by UDP, with a resolver that knows no other server. A server that is named by several addresses is
// asked by all of them at once, and the first answer counts. Owns its sockets; knows nothing of what the host resolves by.

import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { errorCode } from '../core/error-text.js';
import type { DnsQuestion, Endpoint } from '../core/question.js';
import { endpointText } from '../core/question-text.js';
import { addressesOf, unlessAborted } from './addresses.js';
import { judgeAnswers, withoutAnswers } from './dns-answer.js';
import { meaningOf, Verdict } from './judge.js';
import type { Ask, Asking, Finding } from './kind.js';
import { type Miss, verdictOf } from './race.js';

/**
 * The signal ends the question, not the resolver. It sends it again after five seconds, the longest that it waits (in ms), and then
 * more and more rarely, for longer than any question is given.
 */
const PATIENCE = { timeout: 5000, tries: 10 } as const;

export const askDns: Ask<DnsQuestion> = async (question, asking) => {
  const addresses = await addressesOf(question.host, asking);
  asking.begin('answer', addresses[0] === question.host ? undefined : addresses.join(', '));
  const servers = addresses.map((host) => ({ host, port: question.port }));
  const hindered = await Promise.all(servers.map(whatHinders));
  asking.signal.throwIfAborted();
  const reachable = servers.filter((_, index) => hindered[index] === null);
  return firstAnswer(
    question,
    reachable,
    hindered.filter((miss) => miss !== null),
    asking,
  );
};

/**
 * The resolver calls it refused, whatever its socket lacks; and what we lack is not to be held against the server (monitors 11).
 * Connecting such a socket sends nothing, but takes a descriptor and a route.
 */
async function whatHinders(server: Endpoint): Promise<Miss | null> {
  const socket = createSocket(isIPv6(server.host) ? 'udp6' : 'udp4');
  try {
    socket.connect(server.port, server.host);
    await once(socket, 'connect');
    return null;
  } catch (error) {
    return { name: endpointText(server), meaning: meaningOf(error) };
  } finally {
    socket.close();
  }
}

async function firstAnswer(
  question: DnsQuestion,
  servers: readonly Endpoint[],
  misses: readonly Miss[],
  { signal }: Pick<Asking, 'signal'>,
): Promise<Finding> {
  const refusals: Miss[] = [];
  const resolvers = servers.map((server) => {
    const resolver = new Resolver(PATIENCE);
    resolver.setServers([endpointText(server)]);
    return { name: endpointText(server), resolver };
  });
  const ask = async ({ name, resolver }: (typeof resolvers)[number]): Promise<Finding> => {
    try {
      return judgeAnswers(question, await resolver.resolve(question.query, question.type));
    } catch (error) {
      const finding = withoutAnswers(question, errorCode(error));
      if (finding !== null) return finding;
      refusals.push({ name, meaning: meaningOf(error) });
      throw error;
    }
  };
  try {
    return await unlessAborted(Promise.any(resolvers.map(ask)), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AggregateError) throw new Verdict(verdictOf([...misses, ...refusals]));
    throw error;
  } finally {
    for (const { resolver } of resolvers) resolver.cancel();
  }
}
