// Asks PostgreSQL: begins a session of protocol 3 and reads until it is told what comes of it. No password is sent: who is asked
// for one has a server that answers. Knows no SQL.

import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Place, PostgresQuestion } from '../core/question.js';
import { type Cut, framesOf, quoted } from './frames.js';
import { Verdict } from './judge.js';
import { type Ask, type Finding, failed, good } from './kind.js';
import { talkAt } from './talk.js';

export const askPostgres: Ask<PostgresQuestion> = (question, asking) =>
  talkAt(socketOf(question.at), asking, async (socket, { begin }) => {
    begin('answer');
    socket.write(startup(question));
    const { next } = framesOf(socket);
    for (;;) {
      const finding = judged(await next(message), socket);
      if (finding !== null) return finding;
    }
  });

/** A directory is where the server makes its socket, as libpq has it; the number is that of the usual port. */
const socketOf = (at: Place): Place =>
  at.type === 'tcp' || /\/\.s\.PGSQL\.\d+$/.test(at.path) ? at : { type: 'unix', path: join(at.path, '.s.PGSQL.5432') };

interface Message {
  readonly type: string;
  readonly body: Buffer;
}

const PROTOCOL_3 = 3 << 16;
const AUTHENTICATED = 0;
/** `X`, and a length that counts itself. */
const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4]);

function startup({ user, database }: PostgresQuestion): Buffer {
  const settings = { user, ...(database === null ? {} : { database }), application_name: 'upkeep' };
  const words = Object.entries(settings).flat();
  const body = Buffer.from(`${words.join('\0')}\0\0`, 'utf8');
  const head = Buffer.alloc(8);
  head.writeInt32BE(head.length + body.length, 0);
  head.writeInt32BE(PROTOCOL_3, 4);
  return Buffer.concat([head, body]);
}

const message: Cut<Message> = (received) => {
  if (received.length < 5) return undefined;
  const type = String.fromCharCode(received.readUInt8());
  const length = 1 + received.readInt32BE(1);
  // A server that cannot even fork says so in words: `E`, text, zero.
  const isInWords = type === 'E' && length > 30_000;
  if (isInWords) throw new Verdict(failed(quoted(received.subarray(1))));
  if (!TYPES.has(type) || length < (type === 'R' ? 9 : 5))
    throw new Verdict(failed(`no PostgreSQL server: it says ${quoted(received)}`));
  return received.length < length ? undefined : { value: { type, body: received.subarray(5, length) }, length };
};

/** All that may come before a session is ready: an error, a demand for a password, settings, notices, a key for cancelling. */
const TYPES: ReadonlySet<string> = new Set('ERSNKvZ');

/** null: not the last word. */
function judged({ type, body }: Message, socket: Socket): Finding | null {
  if (type === 'E') return ofError(body);
  if (type === 'R' && body.readInt32BE() !== AUTHENTICATED) return good('asks for authentication');
  if (type !== 'Z') return null;
  // Only a session that has begun is told of its end: before that, hanging up is what the server does not log.
  socket.write(TERMINATE);
  return good('ready for queries');
}

/**
 * Classes of SQLSTATE that tell of the server itself: no resources, an operator's intervention (starting up, shutting down), an
 * error of the system or its own. All others are about whom it does not let in, so it does answer.
 */
const ABOUT_ITSELF: ReadonlySet<string> = new Set(['53', '57', '58', 'XX']);

function ofError(body: Buffer): Finding {
  const fields = new Map(
    body
      .toString('utf8')
      .split('\0')
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  );
  const [code, text] = [fields.get('C') ?? '', fields.get('M') ?? ''];
  if (ABOUT_ITSELF.has(code.slice(0, 2))) return failed(`${text} (${code})`);
  return good(`answers, though with ${code}: ${text}`);
}
