// `upkeep run`: hands over to the keeper.

import { usageError } from './exit.js';
import { hasFlag, textOf, type Verb, whoseOf } from './input.js';
import { ownKeeper, placesOf } from './places.js';

export const run: Verb = (input, ports) => {
  const { who } = ports.terminal;
  const config = textOf(input, 'config');
  const command = input.words.length === 0 ? null : input.words;
  if (command !== null && config !== null) {
    throw usageError('--config and a command of its own do not go together: `upkeep run -- COMMAND` needs no file');
  }
  return ports.runKeeper({
    places: placesOf({ whose: whoseOf(input) ?? ownKeeper(who.uid), config }, who),
    leave: hasFlag(input, 'leave') ? 'yes' : 'no',
    strict: hasFlag(input, 'strict') ? 'yes' : 'no',
    exitWith: textOf(input, 'exitWith'),
    command,
  });
};
