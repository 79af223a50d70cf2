// The channel `exec`: a program that gets the letter as JSON on its stdin, and the first notice in its environment. No shell
// is involved, and nothing of ours is left behind: a session of its own, killed as a whole at its deadline.

import { type ChildProcess, spawn } from 'node:child_process';
import type { Letter } from '../core/notice.js';
import type { Command } from '../core/spec.js';
import type { Delivery, Send, Sending } from './channel.js';
import { cut, oneLine } from './clean.js';
import { jsonOf } from './letter-json.js';
import { subjectOf } from './letter-subject.js';

/** How a command is started: kernel/lone-command.ts. */
export type Prepare = (command: Command) => Prepared;
export type Prepared =
  | {
      readonly type: 'ready';
      readonly path: string;
      readonly argv: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    }
  | { readonly type: 'refused'; readonly detail: string };

type Ready = Extract<Prepared, { type: 'ready' }>;

/** Of what it prints, for the reason of a failure. */
const MOST_OUTPUT = 4096;
const LONGEST_REASON = 300;
const LONGEST_FIELD = 1000;
/** A program that has ended may have left children that hold its pipes: what comes later is not waited for. */
const LAST_WORDS_MS = 200;
/** sysexits.h */
const EX_TEMPFAIL = 75;

export function execSender(command: Command, prepare: Prepare): Send {
  return async (letter, sending) => {
    const prepared = prepare(command);
    if (prepared.type === 'refused') return later(prepared.detail);
    sending.talk(`running ${command.argv.join(' ')}`);
    return run(prepared, letter, { command, ...sending });
  };
}

interface Run extends Sending {
  readonly command: Command;
}

const later = (reason: string): Delivery => ({ type: 'later', reason });

function run({ path, argv, env }: Ready, letter: Letter, { command, signal, talk }: Run): Promise<Delivery> {
  return new Promise((resolve) => {
    const name = command.argv[0] ?? '';
    const [argv0 = name, ...args] = argv;
    let child: ChildProcess;
    try {
      // `detached` is setsid: its group can be killed without us.
      child = spawn(path, args, { argv0, cwd: '/', env: { ...env, ...variablesOf(letter) }, detached: true });
    } catch (error) {
      resolve(later(`${name} cannot be started (${codeOf(error)})`)); // EAGAIN, EMFILE, E2BIG
      return;
    }
    const output = gather(child);
    const settle = (delivery: Delivery): void => {
      if (timer !== null) clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      release(child);
      for (const line of output().split('\n'))
        if (line.trim() !== '') talk(`it says: ${oneLine(line, LONGEST_REASON)}`);
      resolve(delivery);
    };
    const end = (why: string): void => {
      killGroup(child);
      // It is not waited for: what the kernel holds (a disk that hangs) is not killed at once either.
      settle(later(withOutput(`${name} ${why}`, output())));
    };
    const abort = (): void => end('was killed, because its time was over');
    const { timeout } = command;
    const timer =
      timeout === null ? null : setTimeout(() => end(`did not end within ${timeout / 1000} s and was killed`), timeout);
    signal.addEventListener('abort', abort, { once: true });
    child.once('error', (error) => settle(later(`${name} cannot be started (${codeOf(error)})`)));
    child.once('exit', (code, by) => {
      // Now its pid may be somebody else's: nothing is killed by it any more.
      if (timer !== null) clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      const verdict = (): void => settle(deliveryOf(name, code, by, output()));
      const patience = setTimeout(verdict, LAST_WORDS_MS);
      child.once('close', () => {
        clearTimeout(patience);
        verdict();
      });
    });
    child.stdin?.on('error', () => undefined); // EPIPE: it does not read what it is told
    child.stdin?.end(`${jsonOf(letter)}\n`);
    if (signal.aborted) abort();
  });
}

function deliveryOf(name: string, code: number | null, by: string | null, output: string): Delivery {
  if (code === 0) return { type: 'delivered', answer: withOutput(`${name} ended with exit code 0`, output) };
  if (by !== null) return later(withOutput(`${name} was killed by ${by}`, output));
  if (code === EX_TEMPFAIL) return later(withOutput(`${name} asks to be tried again later (exit code 75)`, output));
  return later(withOutput(`${name} ended with exit code ${code}`, output));
}

function withOutput(what: string, output: string): string {
  const last = oneLine(output.trim().split('\n').at(-1) ?? '', LONGEST_REASON);
  return last === '' ? what : `${what}: ${last}`;
}

/** What it prints on both streams, the beginning of it. All is read, so that it does not hang in a full pipe. */
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

function release(child: ChildProcess): void {
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  // It may be dying still.
  child.unref();
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: it has ended; EPERM: all of it belongs to somebody else by now.
  }
}

/** The first notice, for programs that read no JSON. Cleaned, because shell scripts are careless. */
function variablesOf(letter: Letter): Readonly<Record<string, string>> {
  const { notices, host } = letter;
  const [first] = notices;
  const clean = (text: string | null): string => oneLine(text ?? '', LONGEST_FIELD);
  const variables: Record<string, string> = {
    UPKEEP_LETTER: letter.id,
    UPKEEP_CHANNEL: letter.channel,
    UPKEEP_HOST: clean(host),
    UPKEEP_COUNT: String(notices.length),
    UPKEEP_SUBJECT: subjectOf(letter),
    UPKEEP_NOTICE: first?.id ?? '',
    UPKEEP_KIND: first?.kind ?? '',
    UPKEEP_LABEL: first?.label ?? '',
    UPKEEP_TIME: first === undefined ? '' : new Date(first.time).toISOString(),
    UPKEEP_SERVICE: clean(first?.service ?? null),
    UPKEEP_INCIDENT: clean(first?.incident ?? null),
    UPKEEP_HEADLINE: clean(first?.headline ?? null),
    UPKEEP_DESCRIPTION: clean(first?.description ?? null),
    UPKEEP_RUNBOOK: clean(first?.runbook ?? null),
    UPKEEP_REMINDER: String(first?.reminder ?? 0),
  };
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, value.replaceAll('\0', '')]));
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : cut(String(error), LONGEST_REASON);
