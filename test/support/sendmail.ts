// A program that stands in for an MTA's sendmail: it keeps what it is given, and exits as a test orders.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Mail, readMail } from './mail-reader.js';

export interface Sendmail {
  /** For PATH. */
  readonly directory: string;
  readonly path: string;
  /** Oldest first. */
  readonly mails: () => readonly Mail[];
  /** The arguments of the last call. */
  readonly args: () => readonly string[];
  /** What it does next time instead of taking the mail with exit code 0. */
  readonly next: (script: string) => void;
}

/** Makes `sendmail` in a directory of its own below this one. */
export function placeSendmail(below: string): Sendmail {
  const directory = join(below, 'bin');
  const kept = join(below, 'mails');
  mkdirSync(directory, { recursive: true });
  mkdirSync(kept, { recursive: true });
  const path = join(directory, 'sendmail');
  const next = (script: string): void => {
    // A mail counts once it is whole.
    const keeps = `printf '%s\\n' "$@" > '${below}/args'; cat > '${below}/mail'; mv '${below}/mail' "${kept}/$(date +%s%N)"`;
    writeFileSync(path, `#!/bin/sh\n${script === '' ? keeps : script}\n`, { mode: 0o755 });
  };
  next('');
  return {
    directory,
    path,
    mails: () =>
      readdirSync(kept)
        .sort()
        .map((name) => readMail(readFileSync(join(kept, name)))),
    args: () => {
      const file = join(below, 'args');
      return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
    },
    next,
  };
}
