// Programs that a test starts and waits for, and a look at any process. Knows nothing of Upkeep.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Words in front of the program, like `sh -c 'ulimit -n 64; exec "$@"' sh`. */
  readonly before?: readonly string[];
}

/** A keeper's process and what it said. */
export interface Running {
  readonly pid: number;
  readonly said: () => string;
  /** Sends a signal, and waits for the end. */
  readonly end: (signal: NodeJS.Signals) => Promise<Ran>;
  readonly ended: Promise<Ran>;
}

/** In a session of its own, with all its output kept. */
export function startProgram(argv: readonly string[], env: NodeJS.ProcessEnv): Running {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const said = (): string => stdout + stderr;
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      // What it left behind may hold the pipes for ever; what it said itself is read soon.
      void Promise.race([closed, pause(500)]).then(() => resolve({ code, signal, stdout, stderr }));
    });
  });
  const end = async (name: NodeJS.Signals): Promise<Ran> => {
    child.kill(name);
    return within(`the end of ${argv.join(' ')} after ${name}`, ended, said);
  };
  return { pid: child.pid ?? 0, said, end, ended };
}

/** @throws when it takes too long */
export async function within<T>(what: string, done: Promise<T>, said: () => string): Promise<T> {
  const late = new AbortController();
  const timeout = pause(40_000, null, { signal: late.signal }).then(
    () => Promise.reject(new Error(`waited for ${what}\n${said()}`)),
    () => new Promise<never>(() => {}),
  );
  return Promise.race([done, timeout]).finally(() => late.abort());
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

/** Alive, and no zombie. */
export function isAlive(pid: number): boolean {
  const stat = readQuietly(`/proc/${pid}/stat`);
  return stat !== '' && !/\) [ZX]/.test(stat);
}

/** The pid that a script writes to a file, with a line break behind it, once it is there. */
export async function pidIn(path: string): Promise<number> {
  await expect.poll(() => readQuietly(path).endsWith('\n'), { timeout: 30_000, interval: 20 }).toBe(true);
  return Number(readQuietly(path));
}

/** The text of a file; nothing when it cannot be read. */
export function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
