// Another program, run for one letter: text on its stdin, and so much of what it says as is worth telling. A session of its
// own, killed as a whole when its time is over. It must not know what it is for.

import { type ChildProcess, spawn } from 'node:child_process';
import { errorCode } from '../core/error-text.js';

export interface Run {
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: string | Buffer;
  readonly signal: AbortSignal;
}

/** `output`: the beginning of both streams together, as it came. */
export type Ended =
  | { readonly type: 'exited'; readonly code: number; readonly output: string }
  | { readonly type: 'killed'; readonly by: string; readonly output: string }
  /** The signal was aborted, and it was killed. */
  | { readonly type: 'over'; readonly output: string }
  | { readonly type: 'not-started'; readonly code: string };

const MOST_OUTPUT = 4096;
/** A program that has ended may have left children that hold its pipes: what comes later is not waited for. In ms. */
const LAST_WORDS = 200;

export function run({ path, argv, env, input, signal }: Run): Promise<Ended> {
  return new Promise((resolve) => {
    const [argv0 = path, ...args] = argv;
    let child: ChildProcess;
    try {
      // `detached` is setsid: its group can be killed without us.
      child = spawn(path, args, { argv0, env, cwd: '/', detached: true });
    } catch (error) {
      resolve({ type: 'not-started', code: errorCode(error) }); // E2BIG, EMFILE
      return;
    }
    const output = gather(child);
    const settle = (ended: Ended): void => {
      signal.removeEventListener('abort', abort);
      for (const stream of child.stdio) stream?.destroy();
      // It may be dying still: what the kernel holds (a disk that hangs) is not killed at once either.
      child.unref();
      resolve(ended);
    };
    const abort = (): void => {
      killGroup(child);
      settle({ type: 'over', output: output() });
    };
    child.once('error', (error) => settle({ type: 'not-started', code: errorCode(error) }));
    child.once('exit', (code, by) => {
      // From now on its pid may be somebody else's.
      signal.removeEventListener('abort', abort);
      const verdict = (): void =>
        settle(
          code === null
            ? { type: 'killed', by: by ?? 'a signal', output: output() }
            : { type: 'exited', code, output: output() },
        );
      const patience = setTimeout(verdict, LAST_WORDS);
      child.once('close', () => {
        clearTimeout(patience);
        verdict();
      });
    });
    child.stdin?.on('error', () => undefined); // EPIPE: it does not read what it is told
    child.stdin?.end(input);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

/** All is read, so that it does not hang in a full pipe; the beginning is kept. */
function gather(child: ChildProcess): () => string {
  const pieces: Buffer[] = [];
  let length = 0;
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (piece: Buffer) => {
      if (length < MOST_OUTPUT) pieces.push(piece.subarray(0, MOST_OUTPUT - length));
      length += piece.length;
    });
  return () => Buffer.concat(pieces).toString('utf8');
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: it has ended; EPERM: all of it belongs to somebody else by now.
  }
}
