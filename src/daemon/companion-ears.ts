// What every program beside the keeper needs: the environment that it is given, its score for when memory is short, what it says,
// and how it ended. It must not know what is said.

import { writeFileSync } from 'node:fs';
import type { ExitStatus } from '../core/process.js';
import type { Companion } from '../kernel/companion.js';
import { oomScore } from '../kernel/oom-score.js';

export interface CompanionEars {
  readonly hear: (text: string) => void;
  /** Once, when all that it said was heard. `how`: in words, like `exit code 1`. */
  readonly gone: (how: string) => void;
}

const LONGEST_COMPLAINT = 2000;

export function attend({ pid, input, output, errors, ended }: Companion, { hear, gone }: CompanionEars): void {
  giveScore(pid);
  let complaint = '';
  output.setEncoding('utf8').on('data', hear);
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

/** Of the keeper's own variables, those with these names. */
export const chosen = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** The keeper is the last to go when memory is short; what runs beside it is not. */
function giveScore(pid: number): void {
  if (oomScore.before === oomScore.own) return;
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, `${oomScore.before}\n`);
  } catch {
    // It has ended.
  }
}
