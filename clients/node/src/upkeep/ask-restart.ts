// Asks the keeper for a restart of one service over its control socket, as `upkeep restart` does. One request, one answer.

import { request } from 'node:http';

export interface Question {
  readonly socket: string;
  readonly service: string;
  readonly reason: string | null;
}

/** A restart ends by the deadlines of its own; this one is for a keeper that hangs. */
const WAIT = '1h';

/** The pid of the new generation. @throws Error that says why the old one goes on */
export async function askRestart({ socket, service, reason }: Question): Promise<number> {
  const path = `/v1/services/${encodeURIComponent(service)}`;
  const operation = await call(socket, 'POST', `${path}/restart?wait=${WAIT}`, { reason });
  const progress = membersOf(membersOf(operation).progress);
  if (progress.type !== 'done') throw new Error(textIn(progress.text) ?? 'the keeper did not say what came of it');
  const { service: status } = membersOf(await call(socket, 'GET', path));
  const { pid } = membersOf(membersOf(status).process);
  return typeof pid === 'number' ? pid : 0;
}

function call(socketPath: string, method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? '' : JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
    const outgoing = request({ socketPath, method, path, headers, agent: false }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => {
        const value = valueIn(text);
        const status = response.statusCode ?? 0;
        if (status < 300) resolve(value);
        else reject(new Error(errorIn(value) ?? `the keeper answered with ${status}`));
      });
    });
    outgoing.on('error', (error) => reject(new Error(`the keeper cannot be asked: ${error.message}`)));
    outgoing.end(payload);
  });
}

/** What a keeper says of an error: `{error: {message}}`. */
function errorIn(value: unknown): string | null {
  const { error } = membersOf(value);
  return textIn(membersOf(error).message) ?? textIn(error);
}

const textIn = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function valueIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
