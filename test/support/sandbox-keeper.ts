// Upkeep as the tests with real daemons see it: a black box of bin/upkeep, its files and exit codes. One
// keeper at a time.

import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explainWith, pause, type Ran, run, until } from './sandbox-machine.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
export const UPKEEP = join(ROOT, 'bin/upkeep');
export const CONFIG = '/etc/upkeep/upkeep.yaml';
const OWN_DIRECTORIES = ['/run/upkeep', '/var/lib/upkeep', '/var/log/upkeep', '/etc/upkeep'];

/** Runs `upkeep` with these arguments to its end. */
export function upkeep(...args: readonly string[]): Ran {
  return run(process.execPath, [UPKEEP, ...args]);
}

export function writeConfig(text: string, file = CONFIG): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(file, text, { mode: 0o644 });
}

/** Nothing remembered from another test: configuration, runtime, state and logs are gone. */
export function forgetEverything(): void {
  for (const directory of OWN_DIRECTORIES) {
    for (const entry of existsSync(directory) ? readdirSync(directory) : []) {
      rmSync(join(directory, entry), { recursive: true, force: true });
    }
  }
}

/** One service of `upkeep status --json`, as far as the tests read it. */
export interface Status {
  readonly name: string;
  readonly state: string;
  readonly desired: string;
  readonly reason: string;
  readonly process: { readonly pid: number } | null;
  readonly statusText: string | null;
  readonly restarts: { readonly total: number };
  readonly lastDeath: {
    readonly pid: number;
    readonly cause: string;
    readonly signal: string | null;
    readonly text: string;
  } | null;
  readonly health: {
    readonly state: string;
    readonly heartbeats: readonly { readonly result: string | null; readonly detail: string | null }[];
  };
}

export function statuses(): readonly Status[] {
  const ran = upkeep('status', '--json');
  if (ran.stdout === '') throw new Error(`upkeep status --json: exit ${ran.code}: ${ran.stderr}`);
  return (JSON.parse(ran.stdout) as { readonly services: readonly Status[] }).services;
}

export function status(name: string): Status {
  const found = statuses().find((one) => one.name === name);
  if (found === undefined) throw new Error(`upkeep status knows no ${name}`);
  return found;
}

/** The status of this service once it runs as this process. */
export function runningAs(name: string, pid: number): Promise<Status> {
  return until(`upkeep sees ${name} running as ${pid}`, () => {
    const now = status(name);
    return now.state === 'running' && now.process?.pid === pid ? now : undefined;
  });
}

/** The status of this service once it is in this state. */
export function inState(name: string, state: string, seconds = 30): Promise<Status> {
  return until(
    `${name} is ${state}`,
    () => {
      const now = status(name);
      return now.state === state ? now : undefined;
    },
    seconds,
  );
}

/** `upkeep run` in the foreground. What it says on stderr is kept in memory. */
export class Keeper {
  readonly pid: number;
  readonly #ended: Promise<number | null>;
  #text = '';

  private constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    const [program = '', ...args] = command;
    // Its own session, as an init would start it; stdin /dev/null.
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env });
    const keep = (chunk: Buffer): void => {
      this.#text += chunk.toString('utf8');
      if (process.env.SHOW_KEEPER === '1') appendFileSync('/dev/stderr', chunk);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    this.pid = child.pid ?? 0;
    this.#ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  }

  /** Starts it and waits until it answers. `before`: words in front of it, like `unshare --uts`. */
  static async start(
    options: {
      readonly before?: readonly string[];
      readonly args?: readonly string[];
      readonly env?: NodeJS.ProcessEnv;
    } = {},
  ): Promise<Keeper> {
    const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, LANG: 'C.UTF-8', ...options.env };
    const keeper = new Keeper(
      [...(options.before ?? []), process.execPath, UPKEEP, 'run', ...(options.args ?? [])],
      env,
    );
    explainWith(() => `the keeper said:\n${keeper.text}`);
    await until('the keeper answers', () => {
      const ran = run(process.execPath, [UPKEEP, 'status'], { env });
      return ran.code === 0 || ran.code === 3 || ran.code === 5;
    });
    return keeper;
  }

  /** Starts it where it is expected to refuse, and waits for its end. */
  static async refused(args: readonly string[] = []): Promise<{ readonly code: number | null; readonly text: string }> {
    const keeper = new Keeper([process.execPath, UPKEEP, 'run', ...args], { PATH: process.env.PATH, LANG: 'C.UTF-8' });
    explainWith(() => `the keeper said:\n${keeper.text}`);
    const code = await Promise.race([keeper.#ended, pause(20_000).then(() => 'still there' as const)]);
    if (code === 'still there') {
      await keeper.stop();
      throw new Error(`the keeper did not refuse\n${keeper.text}`);
    }
    return { code, text: keeper.text };
  }

  get text(): string {
    return this.#text;
  }

  /** Ends it by SIGTERM, and gives its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    try {
      process.kill(this.pid, signal);
    } catch {
      // It has ended already.
    }
    const code = await Promise.race([this.#ended, pause(30_000).then(() => 'still there' as const)]);
    if (code === 'still there') {
      process.kill(this.pid, 'SIGKILL');
      throw new Error(`the keeper did not end after ${signal}\n${this.#text}`);
    }
    return code;
  }
}
