// What any protocol of text can be asked with: a text to send, and a pattern for what comes. Of what comes at most the first 64 KiB
// are looked at. Knows no way to the server.

import { once } from 'node:events';
import type { RegexText, TcpQuestion } from '../core/question.js';
import { type Cut, framesOf, MOST, quoted, type Without } from './frames.js';
import { type Finding, good } from './kind.js';
import { firstMatch } from './pattern.js';
import type { Talk } from './talk.js';

/** Without an expectation it is enough that somebody takes the connection, and the text. */
export const exchange =
  ({ send, expect }: Pick<TcpQuestion, 'send' | 'expect'>): Talk =>
  async (socket, { begin }) => {
    if (expect !== null) {
      begin('answer');
      if (send !== null) socket.write(send);
      return framesOf(socket).next(matching(expect), mismatch(expect));
    }
    if (send === null) return good('connected');
    begin('send');
    await once(socket.end(send), 'finish');
    return good('connected, and sent the text');
  };

const matching =
  (expect: RegexText): Cut<Finding> =>
  (received) => {
    const found = firstMatch(expect, received.toString('utf8', 0, MOST));
    return found === null ? undefined : { value: good(answer(Buffer.from(found))), length: received.length };
  };

const answer = (matched: Buffer): string => (matched.length === 0 ? 'connected' : `answered ${quoted(matched)}`);

const mismatch =
  (expect: RegexText): Without =>
  (end, received) => {
    if (received.length === 0) return `closed without a word, where /${expect}/ is expected`;
    const came = end === 'closed' ? `closed after ${received.length} bytes` : '64 KiB came';
    return `${came} that do not match /${expect}/: ${quoted(received)}`;
  };
