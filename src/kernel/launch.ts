// From a spec to what posix_spawn needs: the user, the environment, the program, and the hops (prlimit, setpriv) for what
// can only be done in the new process. All that can be known to fail is found here, with the right object in the sentence.

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorCode } from '../core/error-text.js';
import type { Command, ProcessSettings, ServiceSpec } from '../core/spec.js';
import { findUser } from './account.js';
import { readEnvFile } from './env-file.js';
import { composeEnvironment, DEFAULT_PATH, type Origin } from './environment.js';
import { planLimits, type ResourceLimit } from './limits.js';
import { type OwnPid, pidHop } from './pid-hop.js';
import { privilegesOf } from './privileges.js';
import { findProgram, type Program, whichHop } from './program.js';

export interface Launch {
  readonly type: 'ready';
  readonly path: string;
  readonly argv: readonly string[];
  /** NAME=value. */
  readonly env: readonly string[];
  readonly cwd: string;
  /** Limits that the keeper wears during the spawn, and those that are set on the child after it. */
  readonly worn: readonly ResourceLimit[];
  readonly after: readonly ResourceLimit[];
  /** After a failed spawn: what is the matter with the directory or the program? null: nothing that can be seen. */
  diagnose(): Refused | null;
}

export interface Refused {
  readonly type: 'refused';
  readonly errno: string;
  readonly detail: string;
}

const refused = (errno: string, detail: string): Refused => ({ type: 'refused', errno, detail });

/** Never throws for what an operator wrote. `lowestFree`: see planLimits. `ownPid`: variables that are to hold its pid. @throws SystemCallFailure: EMFILE */
export function prepareLaunch(
  spec: ServiceSpec,
  command: Command,
  origin: Origin,
  lowestFree: number,
  ownPid: readonly OwnPid[],
): Launch | Refused {
  const settings = settingsFor(spec.settings, command);
  const account = settings.user === null ? ownAccount() : findUser(settings.user);
  if (account === null) return refused('ENOENT', `no such user: ${settings.user}`);
  const privileges = privilegesOf(settings, account);
  if (privileges.type === 'refused') return privileges;
  const limits = planLimits(settings.limits, lowestFree);
  if (limits.type === 'refused') return limits;

  const files: ReadonlyMap<string, string>[] = [];
  for (const entry of settings.envFiles) {
    const file = readEnvFile(entry);
    if (file.type === 'refused') return file;
    files.push(file.variables);
  }
  const env = composeEnvironment(settings, origin, { account, locale: locale(), files, inherited: process.env });

  const cwd = resolve('/', settings.cwd);
  const name = command.argv[0] ?? '';
  const find = (): Program => findProgram(name, env.get('PATH') ?? DEFAULT_PATH, cwd, privileges.runner);
  const tellPid = pidHop(ownPid, env);
  const isDirect = limits.hop.length === 0 && privileges.hop.length === 0 && tellPid.length === 0;
  // Looking beforehand costs as much as half the spawn. Where exec itself says what is wrong, it is asked only then; behind a hop
  // it would say so too late, and to nobody.
  const program: Program = isDirect && name.includes('/') ? { type: 'found', path: resolve(cwd, name) } : find();
  if (program.type === 'missing') return judgeDirectory(cwd) ?? refused(program.errno, program.detail);
  const diagnose = (): Refused | null => {
    const found = judgeDirectory(cwd) ?? find();
    return found.type === 'found' ? null : refused(found.errno, found.detail);
  };

  const prlimit = limits.hop.length === 0 ? null : whichHop('prlimit');
  if (prlimit === null && limits.hop.length > 0)
    return refused('ENOENT', 'prlimit is not installed (package util-linux); these limits need it');
  const hops = [...(prlimit === null ? [] : [prlimit, ...limits.hop, '--']), ...privileges.hop];
  // argv[0] stays what was written; a hop has to be given the path, since it looks for the program in its own way. Only the
  // shell that tells the pid looks as we do.
  const called = hops.length === 0 ? command.argv : [...hops, program.path, ...command.argv.slice(1)];
  const argv = [...tellPid, ...called];
  const words = [...env].map(([name, value]) => `${name}=${value}`);
  if ([...argv, ...words].some((word) => word.includes('\0')))
    return refused('EINVAL', 'a zero byte in an argument or variable ends it for every program; remove it');
  return {
    type: 'ready',
    path: tellPid[0] ?? hops[0] ?? program.path,
    argv,
    env: words,
    cwd,
    worn: limits.worn,
    after: limits.after,
    diagnose,
  };
}

/** A command's own user has the groups of that user, whatever the service has. */
function settingsFor(settings: ProcessSettings, { user }: Command): ProcessSettings {
  return user === null || user === settings.user ? settings : { ...settings, user, group: null, groups: null };
}

/** posix_spawn tells a missing directory and a missing program apart by nothing. */
function judgeDirectory(cwd: string): Refused | null {
  try {
    const stat = statSync(cwd, { throwIfNoEntry: false });
    if (stat === undefined) return refused('ENOENT', `cwd ${cwd}: no such directory`);
    return stat.isDirectory() ? null : refused('ENOTDIR', `cwd ${cwd}: it is not a directory`);
  } catch (error) {
    const errno = errorCode(error, 'EIO');
    return refused(errno, `cwd ${cwd}: cannot be entered (${errno})`);
  }
}

/** The account that the keeper itself runs as: it does not change while it runs. */
export const ownAccount = once(() => findUser(String(process.geteuid?.() ?? 0)));

/** LANG and its like as the host is set up: systemd's file, then Debian's. As with systemd, read once. */
export const locale = once((): ReadonlyMap<string, string> => {
  const read = (path: string): ReadonlyMap<string, string> => {
    const file = readEnvFile(`-${path}`);
    return file.type === 'read' ? file.variables : new Map();
  };
  return new Map([...read('/etc/locale.conf'), ...read('/etc/default/locale')]);
});

function once<T>(read: () => T): () => T {
  let known: { readonly value: T } | null = null;
  return () => {
    known ??= { value: read() };
    return known.value;
  };
}
