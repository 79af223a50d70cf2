// Starts programs for the tests of the library, reads what they say, and ends with certainty whatever they have started.

import { type ChildProcess, spawn } from 'node:child_process';
import { get } from 'node:http';
import { fileURLToPath } from 'node:url';

export const COUNTER = fileURLToPath(new URL('counter.mjs', import.meta.url));

export interface Program {
  readonly pid: number;
  readonly child: ChildProcess;
  /** All lines so far, of this process and of those that it started. */
  readonly lines: readonly string[];
  /** The first line, from now or before, that is like this. */
  readonly said: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** How this process ended, not those that it started. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Kills it, and those that it started. */
  readonly stop: () => void;
}

export interface Start {
  readonly program?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Descriptors from 3 on. */
  readonly fds?: readonly number[];
}

const running = new Set<Program>();

export function stopAll(): void {
  for (const program of running) program.stop();
  running.clear();
}

export function start({ program = COUNTER, env = {}, fds = [] }: Start = {}): Program {
  // LISTEN_PID is of the process after exec.
  const listen = fds.length > 0 ? `LISTEN_PID=$$ LISTEN_FDS=${fds.length} ` : '';
  const watchdog = env.WATCHDOG_USEC === undefined ? '' : 'WATCHDOG_PID=$$ ';
  const script = `${listen}${watchdog}exec "$@"`;
  const child = spawn('/bin/sh', ['-c', script, 'sh', process.execPath, program], {
    // A group of its own, which its successors stay in.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...fds],
    env: { PATH: process.env.PATH, ...env },
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
      for (const look of waiting) look();
    });
  }
  const pid = child.pid ?? 0;
  const one: Program = {
    pid,
    child,
    lines,
    said: (pattern) => saidIn(lines, waiting, pattern),
    ended: new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal }))),
    stop: () => killGroup(pid),
  };
  running.add(one);
  return one;
}

const PATIENCE_MS = 60_000;

function saidIn(lines: readonly string[], waiting: Set<() => void>, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const found = lines.map((line) => pattern.exec(line)).find((match) => match !== null);
      if (found === undefined || found === null) return;
      clearTimeout(late);
      waiting.delete(look);
      resolve(found);
    };
    const late = setTimeout(() => {
      waiting.delete(look);
      reject(new Error(`nobody said ${pattern} but\n${lines.join('\n')}`));
    }, PATIENCE_MS);
    waiting.add(look);
    look();
  });
}

function killGroup(pid: number): void {
  try {
    if (pid > 0) process.kill(-pid, 'SIGKILL');
  } catch {
    // They have ended already.
  }
}

/** A port, or the path of a Unix socket. */
export type Where = number | string;

/** What the counter answers. */
export function ask(where: Where, path = '/'): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const at = typeof where === 'number' ? { port: where } : { socketPath: where };
    get({ ...at, path, agent: false }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => resolve(JSON.parse(text)));
    }).on('error', reject);
  });
}

/** Waits for a condition, never for a length of time. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`it never came to be that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Once it serves. */
export async function servedAt(program: Program, generation = 1): Promise<Where> {
  const [, where = ''] = await program.said(new RegExp(`^${generation}: serves (\\S+)`));
  return /^\d+$/.test(where) ? Number(where) : where;
}
