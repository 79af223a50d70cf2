// `upkeep run`: hands over to the keeper.

import { EXIT, usageError } from './exit.js';
import { hasFlag, textOf, type Verb, whoseOf } from './input.js';
import { ownKeeper, placesOf } from './places.js';
import type { CliPorts, RunOptions } from './ports.js';
import { printLines } from './print.js';

export const run: Verb = (input, ports) => {
  const { who } = ports.terminal;
  const config = textOf(input, 'config');
  const command = input.words.length === 0 ? null : input.words;
  if (command !== null && config !== null) {
    throw usageError('--config and a command of its own do not go together: `upkeep run -- COMMAND` needs no file');
  }
  const options: RunOptions = {
    places: placesOf({ whose: whoseOf(input) ?? ownKeeper(who.uid), config }, who),
    leave: hasFlag(input, 'leave') ? 'yes' : 'no',
    strict: hasFlag(input, 'strict') ? 'yes' : 'no',
    exitWith: textOf(input, 'exitWith'),
    command,
  };
  return hasFlag(input, 'rehearse') ? rehearse(options, ports) : ports.runKeeper(options);
};

/** For the keeper that is to be replaced by this program: upgrade of the daemon reads the answer. */
async function rehearse(options: RunOptions, { rehearseKeeper, terminal, version }: CliPorts): Promise<number> {
  try {
    await rehearseKeeper(options);
    await printLines(terminal.out, [`upkeep ${version} is ready to take over`]);
    return EXIT.done;
  } catch (error) {
    // Where the mistake in a file stands Node knows alone, and says it of what nobody has caught.
    if (error instanceof SyntaxError) {
      setImmediate(() => {
        throw error;
      });
      return EXIT.failed;
    }
    await printLines(terminal.err, [
      `upkeep: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    ]);
    return EXIT.failed;
  }
}
