// The kind `exec`: any program, in a session and process group of its own, whose exit code is the answer. Nothing of it outlives
// the question: at the end, and at the deadline, the whole group is killed. No shell is involved.

import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { errorCode } from '../core/error-text.js';
import type { ExecQuestion } from '../core/question.js';
import { type Asking, type Finding, failed, good, unasked } from './kind.js';
import { killGroup, killSession } from './session.js';

export interface ExecSetting {
  readonly env: Readonly<Record<string, string>>;
  /** It runs, as the leader of its session. */
  readonly started: (pid: number) => void;
}

/** Of each of its streams. The rest is read and thrown away. */
const MOST_OUTPUT = 4096;
/** A program that has ended may have left children that hold its pipes: so long, in ms, what it said last is waited for. */
const LAST_WORDS = 100;

export async function askExec(
  { command, codes }: ExecQuestion,
  asking: Asking,
  setting: ExecSetting,
): Promise<Finding> {
  asking.begin('run');
  const { argv } = command;
  const [program = ''] = argv;
  const ended = await run(argv, asking.signal, setting);
  const said = ended.type === 'not-started' ? '' : firstLine(ended.output, codes);
  const telling = (what: string): string => (said === '' ? what : `${what}: ${said}`);
  switch (ended.type) {
    case 'not-started':
      return unasked(`${program}: ${MEANINGS[ended.code] ?? `it cannot be started (${ended.code})`}`);
    case 'killed':
      return unasked(telling(`${program} was killed by ${ended.by}`));
    case 'exited':
      return JUDGES[codes](ended.code)(said === '' || ended.code !== 0 ? telling(`exit code ${ended.code}`) : said);
  }
}

const JUDGES: Readonly<Record<ExecQuestion['codes'], (code: number) => (detail: string) => Finding>> = {
  upkeep: (code) => (code === 0 ? good : isOurs(code) ? unasked : failed),
  // OK, WARNING, CRITICAL, UNKNOWN
  nagios: (code) => (code <= 1 ? good : code === 3 || isOurs(code) ? unasked : failed),
};

/** 125: what asks has a problem of its own (seed 003); a shell or env(1) says 126 and 127 where it cannot run what it was to run. */
const isOurs = (code: number): boolean => code >= 125 && code <= 127;

const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: 'no such program',
  EACCES: 'the user who asks may not execute it',
  EMFILE: 'no descriptors left to start it (EMFILE)',
  ENFILE: 'no descriptors left to start it (ENFILE)',
  EAGAIN: 'the user who asks may start no more processes (EAGAIN)',
  ENOMEM: 'no memory left to start it (ENOMEM)',
};

type Ended =
  | { readonly type: 'exited'; readonly code: number; readonly output: Output }
  | { readonly type: 'killed'; readonly by: string; readonly output: Output }
  | { readonly type: 'not-started'; readonly code: string };

/** The beginnings of what it said. */
interface Output {
  readonly out: string;
  readonly errors: string;
}

/** @throws the signal's reason: then all of it is killed */
function run(argv: readonly string[], signal: AbortSignal, { env, started }: ExecSetting): Promise<Ended> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const [program = '', ...args] = argv;
    let child: ChildProcess;
    try {
      // `detached` is setsid: its group can be killed without us.
      child = spawn(program, args, { env, cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (error) {
      resolve({ type: 'not-started', code: errorCode(error) }); // E2BIG, EMFILE
      return;
    }
    const { pid } = child;
    const [out, errors] = [beginningOf(child.stdout), beginningOf(child.stderr)];
    const settle = (): void => {
      signal.removeEventListener('abort', abort);
      child.stdout?.destroy();
      child.stderr?.destroy();
    };
    const abort = (): void => {
      if (pid !== undefined) killSession(pid);
      settle();
      reject(signal.reason);
    };
    child.once('error', (error) => {
      settle();
      resolve({ type: 'not-started', code: errorCode(error) });
    });
    child.once('exit', (code, by) => {
      signal.removeEventListener('abort', abort);
      // Its number cannot be another's so soon, and is no group's any more if nobody is left in it.
      if (pid !== undefined) killGroup(pid);
      const verdict = (): void => {
        settle();
        const output = { out: out(), errors: errors() };
        resolve(code === null ? { type: 'killed', by: by ?? 'a signal', output } : { type: 'exited', code, output });
      };
      // Who still holds its pipes left its group, but rarely its session.
      const patience = setTimeout(() => {
        if (pid !== undefined) killSession(pid);
        verdict();
      }, LAST_WORDS);
      child.once('close', () => {
        clearTimeout(patience);
        verdict();
      });
    });
    signal.addEventListener('abort', abort, { once: true });
    if (pid !== undefined) started(pid);
  });
}

function beginningOf(stream: Readable | null): () => string {
  const pieces: Buffer[] = [];
  let length = 0;
  stream?.on('error', () => undefined);
  stream?.on('data', (piece: Buffer) => {
    // A copy: the piece is a part of 64 KiB.
    if (length < MOST_OUTPUT) pieces.push(Buffer.from(piece.subarray(0, MOST_OUTPUT - length)));
    length += piece.length;
  });
  return () => Buffer.concat(pieces).toString('utf8');
}

/** What a plug-in writes behind a `|` is for machines. */
function firstLine({ out, errors }: Output, codes: ExecQuestion['codes']): string {
  const line = [...out.split('\n'), ...errors.split('\n')].find((one) => one.trim() !== '') ?? '';
  return (codes === 'nagios' ? (line.split('|', 1)[0] ?? '') : line).trim();
}
