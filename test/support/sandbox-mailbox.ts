// The mailbox of root in the sandbox, as a mail system leaves it there (mbox). Mails of other tests may lie in it too.

import { existsSync, readFileSync } from 'node:fs';
import { type Mail, readMail } from './mail-reader.js';

export const MAILBOX = '/var/mail/root';

/** All that lie there, oldest first. */
export function mailbox(): readonly Mail[] {
  const text = existsSync(MAILBOX) ? readFileSync(MAILBOX, 'utf8') : '';
  return text
    .split(/^From \S+ .*\n/m)
    .filter((mail) => mail !== '')
    .map((mail) => readMail(Buffer.from(mail)));
}
