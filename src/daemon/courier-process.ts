// Starts the courier as a process of its own, with as little of ours as it needs. Owns its pipes and what becomes of a
// courier that was sent away. It must not know which letters there are.

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Channel } from '../core/notice-spec.js';
import { oomScore } from '../kernel/oom-score.js';
import { heardFrom, Lines, lineOf } from '../notices/post.js';
import type { CourierEars, CourierLink, DispatchParts } from './dispatch.js';

/** A letter of the longest deadline, and more: whoever does not end by then hangs. */
const DISMISSAL_MS = 12 * 60_000;
/** An answer is a line; what a server says is cut before. */
const LONGEST_LINE = 64 * 1024;
const LONGEST_COMPLAINT = 2000;

/** What a program needs to find its files, its time and its language, and whom to believe. */
const PASSED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'];
/** One for each channel that hangs in a file system, and some for names that are looked up. */
const THREADS = '16';

/**
 * By child_process, whose fork holds the loop for as long as the keeper's pages take to copy, 0.6 to 4 ms: after a death
 * was handled, and not for each letter. libuv reaps it; the keeper's own reaper leaves it the time.
 */
export const courierStarter =
  (outbox: string, program = new URL('../courier.js', import.meta.url)): DispatchParts['start'] =>
  (channels, ears) => {
    let child: ChildProcess;
    try {
      child = spawn(process.execPath, [program.pathname, outbox], {
        cwd: '/',
        env: { ...chosen([...PASSED, ...secretsOf(channels)]), UV_THREADPOOL_SIZE: THREADS },
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
      });
    } catch (error) {
      // EMFILE, E2BIG: spawn throws them. Its ears expect an answer first.
      setImmediate(() => ears.gone(`it cannot be started: ${reasonOf(error)}`));
      return { say: () => {}, dismiss: () => {}, kill: () => {} };
    }
    giveScore(child.pid);
    listen(child, ears);
    // The keeper does not stay for it.
    child.unref();
    return linkTo(child);
  };

function linkTo(child: ChildProcess): CourierLink {
  const kill = (): void => void child.kill('SIGKILL');
  return {
    say: (message) => void child.stdin?.write(lineOf(message)),
    dismiss: () => {
      child.stdin?.end();
      // Nothing that it says is of use any more, and nobody waits at its pipes to end.
      child.stdout?.destroy();
      child.stderr?.destroy();
      const patience = setTimeout(kill, DISMISSAL_MS);
      patience.unref();
      child.once('exit', () => clearTimeout(patience));
    },
    kill,
  };
}

function listen(child: ChildProcess, { hear, gone }: CourierEars): void {
  const lines = new Lines((line) => {
    const message = heardFrom(line);
    if (message !== null) hear(message);
  }, LONGEST_LINE);
  let complaint = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => lines.add(text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-LONGEST_COMPLAINT);
  });
  // EPIPE comes before the end is known, which says the same.
  child.stdin?.on('error', () => undefined);
  child.once('error', (error) => gone(`it cannot be started: ${error.message}`));
  // `close`, not `exit`: only then everything that it said was heard.
  child.once('close', (code, by) => gone(endOf(code, by, complaint)));
}

function endOf(code: number | null, by: string | null, complaint: string): string {
  const how = by === null ? `exit code ${code}` : `killed by ${by}`;
  const error = /^(?:\S*Error.*|.*\b(?:out of memory|cannot open).*)$/m.exec(complaint)?.[0];
  return error === undefined ? how : `${how}: ${error}`;
}

/** The variables in which secrets lie that its channels need, and no others. */
export const secretsOf = (channels: Readonly<Record<string, Channel>>): readonly string[] =>
  Object.values(channels).flatMap((channel) => {
    const secret =
      channel.type === 'webhook' && typeof channel.url !== 'string'
        ? channel.url
        : channel.type === 'mail' && channel.via.type === 'smtp'
          ? channel.via.password
          : null;
    return secret?.type === 'env' ? [secret.name] : [];
  });

const chosen = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** The keeper is the last to go when memory is short; what sends its mail is not. */
function giveScore(pid: number | undefined): void {
  if (pid === undefined || oomScore.before === oomScore.own) return;
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, `${oomScore.before}\n`);
  } catch {
    // It has ended.
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
