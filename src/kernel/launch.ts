// From a spec to what posix_spawn needs: the user, the environment, the program, and the hops (setpriv, prlimit) for what
// can only be done in the new process. All that can be known to fail is found here, with the right object in the sentence.

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command, LimitName, ProcessSettings, ServiceSpec } from '../core/spec.js';
import { type Account, findGroup, findUser, groupsOf, type Runner } from './account.js';
import { whenChanged } from './changed-file.js';
import { parseEnvFile, readEnvFile } from './env-file.js';
import { composeEnvironment, DEFAULT_PATH, type Origin } from './environment.js';
import { findProgram, whichHop } from './program.js';

export type Launch =
  | {
      readonly type: 'ready';
      readonly path: string;
      readonly argv: readonly string[];
      readonly env: readonly string[];
      readonly cwd: string;
    }
  | { readonly type: 'refused'; readonly errno: string; readonly detail: string };

const refused = (errno: string, detail: string): Launch => ({ type: 'refused', errno, detail });

/** Never throws for what an operator wrote. */
export function prepareLaunch(spec: ServiceSpec, command: Command, origin: Origin): Launch {
  const { settings } = spec;
  const account = findUser(command.user ?? settings.user ?? String(process.geteuid?.() ?? 0));
  if (account === null) return refused('ENOENT', `no such user: ${command.user ?? settings.user}`);
  const identity = identityOf(settings, account, command.user !== null);
  if (identity.type === 'refused') return identity;

  const files: ReadonlyMap<string, string>[] = [];
  for (const entry of settings.envFiles) {
    const file = readEnvFile(entry);
    if (file.type === 'refused') return file;
    files.push(file.variables);
  }
  const env = composeEnvironment(settings, origin, { account, locale: locale(), files, inherited: process.env });

  const cwd = resolve('/', settings.cwd);
  const directory = statSync(cwd, { throwIfNoEntry: false });
  if (directory === undefined) return refused('ENOENT', `cwd ${cwd}: no such directory`);
  if (!directory.isDirectory()) return refused('ENOTDIR', `cwd ${cwd}: is no directory`);

  const program = findProgram(command.argv[0] ?? '', env.get('PATH') ?? DEFAULT_PATH, cwd, identity.runner);
  if (program.type === 'missing') return refused(program.errno, program.detail);

  const hops = [...limitHop(settings), ...identity.hop];
  const words = [...env].map(([name, value]) => `${name}=${value}`);
  // argv[0] stays what was written; a hop has to be given the path, since it looks for the program in its own way.
  if (hops.length === 0) return { type: 'ready', path: program.path, argv: command.argv, env: words, cwd };
  const [path = ''] = hops;
  return { type: 'ready', path, argv: [...hops, program.path, ...command.argv.slice(1)], env: words, cwd };
}

interface Identity {
  readonly type: 'identity';
  /** null: the keeper's own rights. */
  readonly runner: Runner | null;
  readonly hop: readonly string[];
}

/** User, group and groups are always changed together, and setpriv verifies that they were. */
function identityOf(
  settings: ProcessSettings,
  account: Account,
  isCommandUser: boolean,
): Identity | Extract<Launch, { type: 'refused' }> {
  const flags: string[] = [];
  const isOther = account.uid !== process.geteuid?.();
  const changes = settings.user !== null || isCommandUser || settings.group !== null || settings.groups !== null;
  let runner: Runner | null = null;
  if (changes && (isOther || process.geteuid?.() === 0)) {
    if (process.geteuid?.() !== 0)
      return {
        type: 'refused',
        errno: 'EPERM',
        detail: `only a keeper of root can run it as ${account.name ?? account.uid}`,
      };
    const gid = settings.group === null ? account.gid : findGroup(settings.group);
    if (gid === null) return { type: 'refused', errno: 'ENOENT', detail: `no such group: ${settings.group}` };
    const extra = settings.groups === null ? null : settings.groups.map((group) => ({ group, gid: findGroup(group) }));
    const unknown = extra?.find((one) => one.gid === null);
    if (unknown !== undefined) return { type: 'refused', errno: 'ENOENT', detail: `no such group: ${unknown.group}` };
    const groups = extra === null ? groupsOf(account) : extra.map((one) => one.gid ?? 0);
    const list = [...new Set([...groups, gid])];
    runner = { account, gid, groups: list };
    flags.push('--reuid', String(account.uid), '--regid', String(gid), '--groups', list.join(','));
  }
  if (settings.capabilities !== null) {
    const kept = settings.capabilities.map((name) => `+${name}`);
    flags.push('--bounding-set', ['-all', ...kept].join(','));
    if (account.uid !== 0 && kept.length > 0)
      flags.push('--inh-caps', ['-all', ...kept].join(','), '--ambient-caps', ['-all', ...kept].join(','));
  }
  if (settings.noNewPrivileges === 'yes') flags.push('--no-new-privs');
  if (flags.length === 0) return { type: 'identity', runner: null, hop: [] };
  const setpriv = whichHop('setpriv');
  if (setpriv === null)
    return {
      type: 'refused',
      errno: 'ENOENT',
      detail: 'setpriv (util-linux) is not installed; it is needed for user, groups, capabilities and noNewPrivileges',
    };
  return { type: 'identity', runner, hop: [setpriv, ...flags, '--'] };
}

/** Limits that would hit the keeper itself, were they its own for the moment of the spawn: they take a hop. */
const hopLimits: readonly LimitName[] = ['as', 'cpu', 'data', 'nproc', 'rttime'];

function limitHop({ limits }: ProcessSettings): readonly string[] {
  const flags = hopLimits.flatMap((name) => {
    const limit = limits[name];
    const word = (n: number | null): string => (n === null ? 'unlimited' : String(n));
    return limit === undefined ? [] : [`--${name}=${word(limit.soft)}:${word(limit.hard)}`];
  });
  const prlimit = whichHop('prlimit');
  return flags.length === 0 || prlimit === null ? [] : [prlimit, ...flags, '--'];
}

/** Is this limit set by the hop? */
export const takesHop = (name: LimitName): boolean => hopLimits.includes(name);

/** LANG and its like as the host is set up: Debian's file, else systemd's. */
const debianLocale = whenChanged('/etc/default/locale', parseEnvFile);
const systemdLocale = whenChanged('/etc/locale.conf', parseEnvFile);
const locale = (): ReadonlyMap<string, string> => new Map([...systemdLocale(), ...debianLocale()]);
