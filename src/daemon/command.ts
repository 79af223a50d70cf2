// `upkeep run -- COMMAND`: a configuration of one service without a file. As in a shell, or as a container's entry point, the
// command gets the directory, the environment and the output of whoever calls it. Knows nothing of the keeper.

import { basename } from 'node:path';
import type { Places } from '../cli/places.js';
import { type Disk, realDisk } from '../config/disk.js';
import { realHost } from '../config/host-facts.js';
import { type Configuration, loadConfig } from '../config/load.js';
import { problemText } from '../config/problem.js';
import { errorText } from '../core/error-text.js';
import type { Found } from '../journal/journal.js';
import type { Decision } from './configuration.js';

/** Where it was called: the keeper itself lives in `/`, and after an upgrade it is called from there. */
const HERE = 'UPKEEP_COMMAND_DIRECTORY';

/** Where the reader believes to read. */
const FILE = '/command.yaml';

/** The places of a keeper without a file; what stands for the file is told in the status. To be asked before the directory is left. */
export function placesOfCommand(places: Places, command: readonly string[], env: NodeJS.ProcessEnv): Places {
  env[HERE] ??= process.cwd();
  return { ...places, config: `upkeep run -- ${command.join(' ')}` };
}

/** Only in directories that are free for it: what a keeper with a file has left running there is no business of a command's. */
export function decideCommand(path: string, command: readonly string[], uid: number, found: Found): Decision {
  const others = [...found.snapshots.values()]
    .filter(
      ({ name, service }) => name !== nameOf(command) && 'process' in service.state && service.state.process !== null,
    )
    .map(({ name }) => name);
  if (others.length > 0) {
    const problem = `services of another keeper run from these directories (${others.join(', ')}); name others with UPKEEP_RUNTIME_DIR, UPKEEP_STATE_DIR and UPKEEP_LOG_DIR`;
    return { type: 'refuse', problems: [problem] };
  }
  try {
    const configuration = commandConfiguration(path, command, uid, process.env);
    return { type: 'run', configuration, from: 'file', problems: [] };
  } catch (error) {
    return { type: 'refuse', problems: [errorText(error)] };
  }
}

/** @throws a sentence: it is no command */
export function commandConfiguration(
  path: string,
  command: readonly string[],
  uid: number,
  env: NodeJS.ProcessEnv,
): Configuration {
  const service = {
    run: command,
    cwd: env[HERE] ?? '/',
    // By name, so that the caller's PATH and HOME count, and so that no value is written down anywhere.
    inheritEnv: Object.keys(env).filter((name) => /^[A-Za-z_]\w*$/.test(name) && !name.startsWith('UPKEEP_')),
    log: 'inherit',
  };
  const text = JSON.stringify({ services: { [nameOf(command)]: service } });
  // JSON is YAML, so the one reader of configurations has the last word here too. What is not on a disk is nobody else's.
  const disk: Disk = {
    ...realDisk,
    look: (at) => ({ type: at === FILE ? 'file' : 'directory', uid, mode: 0o600 }),
    read: () => Buffer.from(text),
  };
  const loaded = loadConfig({ path: FILE, facts: realHost(), environment: {}, who: { uid } }, disk);
  if (loaded.type === 'bad') throw new Error(loaded.problems.map(problemText).join('; '));
  // There is no file that could change.
  return { ...loaded.config, path, sources: { files: [], globs: [] } };
}

/** The program's name, made one that a service may have. */
export function nameOf([program = '']: readonly string[]): string {
  const name = basename(program)
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '');
  return name === '' ? 'command' : name;
}
