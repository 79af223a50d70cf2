// A real HTTP server on this machine that keeps what was posted to it, and answers as a test orders while it runs.

import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { certificate } from './certificate.js';
import { keep } from './kept.js';

export interface Posted {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How it answers; may be changed at any time. */
export interface Manner {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
  /** `request`: it takes the request and never answers. `body`: it begins an answer and never ends it. */
  hangs: 'never' | 'request' | 'body';
}

export interface WebhookReceiver {
  /** Without a path: `http://127.0.0.1:41000`. */
  readonly origin: string;
  readonly posted: readonly Posted[];
  readonly manner: Manner;
  /** Resolves when so many requests are there. */
  readonly until: (count: number) => Promise<readonly Posted[]>;
  readonly close: () => Promise<void>;
}

export async function startWebhookReceiver(options: { readonly tls?: 'none' | 'tls' } = {}): Promise<WebhookReceiver> {
  const kept = keep<Posted>();
  const manner: Manner = { status: 200, headers: {}, body: 'ok', hangs: 'never' };
  const isSecure = options.tls === 'tls';
  const server: Server = isSecure ? createSecureServer(certificate()) : createServer();
  server.on('request', (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      kept.add({ method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') });
      if (manner.hangs === 'request') return;
      response.writeHead(manner.status, manner.headers);
      if (manner.hangs === 'body') response.write(manner.body);
      else response.end(manner.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: isSecure ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    posted: kept.all,
    manner,
    until: kept.until,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
