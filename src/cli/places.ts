// Where a keeper's things lie: the table of places of the manual, as a pure function of who asks, the environment and
// what was written on the command line. Touches no disk.

import { isAbsolute, join, resolve } from 'node:path';

/** Absolute paths. */
export interface Places {
  /** Whose keeper this is. */
  readonly whose: 'system' | 'user';
  readonly config: string;
  readonly runtime: string;
  readonly state: string;
  readonly logs: string;
  /** The control socket. */
  readonly socket: string;
}

export interface Who {
  readonly uid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The home directory of this user, for where neither HOME nor XDG variables say. */
  readonly home: string;
  readonly cwd: string;
}

export interface PlaceOptions {
  readonly whose: 'system' | 'user';
  /** --config FILE; relative to the working directory. */
  readonly config: string | null;
}

/** The keeper that this user's own commands mean first. */
export const ownKeeper = (uid: number): 'system' | 'user' => (uid === 0 ? 'system' : 'user');

/** The places of a keeper. An override counts for whichever keeper is asked for; an empty variable counts as unset. */
export function placesOf({ whose, config }: PlaceOptions, who: Who): Places {
  const defaults = whose === 'system' ? systemPlaces : userPlaces(who);
  const pathOf = (variable: string, otherwise: string): string => resolve(who.cwd, set(who, variable) ?? otherwise);
  const state = pathOf('UPKEEP_STATE_DIR', defaults.state);
  // A user's runtime and logs lie below the state: the same from login, ssh and cron, which differ in XDG_RUNTIME_DIR.
  const runtime = pathOf('UPKEEP_RUNTIME_DIR', whose === 'system' ? systemPlaces.runtime : join(state, 'run'));
  const logs = pathOf('UPKEEP_LOG_DIR', whose === 'system' ? systemPlaces.logs : join(state, 'log'));
  const file = config === null ? pathOf('UPKEEP_CONFIG', defaults.config) : resolve(who.cwd, config);
  return { whose, config: file, runtime, state, logs, socket: join(runtime, 'control.sock') };
}

/** The variable that the place of the runtime directory comes from; null: from none. */
export function variableOfRuntime(whose: Places['whose'], who: Who): string | null {
  const variables = whose === 'system' ? ['UPKEEP_RUNTIME_DIR'] : ['UPKEEP_RUNTIME_DIR', 'UPKEEP_STATE_DIR'];
  return variables.find((variable) => set(who, variable) !== null) ?? null;
}

const systemPlaces = {
  config: '/etc/upkeep/upkeep.yaml',
  runtime: '/run/upkeep',
  state: '/var/lib/upkeep',
  logs: '/var/log/upkeep',
};

function userPlaces(who: Who): { readonly config: string; readonly state: string } {
  return {
    config: join(xdg(who, 'XDG_CONFIG_HOME', '.config'), 'upkeep/upkeep.yaml'),
    state: join(xdg(who, 'XDG_STATE_HOME', '.local/state'), 'upkeep'),
  };
}

/** The XDG base directory specification: a path that is not absolute is to be ignored. */
function xdg(who: Who, variable: string, otherwise: string): string {
  const value = set(who, variable);
  return value !== null && isAbsolute(value) ? value : join(set(who, 'HOME') ?? who.home, otherwise);
}

function set({ env }: Who, variable: string): string | null {
  const value = env[variable];
  return value === undefined || value === '' ? null : value;
}
