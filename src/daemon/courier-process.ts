// Starts the courier as a process of its own, with as little of ours as it needs. Owns its pipes and what becomes of a
// courier that was sent away. It must not know which letters there are.

import { writeFileSync } from 'node:fs';
import { errorText } from '../core/error-text.js';
import type { Channel } from '../core/notice-spec.js';
import type { ExitStatus } from '../core/process.js';
import type { Companion, StartCompanion } from '../kernel/companion.js';
import { oomScore } from '../kernel/oom-score.js';
import { heardFrom, Lines, lineOf } from '../notices/post.js';
import type { CourierEars, CourierLink, StartCourier } from './courier-life.js';

/** A letter of the longest deadline, and more: whoever does not end by then hangs. */
const DISMISSAL_MS = 12 * 60_000;
/** An answer is a line; what a server says is cut before. */
const LONGEST_LINE = 64 * 1024;
const LONGEST_COMPLAINT = 2000;

/** What a program needs to find its files, its time and its language, and whom to believe. */
const PASSED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'];
/** One for each channel that hangs in a file system, and some for names that are looked up. */
const THREADS = '16';

export const courierStarter =
  (outbox: string, startCompanion: StartCompanion, program = new URL('../courier.js', import.meta.url)): StartCourier =>
  (channels, ears) => {
    let courier: Companion;
    try {
      courier = startCompanion({
        argv: [process.execPath, program.pathname, outbox],
        env: { ...chosen([...PASSED, ...secretsOf(channels)]), UV_THREADPOOL_SIZE: THREADS },
      });
    } catch (error) {
      // Its ears expect an answer first.
      setImmediate(() => ears.gone(`it cannot be started: ${errorText(error)}`));
      return { say: () => {}, dismiss: () => {}, kill: () => {} };
    }
    giveScore(courier.pid);
    listen(courier, ears);
    return linkTo(courier);
  };

function linkTo({ input, output, errors, ended, kill }: Companion): CourierLink {
  return {
    say: (message) => void input.write(lineOf(message)),
    dismiss: () => {
      input.end();
      // Nothing that it says is of use any more, and nobody waits at its pipes to end.
      output.destroy();
      errors.destroy();
      const patience = setTimeout(kill, DISMISSAL_MS);
      patience.unref();
      void ended.then(() => clearTimeout(patience));
    },
    kill,
  };
}

function listen({ input, output, errors, ended }: Companion, { hear, gone }: CourierEars): void {
  const lines = new Lines((line) => {
    const message = heardFrom(line);
    if (message !== null) hear(message);
  }, LONGEST_LINE);
  let complaint = '';
  output.setEncoding('utf8').on('data', (text: string) => lines.add(text));
  errors.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-LONGEST_COMPLAINT);
  });
  // EPIPE comes before the end is known, which says the same.
  input.on('error', () => undefined);
  // Only when both are closed everything that it said was heard.
  const closed = [output, errors].map((each) => new Promise<void>((resolve) => each.once('close', () => resolve())));
  void Promise.all([ended, ...closed]).then(([status]) => {
    input.destroy();
    gone(endOf(status, complaint));
  });
}

function endOf(status: ExitStatus, complaint: string): string {
  const error = /^(?:\S*Error.*|.*\b(?:out of memory|cannot open).*)$/m.exec(complaint)?.[0];
  return error === undefined ? endInWords(status) : `${endInWords(status)}: ${error}`;
}

function endInWords(status: ExitStatus): string {
  switch (status.type) {
    case 'exited':
      return `exit code ${status.code}`;
    case 'signaled':
      return `killed by ${status.signal}`;
    case 'unknown':
      return 'it is not known how';
  }
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
function giveScore(pid: number): void {
  if (oomScore.before === oomScore.own) return;
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, `${oomScore.before}\n`);
  } catch {
    // It has ended.
  }
}
