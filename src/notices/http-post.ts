// One POST over HTTP or HTTPS: to all addresses of the host, without proxies, redirects or a connection that is kept, under
// one deadline. It must not know what is posted, nor what an answer means.

import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Connect, unlessAborted } from './connect.js';
import { type Endpoint, endpointOf } from './endpoint.js';

export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Authorities for the certificate, PEM; undefined: Node's own. */
  readonly ca: string | undefined;
  readonly connect: Connect;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  /** The beginning of it. */
  readonly body: string;
}

const MOST_BODY = 1024;
/** For the body of an answer whose status is known, in ms: it is a courtesy. */
const PATIENCE = 2000;

export function endpointOfUrl({ protocol, hostname, port }: URL): Endpoint {
  return { ...endpointOf(hostname, 0), port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
}

/** @throws Error, or the signal's reason */
export async function post(it: Post): Promise<Answer> {
  const { url, ca, connect, signal } = it;
  const endpoint = endpointOfUrl(url);
  const socket = await connect(endpoint, signal);
  try {
    const ready = url.protocol === 'https:' ? await secured(socket, endpoint, ca, signal) : socket;
    const response = await answered(it, ready);
    return {
      status: response.statusCode ?? 0,
      retryAfter: response.headers['retry-after'] ?? null,
      body: await beginningOf(response, signal),
    };
  } finally {
    socket.destroy();
  }
}

function secured(socket: Socket, { host }: Endpoint, ca: string | undefined, signal: AbortSignal): Promise<Socket> {
  const shaken = new Promise<Socket>((resolve, reject) => {
    const secure = connectTls(
      {
        socket,
        host,
        // A name to ask for; an address is none (RFC 6066 3).
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ALPNProtocols: ['http/1.1'],
        ...(ca === undefined ? {} : { ca }),
      },
      () => resolve(secure),
    );
    secure.on('error', reject);
  });
  return unlessAborted(shaken, signal);
}

function answered({ url, headers, body, signal }: Post, socket: Socket): Promise<IncomingMessage> {
  const { username, password, pathname, search, host } = url;
  const auth = username === '' ? {} : { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` };
  return new Promise((resolve, reject) => {
    const posted = request({
      method: 'POST',
      path: pathname + search,
      headers: { host, ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' },
      ...auth,
      createConnection: () => socket,
      signal,
    });
    posted.on('error', reject);
    posted.on('response', resolve);
    posted.end(body);
  });
}

function beginningOf(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      response.destroy();
      resolve(Buffer.concat(pieces).subarray(0, MOST_BODY).toString('utf8'));
    };
    const timer = setTimeout(end, PATIENCE);
    signal.addEventListener('abort', end, { once: true });
    response.on('data', (piece: Buffer) => {
      pieces.push(piece);
      length += piece.length;
      if (length >= MOST_BODY) end();
    });
    response.once('end', end);
    response.once('error', end);
    response.once('close', end);
  });
}
