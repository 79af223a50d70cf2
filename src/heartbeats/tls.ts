// Asks a server for TLS: a handshake, a certificate that counts, and days that it is good for. Nothing is said over it.

import type { TlsQuestion } from '../core/question.js';
import { inWords } from '../core/time.js';
import { chainOf, type Link } from './chain.js';
import { secured } from './handshake.js';
import { type Ask, type Finding, failed, good } from './kind.js';
import { talkTo } from './talk.js';

const DAY = 86_400_000;

export const askTls: Ask<TlsQuestion> = (question, asking) =>
  talkTo(question, question.addresses, asking, async (socket, under) => {
    const secure = await secured(socket, question.host, question.tls, under);
    return judgeDays(chainOf(secure.getPeerCertificate(true)), question.days, Date.now());
  });

/**
 * The first of the chain that runs out counts. An issuer that has expired is none that the certificate was believed by: many
 * servers go on showing an old authority beside the one that took its place.
 */
export function judgeDays([own, ...issuers]: readonly [Link, ...Link[]], days: number, now: number): Finding {
  const first = [own, ...issuers.filter(({ until }) => until > now)].reduce((a, b) => (b.until < a.until ? b : a));
  const left = first.until - now;
  if (left <= 0) return failed(`${first.whose} expired ${inWords(-left)} ago`);
  if (left < days * DAY) return failed(`${first.whose} expires in ${inWords(left)}, ${days} d are wanted`);
  return good(`valid for ${inWords(left)}`);
}
