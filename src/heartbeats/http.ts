// The kind `http`: a request over a connection of our own, without Node's agents, proxies and kept connections. Follows what it is
// to follow; where that leads is in http-hop.ts, and what an answer is worth in http-answer.ts.

import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { errorCode, errorText } from '../core/error-text.js';
import type { HttpQuestion } from '../core/question.js';
import { quoted } from './frames.js';
import { secured } from './handshake.js';
import { judged } from './http-answer.js';
import { firstHop, type Hop, headersOf, hostOf, isLed, nextHop, shown, tlsOf } from './http-hop.js';
import { Verdict } from './judge.js';
import { type Ask, type Asking, type Finding, failed } from './kind.js';
import { type Talk, talkAt, talkTo } from './talk.js';

/** Node's own, said here because it is in a message. */
const HEADER_LIMIT_KIB = 16;

export const askHttp: Ask<HttpQuestion> = (question, asking) => go(question, firstHop(question), asking);

function go(question: HttpQuestion, hop: Hop, asking: Asking): Promise<Finding> {
  const talk: Talk = async (socket, under) => {
    const response = await answered(question, hop, socket, under);
    if (!isLed(question, response)) return judged(question, hop, response, under);
    const next = nextHop(question, hop, response, socket);
    // Nothing more is read of it, and the next one may wait for its place in the server.
    socket.destroy();
    under.begin('redirect', `${response.statusCode} to ${shown(next.url)}`);
    return go(question, next, under);
  };
  const { at } = hop;
  if (at.type === 'unix') return talkAt(at, asking, talk);
  return talkTo(at, hop.before.length === 0 ? question.addresses : 'any', asking, talk);
}

async function answered(question: HttpQuestion, hop: Hop, socket: Socket, asking: Asking): Promise<IncomingMessage> {
  const { url, method } = hop;
  const headers = headersOf(question, hop, asking);
  const secure =
    url.protocol === 'https:' ? await secured(socket, hostOf(url), tlsOf(question, hop), asking, ['http/1.1']) : null;
  asking.begin('answer', secure?.getProtocol() ?? socket.remoteAddress);
  return new Promise((resolve, reject) => {
    const asked = request({
      createConnection: () => secure ?? socket,
      method,
      path: url.pathname + url.search,
      headers,
      maxHeaderSize: HEADER_LIMIT_KIB * 1024,
    });
    asked.once('response', resolve);
    // 101 is an answer too; without this Node would say that the server hung up.
    asked.once('upgrade', resolve);
    asked.on('error', (error) => reject(new Verdict(failed(whyNone(error)))));
    asked.end();
  });
}

/** Why there is no answer; by now it is about the server alone. */
function whyNone(error: Error): string {
  const code = errorCode(error, '');
  if (code === 'HPE_HEADER_OVERFLOW') return `headers longer than ${HEADER_LIMIT_KIB} KiB`;
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'closed by the server without an answer';
  if (code.startsWith('HPE_')) {
    const said = 'rawPacket' in error && Buffer.isBuffer(error.rawPacket) ? `: ${quoted(error.rawPacket)}` : '';
    return `what it answers is no HTTP${said}`;
  }
  return errorText(error);
}
