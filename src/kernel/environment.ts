// What a process of a service finds in its environment: that of its user and what was configured, nothing of the
// keeper's. Pure; env-file.ts reads the files.

import type { Role } from '../core/effect.js';
import type { ProcessSettings, ServiceName } from '../core/spec.js';
import type { Account } from './account.js';

/** systemd's compiled-in default for system services, which Debian's own daemons are tested with. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What every process that we start is told about itself. The token finds it again, it proves nothing. */
export interface Origin {
  readonly service: ServiceName;
  readonly generation: number;
  /** `ready`: it asks whether a start counts. `react`: it stands for a failed heartbeat. */
  readonly role: Role | 'ready' | 'react';
  readonly token: string;
  /** What it is told beside that: why it runs, how the last one ended. */
  readonly own: Readonly<Record<string, string>>;
}

/** What there is to choose from. */
export interface EnvironmentSources {
  readonly account: Account;
  /** LANG and the like, as the host's locale file says. */
  readonly locale: ReadonlyMap<string, string>;
  /** The variables of all env files, in order: the last one wins. */
  readonly files: readonly ReadonlyMap<string, string>[];
  /** The keeper's own. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
}

/** Between the keeper and who started it: a service that speaks up there would speak for the keeper, whatever it inherits. */
export const FROM_STARTER: ReadonlySet<string> = new Set([
  ...['NOTIFY_SOCKET', 'WATCHDOG_PID', 'WATCHDOG_USEC', 'LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'],
  'FDSTORE',
  ...['UPKEEP_INHERIT', 'UPKEEP_GUARD', 'UPKEEP_GUARD_LIFE', 'UPKEEP_GUARD_LAST', 'UPKEEP_OOM_SCORE'],
  'UPKEEP_OWNER',
]);

/** A keeper that is a service was called elsewhere, and what its own keeper has told it is for it alone. */
const PRIVATE: ReadonlySet<string> = new Set([
  ...[...FROM_STARTER, 'UPKEEP_COMMAND_DIRECTORY'],
  ...['UPKEEP_SOCKET', 'UPKEEP_HANDOVER', 'UPKEEP_STOP_WITHIN', 'UPKEEP_SUCCEEDS', 'UPKEEP_STATE_FILE'],
]);

/** Later ones win: inherited, the user's, the files', `env`, and ours. */
export function composeEnvironment(
  settings: ProcessSettings,
  origin: Origin,
  sources: EnvironmentSources,
): ReadonlyMap<string, string> {
  const { account } = sources;
  const inherited = Object.entries(sources.inherited).filter(([key]) => !PRIVATE.has(key));
  const name = account.name ?? String(account.uid);
  const result = new Map<string, string>();
  const put = (entries: Iterable<readonly [string, string | undefined]>): void => {
    for (const [key, value] of entries) if (value !== undefined) result.set(key, value);
  };
  if (settings.inheritEnv === 'all') put(inherited);
  put([
    ['PATH', DEFAULT_PATH],
    ['HOME', account.home],
    ['USER', name],
    ['LOGNAME', name],
    ['SHELL', account.shell],
  ]);
  put(sources.locale);
  const { inheritEnv } = settings;
  if (inheritEnv !== 'all') put(inherited.filter(([key]) => inheritEnv.includes(key)));
  for (const file of sources.files) put(file);
  put(Object.entries(settings.env));
  put(Object.entries(origin.own));
  put([
    ['UPKEEP_SERVICE', origin.service],
    ['UPKEEP_GENERATION', String(origin.generation)],
    ['UPKEEP_ROLE', origin.role],
    ['UPKEEP_TOKEN', origin.token],
  ]);
  return result;
}
