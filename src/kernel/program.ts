// Finds the program that a command names, and says beforehand why it could not be run: by a user that a hop (setpriv,
// prlimit) would switch to, its failure would come too late and look like an exit code. Knows no services.

import { statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { errorCode } from '../core/error-text.js';
import { groupsOf, type Runner } from './account.js';
import { canExecute } from './as-user.js';

/** Where the program is, or why it cannot be run, in words. */
export type Program =
  | { readonly type: 'found'; readonly path: string }
  | { readonly type: 'missing'; readonly errno: string; readonly detail: string };

/**
 * Looks argv[0] up as execvp does: with a slash it is a path (from `cwd`), else in the directories of `path`.
 * Resolved anew at each start. `runner` null: the keeper's own rights count.
 */
export function findProgram(name: string, path: string, cwd: string, runner: Runner | null): Program {
  if (name === '') return { type: 'missing', errno: 'ENOENT', detail: 'the command is empty' };
  if (name.includes('/')) return judge(resolve(cwd, name), name, runner);
  let refused: Program | null = null;
  for (const directory of path.split(':')) {
    // An empty entry is the current directory, as for every shell.
    const candidate = judge(
      isAbsolute(directory) ? join(directory, name) : resolve(cwd, directory, name),
      name,
      runner,
    );
    if (candidate.type === 'found') return candidate;
    if (candidate.errno !== 'ENOENT') refused ??= candidate;
  }
  return refused ?? { type: 'missing', errno: 'ENOENT', detail: `${name}: no such program in ${path}` };
}

function judge(path: string, name: string, runner: Runner | null): Program {
  const refused = (errno: string, why: string): Program => ({ type: 'missing', errno, detail: `${name}: ${why}` });
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return refused('ENOENT', 'no such file');
    if (stat.isDirectory()) return refused('EACCES', 'it is a directory, not a program');
    if (!stat.isFile()) return refused('EACCES', 'it is not a regular file');
  } catch (error) {
    const errno = errorCode(error, 'EIO');
    return refused(errno, `cannot look at it (${errno})`);
  }
  const verdict = canExecute(path, runner);
  if (verdict === null) return { type: 'found', path };
  // The files may not know all groups of a user: before it is refused, the C library is asked for them.
  if (verdict === 'EACCES' && runner !== null) {
    const all = { ...runner, groups: [...new Set([...runner.groups, ...groupsOf(runner.account)])] };
    if (canExecute(path, all) === null) return { type: 'found', path };
    const who = runner.account.name ?? `uid ${runner.account.uid}`;
    return refused(verdict, `${who} may not execute it`);
  }
  return refused(verdict, verdict === 'EACCES' ? 'it is not executable' : `cannot be executed (${verdict})`);
}

const HOP_PLACES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin'];

/** The absolute path of a helper of util-linux or coreutils, from trusted places only; null when it is not installed. */
export function whichHop(name: 'setpriv' | 'prlimit' | 'sleep'): string | null {
  const path = HOP_PLACES.map((place) => join(place, name)).find((candidate) => canExecute(candidate, null) === null);
  return path ?? null;
}
