// The channel `webhook`: a letter posted to a URL, and what the answer means for it. The URL is a secret as a whole: whoever
// has it can post there too. Only its host is ever named.

import { errorCode } from '../core/error-text.js';
import type { Channel } from '../core/notice-spec.js';
import { authorities, isDistrust } from './authorities.js';
import { type Delivery, later, refused, type Send } from './channel.js';
import { oneLine } from './clean.js';
import { type Connect, reasonOf } from './connect.js';
import { inText } from './endpoint.js';
import { type Answer, endpointOfUrl, post } from './http-post.js';
import { hiding, type Keeping, readSecret } from './secret.js';
import { bodyOf } from './webhook-body.js';

type Webhook = Extract<Channel, { type: 'webhook' }>;

const LONGEST_ANSWER = 200;

export interface WebhookNeeds extends Keeping {
  readonly connect: Connect;
}

export function webhookSender({ url, format }: Webhook, needs: WebhookNeeds): Send {
  return async (letter, { signal, talk }) => {
    const target = urlOf(url, needs);
    if (target.type === 'unreadable') return later(`the URL: ${target.reason}`);
    const server = inText(endpointOfUrl(target.url));
    const hide = hiding(secretsOf(target.url));
    const said = (text: string): string => oneLine(hide(text), LONGEST_ANSWER);
    const { headers, text } = bodyOf(letter, format);
    talk(`> POST to ${server}, ${Buffer.byteLength(text)} bytes as ${format}`);
    try {
      const answer = await post({
        url: target.url,
        headers,
        body: text,
        ca: authorities(needs.env),
        connect: needs.connect,
        signal,
      });
      talk(`< ${answer.status} ${said(answer.body)}`);
      return deliveryOf(answer, server, said);
    } catch (error) {
      if (signal.aborted) return later(`${server} did not answer in time`);
      return later(whyNot(server, error, said));
    }
  };
}

function whyNot(server: string, error: unknown, said: (text: string) => string): string {
  const reason = said(reasonOf(error));
  if (error instanceof Error && isDistrust(errorCode(error, '')))
    return `the certificate of ${server} is not believed (${said(error.message)})`;
  return reason.includes(server) ? reason : `${server}: ${reason}`;
}

type Target = { readonly type: 'url'; readonly url: URL } | { readonly type: 'unreadable'; readonly reason: string };

function urlOf(url: Webhook['url'], needs: Keeping): Target {
  if (typeof url === 'string') return { type: 'url', url: new URL(url) };
  const read = readSecret(url, needs);
  if (read.type === 'unreadable') return read;
  const place = url.type === 'file' ? url.path : `the variable ${url.name}`;
  return /^https?:\/\//.test(read.word) && URL.canParse(read.word)
    ? { type: 'url', url: new URL(read.word) }
    : { type: 'unreadable', reason: `what is in ${place} is no URL that begins with https://` };
}

/** What an answer might repeat of it. A short piece, like `api`, is no secret and would blot out words. */
function secretsOf({ href, pathname, search, username, password }: URL): readonly string[] {
  const pieces = [...pathname.split('/'), ...search.slice(1).split(/[&=]/), username, password];
  return [href, pathname + search, ...pieces].filter((piece) => piece.length >= 8);
}

/** Too early, too many, or the other side is ill: these pass. 408, 425, 429 of RFC 9110, 8470 and 6585. */
const PASSING = [408, 425, 429];

function deliveryOf({ status, retryAfter, body }: Answer, server: string, said: (text: string) => string): Delivery {
  const words = said(body);
  const answer = words === '' ? String(status) : `${status} ${words}`;
  if (status >= 200 && status < 300) return { type: 'delivered', answer };
  if (status >= 300 && status < 400)
    return refused(`${server} sends us elsewhere (${status}), which is not followed; write the URL that it goes to`);
  const wait = retryAfter === null ? '' : `, to be tried after ${oneLine(retryAfter, 40)}`;
  if (status >= 500 || PASSING.includes(status)) return later(`${server} answered ${answer}${wait}`);
  return refused(`${server} answered ${answer}`);
}
