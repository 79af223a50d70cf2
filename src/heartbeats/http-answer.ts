// What an answer is worth: its status, its headers, and as much of its body as was asked for, which is nothing in most questions.

import type { IncomingMessage } from 'node:http';
import type { HttpQuestion } from '../core/question.js';
import { type Hop, shown } from './http-hop.js';
import { type Asking, type Finding, failed, good } from './kind.js';
import { isMatch } from './pattern.js';

const BODY_LIMIT_KIB = 64;

export async function judged(
  question: HttpQuestion,
  hop: Hop,
  response: IncomingMessage,
  asking: Asking,
): Promise<Finding> {
  const status = response.statusCode ?? 0;
  const fault = wrongStatus(question, status) ?? wrongHeader(question, response) ?? null;
  if (fault !== null) return failed(`${fault}${whence(hop)}`);
  if (question.body !== null) {
    asking.begin('body', String(status));
    const wrong = wrongBody(question.body, await beginningOf(response));
    if (wrong !== null) return failed(`${status}, but ${wrong}${whence(hop)}`);
  }
  return good(`${status}${whence(hop)}`);
}

/** Where we were led. */
const whence = ({ before, url }: Hop): string => (before.length === 0 ? '' : ` from ${shown(url)}`);

function wrongStatus({ status: ranges }: HttpQuestion, status: number): string | null {
  if (ranges.some(([from, to]) => status >= from && status <= to)) return null;
  return `${status} instead of ${ranges.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(', ')}`;
}

function wrongHeader({ header }: HttpQuestion, { headers, statusCode }: IncomingMessage): string | null {
  for (const [name, pattern] of Object.entries(header)) {
    const value = [headers[name.toLowerCase()] ?? []].flat().join(', ');
    if (headers[name.toLowerCase()] === undefined) return `${statusCode}, but no header ${name}`;
    if (!isMatch(pattern, value)) return `${statusCode}, but its header ${name} is "${value}", not /${pattern}/`;
  }
  return null;
}

function wrongBody(pattern: string, body: Buffer): string | null {
  if (isMatch(pattern, body.toString('utf8'))) return null;
  const where = body.length === BODY_LIMIT_KIB * 1024 ? `the first ${BODY_LIMIT_KIB} KiB of its body` : 'its body';
  return `/${pattern}/ is not in ${where}`;
}

/** What there is of it, also where the server breaks off. */
function beginningOf(response: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const end = (): void => {
      response.destroy();
      resolve(Buffer.concat(pieces).subarray(0, BODY_LIMIT_KIB * 1024));
    };
    response.on('data', (piece: Buffer) => {
      pieces.push(piece);
      length += piece.length;
      if (length >= BODY_LIMIT_KIB * 1024) end();
    });
    response.on('error', end).once('end', end).once('close', end);
  });
}
