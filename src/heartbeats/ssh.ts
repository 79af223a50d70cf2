// Asks an SSH server for its banner (RFC 4253 section 4.2). Says one of its own, so that a server does not take it for a scanner,
// and hangs up before any key is exchanged. Knows no more of the protocol.

import type { SshQuestion } from '../core/question.js';
import { type Cut, framesOf } from './frames.js';
import { type Ask, type Finding, failed, good, unasked } from './kind.js';
import { talkTo } from './talk.js';

export const askSsh: Ask<SshQuestion> = (question, asking) =>
  talkTo(question, question.addresses, asking, async (socket, { begin }) => {
    begin('banner');
    socket.write('SSH-2.0-Upkeep\r\n');
    return framesOf(socket).next(banner);
  });

/** Lines of text may come before it. They stay, to be told of should none come. */
const banner: Cut<Finding> = (received) => {
  const lines = received.toString('utf8').split(/\r?\n/).slice(0, -1);
  const value = lines.map(judged).find((finding) => finding !== null);
  return value && { value, length: received.length };
};

/** null: no banner. */
function judged(said: string): Finding | null {
  const [, version, software = ''] = /^SSH-([^-]*)-(\S+)/.exec(said) ?? [];
  // 1.99: it speaks both 1 and 2.
  if (version === '2.0' || version === '1.99') return good(software);
  if (version !== undefined) return failed(`speaks SSH ${version}, not 2`);
  // What OpenSSH says before it hangs up: too many are logging in, or (since 9.8) this address has come too often without logging in.
  if (said.startsWith('Exceeded MaxStartups')) return failed(said);
  if (said.startsWith('Not allowed at this time'))
    return unasked(
      'sshd turns this address away for a while: ask less often, or name it in PerSourcePenaltyExemptList',
    );
  return null;
}
