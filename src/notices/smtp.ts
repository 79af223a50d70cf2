// A mail to a server by SMTP: what is encrypted, and what each outcome means for the letter.

import type { Socket } from 'node:net';
import type { Channel } from '../core/notice-spec.js';
import { isDistrust } from './authorities.js';
import { type Delivery, later, refused, type Sending } from './channel.js';
import { oneLine } from './clean.js';
import { type Connect, reasonOf } from './connect.js';
import { type Endpoint, endpointOf, inText, isHere } from './endpoint.js';
import type { Message } from './mail-message.js';
import { hiding } from './secret.js';
import { converse, type Login, type Outcome, type Protection, type Refusal } from './smtp-session.js';

export type Via = Extract<Extract<Channel, { type: 'mail' }>['via'], { type: 'smtp' }>;

const SUBMISSION = 587;
const SUBMISSIONS = 465;
const RELAY = 25;
const LONGEST_ANSWER = 300;

type Failed = Extract<Outcome, { type: 'failed' }>;
/** Makes what a server said fit to be told. */
type Said = (text: string) => string;

/** How the server is reached. `ca`: authorities for its certificate, PEM. */
interface Reach {
  readonly ca: string | undefined;
  readonly connect: Connect;
}

export async function sendBySmtp(
  via: Via,
  login: Login | null,
  message: Message,
  { signal, talk }: Sending,
  { ca, connect }: Reach,
): Promise<Delivery> {
  const endpoint = endpointOf(via.server, SUBMISSION);
  const hide = hiding(login === null ? [] : [login.password, `\0${login.user}\0${login.password}`]);
  const said: Said = (text) => oneLine(hide(text), LONGEST_ANSWER);
  let socket: Socket;
  try {
    socket = await connect(endpoint, signal);
  } catch (error) {
    return later(
      signal.aborted
        ? `${inText(endpoint)} did not take the connection in time`
        : `no mail server: ${said(reasonOf(error))}`,
    );
  }
  talk(`connected to ${inText(endpoint)}`);
  const protection = protectionOf(via, endpoint, login);
  const outcome = await converse(
    { socket, endpoint, protection, ca, login, signal, talk: (line) => talk(said(line)) },
    message,
  );
  if (outcome.type === 'failed') return deliveryOf(outcome, inText(endpoint), login, signal, said);
  const missed = outcome.refused.length === 0 ? '' : `; refused ${listOf(outcome.refused, said)}`;
  return { type: 'delivered', answer: said(outcome.answer) + missed };
}

/** Port 25 is how mail servers talk to each other: encrypted if they can. A password never goes that way to another host. */
function protectionOf(via: Via, endpoint: Endpoint, login: Login | null): Protection {
  if (via.tls === 'none') return { type: 'none' };
  const certificate = via.tls === 'insecure' ? 'any' : 'checked';
  if (endpoint.port === SUBMISSIONS) return { type: 'tls', certificate };
  if (isHere(endpoint) || (endpoint.port === RELAY && login === null)) return { type: 'opportunistic' };
  return { type: 'starttls', certificate };
}

/** What did not work is tried again, unless the server refused this very mail for good. */
function deliveryOf(failed: Failed, server: string, login: Login | null, signal: AbortSignal, said: Said): Delivery {
  const { error, step } = failed;
  if (signal.aborted) return later(`${server} did not answer in time (${step})`);
  const answer = typeof error.response === 'string' ? said(error.response) : null;
  if (answer === null) return later(whyBroken(error.message, String(error.originalCode ?? ''), server, said));
  switch (step) {
    case 'greeting':
      return later(
        error.command === 'STARTTLS'
          ? `${server} does not encrypt (${answer}); \`tls: none\` sends in the clear`
          : `${server}: ${answer}`,
      );
    case 'login':
      return later(`${server} refuses the login of ${login?.user ?? 'nobody'}: ${answer}`);
    case 'mail':
      return onMail(failed, `${server}: ${answer}`, said);
  }
}

/** 530: what it wants is a login or TLS, and a word in the configuration helps; the mail is good. */
function onMail({ error, refused: recipients }: Failed, reason: string, said: Said): Delivery {
  const isForGood = error.permanent === true && error.responseCode !== 530;
  if (error.command === 'MAIL FROM' && isForGood) return refused(`${reason}; \`from\` of the channel says who sends`);
  const whole = recipients.length === 0 ? reason : `refused ${listOf(recipients, said)}`;
  return isForGood ? refused(whole) : later(whole);
}

/** No answer, but a connection that came to nothing. */
function whyBroken(message: string, code: string, server: string, said: Said): string {
  return isDistrust(code)
    ? `the certificate of ${server} is not believed (${said(message)}); \`tls: insecure\` takes any`
    : `${server}: ${said(message)}`;
}

const listOf = (refusals: readonly Refusal[], said: Said): string =>
  refusals.map(({ address, answer }) => `${address}: ${said(answer)}`).join('; ');
