// Asks a mail server: waits for its greeting, says EHLO, and QUIT. Sends no mail, and knows nothing of TLS.

import { hostname } from 'node:os';
import type { SmtpQuestion } from '../core/question.js';
import { type Cut, framesOf, quoted } from './frames.js';
import { Verdict } from './judge.js';
import { type Ask, failed, good } from './kind.js';
import { talkTo } from './talk.js';

export const askSmtp: Ask<SmtpQuestion> = (question, asking) =>
  talkTo(question, question.addresses, asking, async (socket, { begin }) => {
    const { next } = framesOf(socket);
    begin('greeting');
    const greeting = await next(reply);
    // 421: too busy, or about to end; 554: no service for us.
    if (greeting.code !== 220) return failed(greeting.text);
    begin('EHLO');
    socket.write(`EHLO ${hostname()}\r\n`);
    const hello = await next(reply);
    if (hello.code !== 250) return failed(`EHLO: ${hello.text}`);
    begin('QUIT');
    socket.write('QUIT\r\n');
    // It has shown that it works. How it says goodbye is a matter of manners; that it does, spares its log a lost connection.
    await next(reply).catch(() => undefined);
    return good(greeting.text);
  });

interface Reply {
  readonly code: number;
  /** Its first line: `421 too busy` */
  readonly text: string;
}

const LINE = /^(\d{3})(?:([ -])(.*))?$/;

/** Lines with a hyphen behind the code go on (RFC 5321 section 4.2.1). */
const reply: Cut<Reply> = (received) => {
  const lines = received.toString('latin1').split('\n').slice(0, -1);
  const stranger = lines.find((line) => !LINE.test(line.trimEnd()));
  if (stranger !== undefined) throw new Verdict(failed(`no mail server: it says ${quoted(received)}`));
  const last = lines.findIndex((line) => line[3] !== '-');
  if (last === -1) return undefined;
  const length = lines.slice(0, last + 1).reduce((sum, line) => sum + line.length + 1, 0);
  const [first = ''] = received.toString('utf8', 0, length).split('\n');
  const [, code = '', , said = ''] = LINE.exec(first.trimEnd()) ?? [];
  return { value: { code: Number(code), text: `${code} ${said}`.trimEnd() }, length };
};
