// `upkeep check`: reads a configuration as the keeper would, and says all that is wrong with it.

import { resolve } from 'node:path';
import { hostNamed, realHost } from '../config/host-facts.js';
import { type Loaded, loadConfig } from '../config/load.js';
import { type Problem, problemText } from '../config/problem.js';
import { countOf } from '../core/status.js';
import { CommandError, EXIT, usageError } from './exit.js';
import { hasFlag, type Input, textOf, type Verb, whoseOf } from './input.js';
import { ownKeeper, placesOf } from './places.js';
import type { CliPorts } from './ports.js';
import { printJson, printLines, warn } from './print.js';

export const check: Verb = async (input, ports) => {
  const { out, err } = ports.terminal;
  const path = fileOf(input, ports);
  const loaded = load(path, input, ports, 'specs');
  const problems = loaded.type === 'bad' ? loaded.problems : [];
  if (hasFlag(input, 'json')) {
    await printJson(out, { version: 1, file: path, ok: loaded.type === 'ok', problems, warnings: loaded.warnings });
    return loaded.type === 'ok' ? EXIT.done : EXIT.failed;
  }
  await warn(
    err,
    loaded.warnings.map((warning) => `warning: ${problemText(warning)}`),
  );
  if (loaded.type === 'bad') {
    await printProblems(problems, ports);
    return EXIT.failed;
  }
  const { specs, elsewhere, classes } = loaded.config;
  const rest =
    elsewhere.length === 0
      ? ''
      : `, and ${elsewhere.length} for other hosts (${elsewhere.map(({ name }) => name).join(', ')})`;
  const host = textOf(input, 'as');
  await printLines(out, [
    `${path} is right: ${countOf(specs.length, 'service')}${host === null ? '' : ` on ${host}`}${rest}`,
    ...(host === null ? [] : [`classes there: ${classes.set.join(', ')}`]),
  ]);
  return EXIT.done;
};

/** The FILE, --config, or where the keeper of this user has it. */
export function fileOf(input: Input, { terminal }: CliPorts): string {
  const { who } = terminal;
  const named = input.verb === 'check' || input.verb === 'init' ? (input.words[0] ?? null) : null;
  const config = textOf(input, 'config');
  if (named !== null && config !== null) throw usageError(`--config and ${named} are two files; give one of them`);
  return placesOf({ whose: whoseOf(input) ?? ownKeeper(who.uid), config: named ?? config }, who).config;
}

/** The configuration for this host, or for another one. @throws CommandError 2 */
export function load(path: string, input: Input, { terminal }: CliPorts, want: 'specs' | 'settings'): Loaded {
  const host = textOf(input, 'as');
  const given = (textOf(input, 'class') ?? '').split(/[\s,]+/).filter((name) => name !== '');
  const odd = given.find((name) => !/^[A-Za-z0-9_]+$/.test(name));
  if (odd !== undefined)
    throw usageError(`--class ${odd}: a class is of letters, digits and _; several stand between commas`);
  const here = realHost();
  const facts = host === null ? { ...here, given } : hostNamed(host, given);
  return loadConfig({
    path: resolve(terminal.who.cwd, path),
    facts,
    environment: terminal.who.env,
    who: { uid: terminal.who.uid },
    want,
  });
}

/** The configuration that is right. @throws CommandError 1 after telling all problems */
export async function loadRight(
  input: Input,
  ports: CliPorts,
  want: 'specs' | 'settings',
): Promise<Extract<Loaded, { type: 'ok' }>> {
  const path = fileOf(input, ports);
  const loaded = load(path, input, ports, want);
  if (loaded.type === 'ok') return loaded;
  await printProblems(loaded.problems, ports);
  throw new CommandError(EXIT.failed, `${path} is broken, see above`);
}

/** One line for each, as compilers print them, and how many there are. */
async function printProblems(problems: readonly Problem[], { terminal }: CliPorts): Promise<void> {
  await printLines(terminal.err, [...problems.map(problemText), `upkeep: ${countOf(problems.length, 'problem')}`]);
}
