// Asks a Unix socket: whether somebody takes the connection, and what comes over it.

import type { UnixQuestion } from '../core/question.js';
import { exchange } from './exchange.js';
import type { Ask } from './kind.js';
import { talkAt } from './talk.js';

export const askUnix: Ask<UnixQuestion> = (question, asking) =>
  talkAt({ type: 'unix', path: question.path }, asking, exchange(question));
