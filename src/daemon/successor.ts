// The program on disk that is to take this process over: how it is called, and a rehearsal of it in a process of its own,
// while nothing has been given up yet. Knows nothing of the services.

import { spawn } from 'node:child_process';
import type { Places } from '../cli/places.js';
import { errorText } from '../core/error-text.js';
import { FROM_STARTER } from '../kernel/environment.js';

/** How a keeper is called, with everything that does not depend on the directory it was started in. */
export interface Successor {
  readonly path: string;
  /** What stands before its own arguments, without argv[0]: Node's options and the script. */
  readonly script: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What this process was called with; `process` has all of it. */
export interface Called {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The same call again. The keeper lives in `/` since: what was relative to another directory is made absolute. */
export function successorOf({ execPath, execArgv, argv, env }: Called, places: Places): Successor {
  const [, script = '', ...args] = argv;
  const absolute: Record<string, string> = {
    UPKEEP_CONFIG: places.config,
    UPKEEP_RUNTIME_DIR: places.runtime,
    UPKEEP_STATE_DIR: places.state,
    UPKEEP_LOG_DIR: places.logs,
  };
  const set = Object.entries(absolute).filter(([name]) => env[name] !== undefined && env[name] !== '');
  return {
    path: execPath,
    script: [...execArgv, script],
    args: withConfig(args, places.config),
    env: { ...env, ...Object.fromEntries(set) },
  };
}

/** What follows `--` is a command of its own. */
function withConfig(args: readonly string[], path: string): readonly string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  return args.map((word, i) => {
    if (i >= end) return word;
    if (args[i - 1] === '--config') return path;
    return word.startsWith('--config=') ? `--config=${path}` : word;
  });
}

export type Rehearsed =
  | { readonly type: 'ready'; readonly version: string }
  /** One sentence. */
  | { readonly type: 'refused'; readonly reason: string };

/** What the rehearsal must have said; a program that does something else, and ends well, was not asked the right thing. */
const ready = /^upkeep (\S+) is ready to take over$/m;
/** More than any error that can be read. */
const mostWords = 16_384;

/**
 * Runs `upkeep run --rehearse` of the program on disk. Not through kernel/spawn.ts, which starts services; libuv reaps its
 * children itself, and the keeper's own reaper leaves them the time. Never rejects.
 */
export function rehearse(
  { path, script, args, env }: Successor,
  within: number,
  signal: AbortSignal,
): Promise<Rehearsed> {
  return new Promise((resolve) => {
    const at = args.indexOf('run');
    const words = [...script, ...args.slice(0, at + 1), '--rehearse', ...args.slice(at + 1)];
    const clean = Object.fromEntries(Object.entries(env).filter(([name]) => !FROM_STARTER.has(name)));
    const refuse = (reason: string): void => resolve({ type: 'refused', reason });
    let child: ReturnType<typeof start>;
    try {
      child = start(path, words, clean, signal);
    } catch (error) {
      refuse(sayStart(path, error)); // EMFILE, E2BIG: spawn throws them
      return;
    }
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out = (out + text).slice(-mostWords);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err = (err + text).slice(0, mostWords);
    });
    const late = setTimeout(() => {
      refuse(`its rehearsal has not ended within ${within / 1000} s`);
      child.kill('SIGKILL');
    }, within);
    child.on('error', (error) => {
      clearTimeout(late);
      refuse(signal.aborted ? 'the keeper is ending' : sayStart(path, error));
    });
    // `close`, not `exit`: only then everything that it said has been read.
    child.on('close', (code, by) => {
      clearTimeout(late);
      const version = ready.exec(out)?.[1];
      if (code === 0 && version !== undefined) return resolve({ type: 'ready', version });
      refuse(
        reasonIn(err) ?? `its rehearsal ended ${by === null ? `with exit code ${code}` : `by ${by}`} and said nothing`,
      );
    });
  });
}

function start(path: string, words: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal) {
  return spawn(path, words, { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
}

const sayStart = (path: string, error: unknown): string => `${path} cannot be started: ${errorText(error)}`;

/** Of what a program says that cannot run: the error, with the place where Node names one; else its last line. */
export function reasonIn(said: string): string | null {
  const error = /^(?:upkeep: )?([A-Z]?\w*Error(?: \[\w+\])?: .*)$/m.exec(said)?.[1];
  const place = /^(?:upkeep: )?file:\/\/(\S+:\d+)$/m.exec(said)?.[1];
  // A plain Error is a sentence of ours.
  if (error !== undefined) return error.replace(/^Error: /, '') + (place === undefined ? '' : ` (${place})`);
  const last = said.trim().split('\n').at(-1)?.trim() ?? '';
  return last === '' ? null : last.replace(/^upkeep: /, '').replace(/\.$/, '');
}
