// A mail handed to the host's own mail system through the program that every one of them has, and what its exit codes mean.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Delivery, later, type Sending } from './channel.js';
import { oneLine } from './clean.js';
import type { Message } from './mail-message.js';
import { type Ended, run } from './program.js';

/** Where it is by tradition, whatever PATH a keeper was started with; then PATH. */
const USUAL = ['/usr/sbin/sendmail', '/usr/lib/sendmail'];

/** What it needs of the environment; nothing else of the keeper's, which may hold secrets. */
const PASSED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TZ'];
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type Environment = Readonly<Record<string, string | undefined>>;

/** Null: this host has no mail system. */
export function findSendmail(env: Environment, usual: readonly string[] = USUAL): string | null {
  const inPath = (env.PATH ?? DEFAULT_PATH)
    .split(delimiter)
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => join(directory, 'sendmail'));
  return [...usual, ...inPath].find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** `sender`: whom it comes back to when it cannot be delivered; null: the mail system knows. */
export async function sendBySendmail(
  program: string,
  message: Message,
  sender: string | null,
  env: Environment,
  { signal, talk }: Sending,
): Promise<Delivery> {
  // -t: to whom its headers say. -i: a line with a single dot is no end.
  const args = ['-t', '-i', ...(sender === null ? [] : ['-f', sender])];
  talk(`> ${program} ${args.join(' ')}`);
  const ended = await run({
    path: program,
    argv: [program, ...args],
    env: environmentOf(env),
    input: message.bytes,
    signal,
  });
  if ('output' in ended && ended.output.trim() !== '') talk(`< ${oneLine(ended.output, 300)}`);
  return deliveryOf(ended, program);
}

const environmentOf = (env: Environment): Record<string, string> => ({
  PATH: DEFAULT_PATH,
  LANG: 'C.UTF-8',
  ...Object.fromEntries(PASSED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
});

/**
 * The codes of sysexits.h that say no to this mail: EX_USAGE, EX_DATAERR, EX_NOUSER, EX_NOHOST. All others may be different
 * later: EX_TEMPFAIL says so, and a mail system that is ill or wrongly configured is put right by somebody.
 */
const FOR_GOOD = [64, 65, 67, 68];

function deliveryOf(ended: Ended, program: string): Delivery {
  switch (ended.type) {
    case 'exited': {
      if (ended.code === 0) return { type: 'delivered', answer: `${program} took it` };
      const reason = `${program} exited with code ${ended.code}${wordsOf(ended.output)}`;
      return { type: FOR_GOOD.includes(ended.code) ? 'refused' : 'later', reason };
    }
    case 'killed':
      return later(`${program} was killed by ${ended.by}${wordsOf(ended.output)}`);
    case 'over':
      return later(`${program} did not end in time${wordsOf(ended.output)}`);
    case 'not-started':
      return later(`${program} cannot be started (${ended.code})`);
  }
}

const wordsOf = (output: string): string => (output.trim() === '' ? '' : `: ${oneLine(output, 300)}`);
