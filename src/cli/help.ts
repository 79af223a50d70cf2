// `upkeep help`: all commands, one command, or a key of the configuration. Some words are both, and get both.

import { helpFor, keyList } from '../config/help.js';
import { commands, findCommand } from './commands.js';
import { EXIT, usageError } from './exit.js';
import type { Verb } from './input.js';
import { overviewLines } from './overview.js';
import { helpOf } from './parser.js';
import { printLines } from './print.js';

export const help: Verb = async ({ words }, ports) => {
  await printLines(ports.terminal.out, linesFor(words[0] ?? null));
  return EXIT.done;
};

/** @throws CommandError 2 where it is neither a command nor a key */
function linesFor(asked: string | null): readonly string[] {
  if (asked === null) return overviewLines();
  if (asked === 'keys') return keyList();
  const command = findCommand(asked);
  const key = helpFor(asked);
  const ofCommand = command === undefined ? [] : helpOf(command).trimEnd().split('\n');
  if (command !== undefined && key.type === 'ok') return [...ofCommand, '', 'In the configuration:', '', ...key.lines];
  if (command !== undefined) return ofCommand;
  if (key.type === 'ok') return key.lines;
  throw usageError(
    `${key.lines.join(' ')}; commands are ${commands
      .filter(({ group }) => group !== 'hidden')
      .map(({ name }) => name)
      .join(', ')}`,
  );
}
