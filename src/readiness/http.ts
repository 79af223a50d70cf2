// Ready when a GET is answered with a status from 200 to 399. Redirections are not followed, and certificates are not
// judged: the question is whether the service answers, not whether it is to be trusted.

import { request } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Attempt } from './attempt.js';
import type { Connect } from './connection.js';

export function httpProbe(address: string, connect: Connect): Attempt {
  const url = new URL(address);
  const isTls = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  return async (signal) => {
    let socket: Socket;
    try {
      socket = await connect({ type: 'tcp', host, port }, signal);
    } catch {
      return 'not yet';
    }
    try {
      const status = await statusOf(url, isTls ? overTls(socket, host) : socket, signal);
      return status >= 200 && status < 400 ? 'ready' : 'not yet';
    } catch {
      return 'not yet';
    } finally {
      socket.destroy();
    }
  };
}

function statusOf(url: URL, socket: Socket, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request({
      createConnection: () => socket,
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: { host: url.host, connection: 'close', 'user-agent': 'upkeep', ...credentials(url) },
      signal,
    });
    asking.once('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    asking.on('error', reject);
    asking.end();
  });
}

function credentials({ username, password }: URL): { readonly authorization?: string } {
  if (username === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function overTls(socket: Socket, host: string): Socket {
  const name = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ socket, rejectUnauthorized: false, ...name });
}
