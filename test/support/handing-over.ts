// handing-over.py as a test sees it: how it is configured, what it has answered, what each generation of it says to have done,
// and a load of clients that counts what is lost. Knows no keeper.

import { rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Home } from './keeper.js';

const PROGRAM = fileURLToPath(new URL('handing-over.py', import.meta.url));

/** Its definition, on this port of 127.0.0.1; `env` as its head says. */
export const handingOver = (home: Home, port: number, env: Readonly<Record<string, string>> = {}): object => ({
  run: ['/usr/bin/python3', PROGRAM],
  sockets: { http: `127.0.0.1:${port}` },
  ready: { notify: true, timeout: '20s' },
  handover: { mode: 'overlap', drain: '20s' },
  env: { HO_LOG: home.at('steps'), HO_SWITCH: home.path, ...env },
});

/** What it is to do from now on; empty: nothing wrong. */
export const fault = (home: Home, ...lines: readonly string[]): string => home.write('fault', `${lines.join('\n')}\n`);

export const refuse = (home: Home, reason: string): string => home.write('refuse', reason);
export const accept = (home: Home): void => rmSync(home.at('refuse'), { force: true });

export interface Step {
  readonly generation: number;
  readonly pid: number;
  readonly event: string;
  readonly [more: string]: unknown;
}

/** What its generations have done, in order. */
export function stepsOf(home: Home): readonly Step[] {
  const lines = home.read('steps').split('\n').slice(0, -1);
  return lines.map((line): Step => JSON.parse(line));
}

export interface Answered {
  readonly generation: number;
  readonly pid: number;
  readonly count: number;
  readonly bytes: number;
}

/** One request, on a connection of its own unless there is an agent. */
export function ask(port: number, agent: Agent | false = false): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('error', reject);
      response.on('end', () => (response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(text))));
    });
    request.on('error', reject);
  });
}

export interface Load {
  readonly answered: () => number;
  /** In words, each that was lost or refused. */
  readonly lost: readonly string[];
  /** Waits for the answers that are under way. */
  end(): Promise<void>;
}

/** So many clients that ask again as soon as they have an answer: with one connection each, and with a fresh one each time. */
export function startLoad(port: number, clients: { readonly kept: number; readonly fresh: number }): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: clients.kept });
  const lost: string[] = [];
  let answered = 0;
  let life: 'goes on' | 'ends' = 'goes on';
  const client = async (how: Agent | false): Promise<void> => {
    while (life === 'goes on') {
      try {
        await ask(port, how);
        answered += 1;
      } catch (error) {
        lost.push(`${how === false ? 'fresh' : 'kept'}: ${String(error)}`);
      }
    }
  };
  const all = [
    ...Array.from({ length: clients.kept }, () => client(agent)),
    ...Array.from({ length: clients.fresh }, () => client(false)),
  ];
  return {
    answered: () => answered,
    lost,
    end: async () => {
      life = 'ends';
      await Promise.all(all);
      agent.destroy();
    },
  };
}
