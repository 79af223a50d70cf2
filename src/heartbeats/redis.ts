// Asks Redis, or what speaks like it: PING, after AUTH where there is a password. Knows no data.

import type { RedisQuestion } from '../core/question.js';
import { type Cut, framesOf, quoted } from './frames.js';
import { Verdict } from './judge.js';
import { type Ask, type Finding, failed, good } from './kind.js';
import { talkAt } from './talk.js';

export const askRedis: Ask<RedisQuestion> = async ({ at, password }, asking) => {
  const secret = password === null ? null : asking.secret(password);
  return talkAt(at, asking, async (socket, { begin }) => {
    begin('answer');
    socket.write((secret === null ? '' : command('AUTH', secret)) + command('PING'));
    const { next } = framesOf(socket);
    const login = secret === null ? null : await next(reply);
    return judged(await next(reply), login);
  });
};

/** An array of strings, each with its length in bytes: a password may hold anything. */
const command = (...words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;

/** A line, as all answers to these two commands are. */
const reply: Cut<string> = (received) => {
  if (received.length === 0) return undefined;
  if (!'+-'.includes(String.fromCharCode(received.readUInt8())))
    throw new Verdict(failed(`no Redis server: it says ${quoted(received)}`));
  const end = received.indexOf('\r\n');
  return end === -1 ? undefined : { value: received.toString('utf8', 0, end), length: end + 2 };
};

/** Errors of a server that does work, and lets in whom it knows: by password, by rights, from its own host only. */
const STRANGERS = /^-(NOAUTH|NOPERM|DENIED)\b/;

/** What PING comes to counts: a server without a password refuses AUTH, and works. */
function judged(pong: string, login: string | null): Finding {
  if (pong === '+PONG') return good('PONG');
  if (!STRANGERS.test(pong)) return failed(pong.replace(/^-/, ''));
  return login === null ? good(`answers, and lets in no stranger: ${pong.slice(1)}`) : failed(login.slice(1));
}
