// Where a question goes: to its URL, and from there to where the answers lead. Credentials, and every header that the operator wrote,
// stay with the origin that they were written for. Sends nothing.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpQuestion, Place, TlsOptions } from '../core/question.js';
import { Verdict } from './judge.js';
import { type Asking, failed } from './kind.js';
import { userAgent } from './own-version.js';

export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly at: Place;
  /** What was asked before this one, oldest first: `GET http://localhost/` */
  readonly before: readonly string[];
}

/** For people: a query, or a user in a URL that the server made up, may hold what is nobody's business. */
export const shown = ({ origin, pathname }: URL): string => `${origin}${pathname}`;

export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1');

export function firstHop({ url: text, method, socket }: HttpQuestion): Hop {
  const url = new URL(text);
  return { url, method, at: socket === null ? placeOf(url) : { type: 'unix', path: socket }, before: [] };
}

function placeOf(url: URL): Place {
  const usual = url.protocol === 'https:' ? 443 : 80;
  return { type: 'tcp', host: hostOf(url), port: url.port === '' ? usual : Number(url.port) };
}

const isFirstOrigin = ({ url }: HttpQuestion, hop: Hop): boolean => new URL(url).origin === hop.url.origin;

export function headersOf(question: HttpQuestion, hop: Hop, asking: Asking): Record<string, string> {
  const { headers, auth } = question;
  const always = { host: hop.url.host, 'user-agent': userAgent, accept: '*/*' };
  if (!isFirstOrigin(question, hop)) return { ...always, connection: 'close' };
  const login = auth === null ? {} : { authorization: basic(auth.user, asking.secret(auth.password)) };
  const written = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return { ...always, ...login, ...written, connection: 'close' };
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** The name that was written is that of the first host. */
export const tlsOf = (question: HttpQuestion, hop: Hop): TlsOptions =>
  isFirstOrigin(question, hop) ? question.tls : { ...question.tls, name: null };

/** Whether the answer sends us elsewhere, and we go. */
export const isLed = ({ redirects }: HttpQuestion, { statusCode = 0, headers }: IncomingMessage): boolean =>
  redirects > 0 && [301, 302, 303, 307, 308].includes(statusCode) && headers.location !== undefined;

/** @throws Verdict: it leads nowhere, in a ring, or too far */
export function nextHop(
  { redirects }: HttpQuestion,
  hop: Hop,
  { statusCode, headers }: IncomingMessage,
  socket: Socket,
): Hop {
  const location = headers.location ?? '';
  const url = URL.canParse(location, hop.url.href) ? new URL(location, hop.url) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Verdict(failed(`redirected to "${location}", which is no HTTP`));
  url.hash = '';
  const method = methodAfter(statusCode ?? 0, hop.method);
  const before = [...hop.before, `${hop.method} ${hop.url.href}`];
  if (before.includes(`${method} ${url.href}`))
    throw new Verdict(failed(`redirected in a ring, back to ${shown(url)}`));
  if (before.length > redirects) throw new Verdict(failed(`redirected ${before.length} times, last to ${shown(url)}`));
  return { url, method, at: url.origin === hop.url.origin ? hereAgain(hop, socket) : placeOf(url), before };
}

/** The same server: that address of it which has answered. */
function hereAgain({ at }: Hop, { remoteAddress }: Socket): Place {
  return at.type === 'unix' || remoteAddress === undefined ? at : { ...at, host: remoteAddress };
}

/** As browsers do it (RFC 9110 15.4). */
function methodAfter(status: number, method: string): string {
  if (status === 303 && method !== 'HEAD') return 'GET';
  return (status === 301 || status === 302) && method === 'POST' ? 'GET' : method;
}
