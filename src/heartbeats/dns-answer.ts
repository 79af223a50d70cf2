// What a name server's answer, or its refusal, is worth, in the words of people who run one. Knows no socket.

import type { Resolver } from 'node:dns/promises';
import type { DnsQuestion } from '../core/question.js';
import { type Finding, failed, good, unasked } from './kind.js';
import { listed } from './listed.js';
import { isMatch } from './pattern.js';

type Answers = Awaited<ReturnType<Resolver['resolve']>>;

export function judgeAnswers({ type, query, expect }: DnsQuestion, found: Answers): Finding {
  const answers = textsOf(found);
  // What c-ares makes of an answer whose records are of other types.
  if (answers.length === 0) return failed(`${query} has no ${type}`);
  if (expect === null || answers.some((answer) => isMatch(expect, answer))) return good(listed(answers));
  return failed(`${listed(answers)} does not match /${expect}/`);
}

/** What the server has said instead of an answer, by the codes of c-ares; null: it has said nothing. */
export function withoutAnswers({ type, query }: DnsQuestion, code: string): Finding | null {
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
