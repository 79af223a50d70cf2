// `hooks`: commands around a start and a stop. A list is one of commands here, never of arguments, which `[sh, -c, "…"]` and
// its like would be taken for elsewhere.

import type { Command, Hooks } from '../core/spec.js';
import { commandWithin } from './command.js';
import { defaulted, optional, record } from './record.js';
import { complain, describedAs, listOf, refine, type Shape } from './shape.js';

const command = commandWithin('90s');

const step: Shape<Command> = refine(command, (one, tree, reading) => {
  const [program = ''] = one.argv;
  if (!program.startsWith('-')) return one;
  const message = `found ${JSON.stringify(program)} where a command stands; a list in \`hooks\` is one of commands, so write the arguments in one string, or as a list within the list: [[sh, -c, "…"]]`;
  return complain(reading, tree.at, message);
});

const steps = describedAs(listOf(step, 'single'), 'a command, or a list of commands');

/** All of them run with the settings of the service. */
export const hooks: Shape<Hooks> = record('a map like {beforeStart: COMMAND}', {
  condition: optional(
    command,
    'Decides whether it is started at all: not 0 makes it `skipped`, which is no failure; asked again at a start, at an apply and every `restart.slowEvery`.',
  ),
  beforeStart: defaulted(
    steps,
    '[]',
    'Commands before each start, one after the other; one that fails is a failed start. A list is one of commands: each a string, a list of arguments or a map with `exec`; `timeout` is 90s where none is given.',
  ),
  afterStart: defaulted(
    steps,
    '[]',
    'Commands once it is ready, before that counts; one that fails is a failed start.',
  ),
  beforeStop: defaulted(steps, '[]', 'Commands before it gets its first signal.'),
  afterStop: defaulted(steps, '[]', 'Commands whenever it has ended, asked or not.'),
});
