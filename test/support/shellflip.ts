// The example of the seed (clients/node/examples/shellflip.mjs), and what is the same of it whoever runs it: it counts its
// generations and its requests in the state that goes from one to the next, and the fifth is one too many. Knows no manager.

import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

export const SHELLFLIP = fileURLToPath(new URL('../../clients/node/examples/shellflip.mjs', import.meta.url));

export const TOO_MANY = 'generation 5 is one too many';

export interface Flipped {
  readonly generation: number;
  readonly requests: number;
  readonly pid: number;
  readonly mode: { readonly manager: string; readonly guarantees: Readonly<Record<string, boolean>> };
}

const fetched = <T>(port: number, path: string): Promise<T> =>
  new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('error', reject);
      response.on('end', () => resolve(JSON.parse(text)));
    }).on('error', reject);
  });

export const flipped = (port: number): Promise<Flipped> => fetched(port, '/');

/** A restart that the service asks for itself: the pid of the next generation (0: only its manager knows), or why there is none. */
export const flipsItself = (port: number): Promise<{ readonly pid?: number; readonly error?: string }> =>
  fetched(port, '/restart');

/** Four generations, each with the count of those before. `restart` comes back when the next one serves. */
export async function fourGenerations(port: number, restart: (next: number) => Promise<unknown>): Promise<Flipped> {
  let last = await flipped(port);
  expect([last.generation, last.requests]).toEqual([1, 1]);
  for (const generation of [2, 3, 4]) {
    await restart(generation);
    const now = await flipped(port);
    expect([now.generation, now.requests]).toEqual([generation, last.requests + 1]);
    expect(now.pid).not.toBe(last.pid);
    expect(now.mode).toEqual(last.mode);
    last = now;
  }
  return last;
}
