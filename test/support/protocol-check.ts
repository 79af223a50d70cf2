// A check of what a manager does for its services by sd_notify, sockets and the fd store: a script that is the service, how each of
// the two managers is told to run it, and what is looked at. Knows neither of the two; they are protocol-systemd.ts and
// protocol-upkeep.ts.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Ran, until } from './sandbox-machine.js';

export interface Check {
  /** A case of graceful.md 6. */
  readonly cites: string;
  /** Unique, and part of the name of its service. */
  readonly id: string;
  /** What the service runs, by /bin/sh, in its place. */
  readonly script: (place: string) => string;
  /** Lines of [Service]. */
  readonly unit: (place: string) => readonly string[];
  /** Keys of the service. */
  readonly settings: (place: string) => Readonly<Record<string, unknown>>;
  readonly sockets?: readonly CheckedSocket[];
  readonly play: (kept: Kept) => Promise<Findings>;
  /** Why a finding is another one with Upkeep, by its name. */
  readonly differs?: Readonly<Record<string, string>>;
}

/** What was looked at, in words, and what was found. */
export type Findings = Readonly<Record<string, string>>;

export interface CheckedSocket {
  readonly name: string;
  readonly type: 'tcp' | 'udp' | 'path';
  /** `lazy`: the service is started by its first connection. */
  readonly start: 'with the service' | 'lazy';
}

/** `up`: it has started. `again`: it waits to be started anew. */
export type State = 'starting' | 'up' | 'reloading' | 'ending' | 'again' | 'down' | 'failed';

export interface Seen {
  readonly state: State;
  /** What it says of itself. */
  readonly text: string;
  /** 0: none. */
  readonly main: number;
  /** How its last run ended, in systemd's words. */
  readonly result: string;
  /** How many descriptors are stored for it. */
  readonly stored: number;
}

export type Verb = 'start' | 'stop' | 'restart' | 'reload';

/** The service of a check, under whoever keeps it. */
export interface Kept {
  readonly check: Check;
  /** A directory of its own, in which anybody may write. */
  readonly place: string;
  readonly look: () => Promise<Seen>;
  /** Asks for it, and does not wait. */
  readonly act: (verb: Verb) => void;
  /** Runs a command beside the service, where its pids mean the same. */
  readonly beside: (...words: readonly string[]) => Ran;
  /** A path, or a port of this machine. */
  readonly addressOf: (socket: string) => string | number;
}

export interface Manager {
  readonly keep: (checks: readonly Check[]) => Promise<readonly Kept[]>;
  readonly end: () => Promise<void>;
}

export const PYTHON = '/usr/bin/python3';
export const program = (name: string): string => join(import.meta.dirname, name);

/** Far longer than any of them takes. */
const PATIENCE_S = 60;

export const when = (kept: Kept, what: string, is: (seen: Seen) => boolean): Promise<Seen> =>
  until(
    `${what} in ${kept.place}`,
    async () => {
      const seen = await kept.look();
      return is(seen) && seen;
    },
    PATIENCE_S,
  );

export const inState = (kept: Kept, state: State): Promise<Seen> =>
  when(kept, `it is ${state}`, (seen) => seen.state === state);

export const touch = (kept: Kept, name: string): void => writeFileSync(join(kept.place, name), '');

/** What the service has written there; its writers make the file whole before it has its name. */
export async function told(kept: Kept, name: string): Promise<string> {
  const file = join(kept.place, name);
  await until(`${file} is written`, () => existsSync(file), PATIENCE_S);
  return readFileSync(file, 'utf8').trim();
}

export const signal = (kept: Kept, pid: number, name: string): void => {
  kept.beside('kill', `-${name}`, String(pid));
};

export const isAlive = (kept: Kept, pid: number): boolean => {
  const ran = kept.beside('cat', `/proc/${pid}/stat`);
  return ran.code === 0 && !/^\d+ \(.*\) Z /s.test(ran.stdout);
};

/** Everything that is sent to a connection until it is closed, or how it went wrong. */
export function ask(kept: Kept, socket: string): Promise<string> {
  const to = kept.addressOf(socket);
  return new Promise((resolve) => {
    const client = typeof to === 'number' ? connect(to, '127.0.0.1') : connect(to);
    let text = '';
    client.setEncoding('utf8').on('data', (data) => {
      text += String(data);
    });
    client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    client.on('close', () => resolve(text.trim()));
    client.setTimeout(PATIENCE_S * 1000, () => {
      resolve('nobody answers');
      client.destroy();
    });
  });
}

export const yesOrNo = (is: boolean): string => (is ? 'yes' : 'no');
