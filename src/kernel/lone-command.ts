// A command that belongs to no service, as it can be started: by whom, which program, and with an environment in which
// nothing of ours is left. It must not know what the command is for, and starts nothing.

import type { Command } from '../core/spec.js';
import { type Account, findUser } from './account.js';
import { DEFAULT_PATH } from './environment.js';
import { locale, ownAccount } from './launch.js';
import { privilegesOf } from './privileges.js';
import { findProgram } from './program.js';

export type LoneCommand =
  | {
      readonly type: 'ready';
      readonly path: string;
      readonly argv: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    }
  /** In words. */
  | { readonly type: 'refused'; readonly detail: string };

/** Looked up anew at each start. Never throws for what an operator wrote. */
export function prepareLoneCommand(command: Command): LoneCommand {
  const { user } = command;
  const account = user === null ? ownAccount() : findUser(user);
  if (account === null) return { type: 'refused', detail: `no such user: ${user}` };
  const rights = { user, group: null, groups: null, capabilities: null, noNewPrivileges: 'no' } as const;
  const privileges = privilegesOf(rights, account);
  if (privileges.type === 'refused') return privileges;
  const [name = '', ...args] = command.argv;
  const program = findProgram(name, DEFAULT_PATH, '/', privileges.runner);
  if (program.type === 'missing') return { type: 'refused', detail: program.detail };
  const [hop] = privileges.hop;
  return {
    type: 'ready',
    path: hop ?? program.path,
    argv: hop === undefined ? command.argv : [...privileges.hop, program.path, ...args],
    env: userEnvironment(account),
  };
}

/** What this user finds where nothing was configured. */
export const userEnvironment = (account: Account): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(locale()),
  ...(process.env.TZ === undefined ? {} : { TZ: process.env.TZ }),
  PATH: DEFAULT_PATH,
  HOME: account.home,
  USER: account.name ?? String(account.uid),
  LOGNAME: account.name ?? String(account.uid),
  SHELL: account.shell,
});
