// LISTEN_PID and WATCHDOG_PID say the pid of the very process that reads them, which is known only once it is there: a shell
// tells itself, and becomes the program. Everything that it is given are arguments, never words of a script. It must not know
// what the variables are for.

import { realpathSync } from 'node:fs';
import { basename } from 'node:path';

export type OwnPid = 'LISTEN_PID' | 'WATCHDOG_PID';

const SHELL = '/bin/sh';
const ENV = '/usr/bin/env';

/** What shells set themselves or read as their own (POSIX, dash, bash). */
const HURT: ReadonlySet<string> = new Set(['PWD', 'OLDPWD', 'SHLVL', '_', 'IFS', 'OPTIND', 'PPID', 'LINENO']);
/** What they hand on of it without being asked, and do not after `unset`. */
const ADDED = ['PWD', 'OLDPWD'];
/** What bash hands on all the same. */
const ADDED_AGAIN = ['SHLVL', '_'];

/** The words before those of the program; none where no variable is asked for. `env`: what the program is to find beside them, and nothing else. */
export function pidHop(names: readonly OwnPid[], env: ReadonlyMap<string, string>): readonly string[] {
  if (names.length === 0) return [];
  const unset = ADDED.filter((name) => !env.has(name));
  const first = unset.length === 0 ? '' : `unset ${unset.join(' ')}; `;
  return [SHELL, '-c', `${first}${names.map((name) => `${name}=$$`).join(' ')} exec "$@"`, 'sh', ...mending(env)];
}

/** A shell drops or changes some variables: env(1) makes them what they were, at the price of one more exec. */
function mending(env: ReadonlyMap<string, string>): readonly string[] {
  const hurt = [...env].filter(([name]) => HURT.has(name) || !/^[A-Za-z_]\w*$/.test(name));
  const added = isModest() ? [] : ADDED_AGAIN.filter((name) => !env.has(name));
  if (hurt.length === 0 && added.length === 0) return [];
  return [ENV, ...added.flatMap((name) => ['-u', name]), ...hurt.map(([name, value]) => `${name}=${value}`)];
}

/** Is the shell one that hands nothing on? */
function isModest(): boolean {
  try {
    return ['dash', 'busybox'].includes(basename(realpathSync(SHELL)));
  } catch {
    return false;
  }
}
