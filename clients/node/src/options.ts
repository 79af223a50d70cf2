// What a program may set, and what holds where it sets nothing.

/** Given to `service.configure` before `service.ready`. Times in milliseconds. */
export interface Options {
  /** Alone: a signal that asks for a restart; null: none. Node itself has taken SIGUSR1, for its inspector. */
  readonly restartSignal?: NodeJS.Signals | null;
  /** Alone: path of a Unix socket where others may ask for a restart; null: none. UPKEEP_RESTART_SOCKET says it from outside. */
  readonly restartSocket?: string | null;
  /** Alone: how long a successor may take until it is ready. */
  readonly readyWithin?: number;
  /** Alone: how long the state may stand still on its way. */
  readonly transferWithin?: number;
  /** Alone: the command of a successor; that of this process where nothing is said. */
  readonly command?: readonly [program: string, ...args: readonly string[]];
  /** Alone: variables for a successor, over those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Alone: end with 1 after a restart that failed. Otherwise this generation goes on. */
  readonly exitOnError?: boolean;
  /**
   * With which code to end so that the manager starts the next generation: systemd (RestartForceExitStatus=), and Upkeep where
   * `restart` is asked `by: 'exit'` (restart.alwaysAfter).
   */
  readonly restartCode?: number;
  /** How many bytes of state at most are sent, and taken. */
  readonly stateLimit?: number;
}

export type Settings = Required<Options>;

const MiB = 1024 * 1024;

export const standard = (env: NodeJS.ProcessEnv, argv: readonly string[]): Settings => ({
  restartSignal: 'SIGUSR2',
  restartSocket: env.UPKEEP_RESTART_SOCKET ?? null,
  readyWithin: 60_000,
  transferWithin: 10_000,
  command: [process.execPath, ...process.execArgv, ...argv.slice(1)],
  env: {},
  exitOnError: false,
  // EX_TEMPFAIL of sysexits.h: no program ends with it by mistake.
  restartCode: 75,
  stateLimit: 256 * MiB,
});
