// The channel `mail`: whom a mail is from, and which of the two ways it goes.

import type { Channel } from '../core/notice-spec.js';
import { authorities } from './authorities.js';
import { later, type Send } from './channel.js';
import type { Connect } from './connect.js';
import { hostPart, messageOf } from './mail-message.js';
import { type Keeping, readSecret } from './secret.js';
import { findSendmail, sendBySendmail } from './sendmail.js';
import { sendBySmtp, type Via } from './smtp.js';
import type { Login } from './smtp-session.js';

type Mail = Extract<Channel, { type: 'mail' }>;

export interface MailNeeds extends Keeping {
  readonly connect: Connect;
  /** The name of the keeper's user: who sends, as the host's own mail system knows him. */
  readonly user: string;
  /** Where `sendmail` is looked for before PATH; else where it is by tradition. */
  readonly sendmail?: readonly string[];
}

export function mailSender(channel: Mail, needs: MailNeeds): Send {
  const { via } = channel;
  return via.type === 'smtp' ? bySmtp(channel, via, needs) : bySendmail(channel, needs);
}

const bySendmail =
  ({ to, from }: Mail, { user, env, sendmail }: MailNeeds): Send =>
  async (letter, sending) => {
    const program = findSendmail(env, sendmail);
    if (program === null) return later(NO_SENDMAIL);
    // A bare name: the mail system adds the domain that it has for mails of this host.
    const message = await messageOf(letter, { from: from ?? user, to }, 'local');
    return sendBySendmail(program, message, from, env, sending);
  };

const NO_SENDMAIL =
  'this host has no sendmail; install a mail system such as postfix or msmtp-mta, or write `via: {smtp: "mail.example.org:587"}`';

const bySmtp =
  ({ to, from }: Mail, via: Via, needs: MailNeeds): Send =>
  async (letter, sending) => {
    const login = loginOf(via, needs);
    if (login.type === 'unreadable') return later(`the password of ${via.user}: ${login.reason}`);
    const message = await messageOf(letter, { from: from ?? `upkeep@${hostPart(letter.host)}`, to }, 'network');
    return sendBySmtp(via, login.value, message, sending, {
      ca: authorities(needs.env),
      connect: needs.connect,
    });
  };

function loginOf({ user, password }: Via, needs: MailNeeds): LoginRead {
  if (user === null || password === null) return { type: 'login', value: null };
  const read = readSecret(password, needs);
  return read.type === 'read' ? { type: 'login', value: { user, password: read.word } } : read;
}

type LoginRead =
  | { readonly type: 'login'; readonly value: Login | null }
  | { readonly type: 'unreadable'; readonly reason: string };
