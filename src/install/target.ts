// What is to be installed: which program, for which keeper, and the words that start it. Pure.

import { join } from 'node:path';

/** Absolute paths. */
export interface Target {
  /** `system`: root's. */
  readonly whose: 'system' | 'user';
  readonly uid: number;
  readonly user: string;
  /** $XDG_CONFIG_HOME, or what it is by default. */
  readonly configHome: string;
  readonly node: string;
  /** bin/upkeep. */
  readonly program: string;
  /** lib/ of the package: check.sh, guard.sh, start.sh. */
  readonly scripts: string;
  readonly runtime: string;
  readonly state: string;
  readonly logs: string;
  /** --config FILE; null: the default. */
  readonly config: string | null;
  /** UPKEEP_… variables for places that are not the default ones. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The words that run the keeper. Every owner leaves the services at its end: it may be about to start the next keeper. */
export const keeperCommand = ({ node, program, whose, config }: Target): readonly string[] => [
  node,
  program,
  'run',
  '--leave',
  `--${whose}`,
  ...(config === null ? [] : ['--config', config]),
];

/** The command with these variables set, for whoever cannot set them otherwise. */
export const withVariables = (
  variables: Readonly<Record<string, string>>,
  command: readonly string[],
): readonly string[] => {
  const words = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return words.length === 0 ? command : ['env', ...words, ...command];
};

/** A note for who installs it. Only below systemd it is the journal. */
export const whereItSpeaks = ({ logs }: Target): string =>
  `what it says goes to ${join(logs, '_keeper.log')}, and to syslog where there is one`;

/** In every file that we write, near its top: what has it is ours, and of which keeper. */
export const markOf = ({ runtime }: Target): string => `${MARK} for the keeper in ${runtime}`;

export const MARK = 'Written by `upkeep install`';

/** Why these paths cannot be written into files of systemd, cron and sh; null: they can. */
export function whyNotWritable(target: Target): string | null {
  const { node, program, scripts, runtime, state, logs, config, environment } = target;
  const paths = [node, program, scripts, runtime, state, logs, config ?? '/', ...Object.values(environment)];
  const odd = paths.find((path) => /\p{Cc}/u.test(path));
  return odd === undefined ? null : `${JSON.stringify(odd)} holds a control character; no file can name it`;
}
