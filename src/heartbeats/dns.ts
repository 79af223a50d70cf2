// Asks a name server one question by UDP, with a resolver that knows no other server. A server that is named by several addresses is
// asked by all of them at once, and the first answer counts. Owns its sockets; knows nothing of what the host resolves by.

import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { errorCode } from '../core/error-text.js';
import type { DnsQuestion, Endpoint } from '../core/question.js';
import { addressesOf, unlessAborted } from './addresses.js';
import { meaningOf, Verdict } from './judge.js';
import { type Ask, type Asking, type Finding, failed, good, unasked } from './kind.js';
import { listed } from './listed.js';
import { endpointText, type Miss, verdictOf } from './race.js';

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
      return judgeAnswers(question, textsOf(await resolver.resolve(question.query, question.type)));
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

type Answers = Awaited<ReturnType<Resolver['resolve']>>;

/** As `dig +short` has them, without the dots at the end. */
const textsOf = (answers: Answers): readonly string[] => [answers].flat().map(textOf);

function textOf(answer: Exclude<Answers, readonly unknown[]> | Extract<Answers, readonly unknown[]>[number]): string {
  if (typeof answer === 'string') return answer;
  // A long text comes in pieces.
  if (Array.isArray(answer)) return answer.join('');
  if ('nsname' in answer) {
    const { nsname, hostmaster, serial, refresh, retry, expire, minttl } = answer;
    return [nsname, hostmaster, serial, refresh, retry, expire, minttl].join(' ');
  }
  if ('port' in answer) return [answer.priority, answer.weight, answer.port, answer.name].join(' ');
  return 'exchange' in answer ? `${answer.priority} ${answer.exchange}` : JSON.stringify(answer);
}

function judgeAnswers({ type, query, expect }: DnsQuestion, answers: readonly string[]): Finding {
  // What c-ares makes of an answer whose records are of other types.
  if (answers.length === 0) return failed(`${query} has no ${type}`);
  if (expect === null || answers.some((answer) => new RegExp(expect, 'u').test(answer))) return good(listed(answers));
  return failed(`${listed(answers)} does not match /${expect}/`);
}

/** What the server has said instead of an answer, by the codes of c-ares; null: it has said nothing. */
function withoutAnswers({ type, query }: DnsQuestion, code: string): Finding | null {
  switch (code) {
    case 'ENOTFOUND':
      return failed(`NXDOMAIN: there is no ${query}`);
    case 'ENODATA':
      return failed(`${query} has no ${type}`);
    case 'ESERVFAIL':
      return failed(`SERVFAIL: it could not find out about ${query}`);
    case 'EREFUSED':
      return failed(`REFUSED: it does not answer us about ${query}`);
    case 'EFORMERR':
    case 'ENOTIMP':
      return failed(`${code.slice(1)}: it does not understand the question`);
    case 'ETIMEOUT':
      return failed('no answer');
    case 'EBADRESP':
      return failed('an answer that cannot be read');
    case 'EBADNAME':
      return unasked(`${query} is no name that can be asked for`);
    default:
      return null;
  }
}
