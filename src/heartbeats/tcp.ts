// Asks a TCP port: whether somebody takes the connection, and what comes over it.

import type { TcpQuestion } from '../core/question.js';
import { exchange } from './exchange.js';
import type { Ask } from './kind.js';
import { talkTo } from './talk.js';

export const askTcp: Ask<TcpQuestion> = (question, asking) =>
  talkTo(question, question.addresses, asking, exchange(question));
