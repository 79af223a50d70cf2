// The other end of the control socket: one request, one answer. Knows no command and prints nothing.

import { type IncomingMessage, request } from 'node:http';
import { errorText } from '../core/error-text.js';

export type Answer =
  | { readonly type: 'ok'; readonly status: number; readonly body: unknown }
  /** The keeper answered with an error of its own. */
  | { readonly type: 'error'; readonly status: number; readonly code: string; readonly message: string }
  /** Nobody answers at the socket; `reason` is the system's word. */
  | { readonly type: 'no-keeper'; readonly reason: string };

export interface Call {
  readonly socket: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** Milliseconds without an answer after which the keeper counts as hung; 0: wait for ever. */
  readonly patience: number;
  /** Ends the call, not what was asked for. */
  readonly signal?: AbortSignal;
}

/** Never rejects: what goes wrong is an answer. */
export function call({ socket, method, path, body, patience, signal }: Call): Promise<Answer> {
  return new Promise((resolve) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
    const outgoing = request(
      { socketPath: socket, method, path, headers, agent: false, ...(signal === undefined ? {} : { signal }) },
      (response) => {
        readText(response).then(
          (text) => resolve(answerOf(response.statusCode ?? 0, text)),
          (error: unknown) => resolve(noKeeper(error)),
        );
      },
    );
    outgoing.on('error', (error) => resolve(noKeeper(error)));
    if (patience > 0)
      outgoing.setTimeout(patience, () => outgoing.destroy(new Error(`no answer within ${patience / 1000} s`)));
    outgoing.end(payload);
  });
}

/** `onOpen`: from now on no event is missed. */
export interface Listener {
  readonly onOpen: () => void;
  readonly onEvent: (data: unknown) => void;
}

/** Follows GET /v1/events; calls back with each event's data. Resolves when the keeper ends it, or `signal` does. */
export function follow(socket: string, { onOpen, onEvent }: Listener, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    const outgoing = request({ socketPath: socket, path: '/v1/events', agent: false, signal }, (response) => {
      onOpen();
      let buffered = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        buffered += chunk;
        for (let end = buffered.indexOf('\n\n'); end >= 0; end = buffered.indexOf('\n\n')) {
          const frame = buffered.slice(0, end);
          buffered = buffered.slice(end + 2);
          const data = frame.split('\n').find((line) => line.startsWith('data: '));
          if (data !== undefined) onEvent(JSON.parse(data.slice(6)));
        }
      });
      response.on('end', () => resolve({ type: 'ok', status: response.statusCode ?? 0, body: null }));
      response.on('error', (error) => resolve(noKeeper(error)));
    });
    outgoing.on('error', (error) => resolve(noKeeper(error)));
    outgoing.end();
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

function answerOf(status: number, text: string): Answer {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = text;
  }
  if (status < 400) return { type: 'ok', status, body };
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : null;
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
  const message =
    typeof error === 'object' && error !== null && 'message' in error
      ? String(error.message)
      : `the keeper answered ${status}`;
  return { type: 'error', status, code, message };
}

function noKeeper(error: unknown): Answer {
  return { type: 'no-keeper', reason: errorText(error) };
}
