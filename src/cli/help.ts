// `upkeep help`: all commands, one command, or a key of the configuration. Some words are both, and get both.

import { helpFor, keyList } from '../config/help.js';
import { wrap } from './block.js';
import { commands, findCommand } from './commands.js';
import { EXIT, usageError } from './exit.js';
import type { Verb } from './input.js';
import { overviewLines } from './overview.js';
import { helpOf } from './parser.js';
import { printLines } from './print.js';

/** Of sentences, where there is no terminal. */
const WIDTH = 100;

export const help: Verb = async ({ words }, { terminal: { out } }) => {
  await printLines(out, linesFor(words[0] ?? null, out.columns() ?? WIDTH));
  return EXIT.done;
};

/** @throws CommandError 2 where it is neither a command nor a key */
function linesFor(asked: string | null, width: number): readonly string[] {
  if (asked === null) return overviewLines();
  if (asked === 'keys') return keyList();
  const command = findCommand(asked);
  const key = helpFor(asked);
  const ofKey = key.lines.flatMap((line) => hanging(line, width));
  const ofCommand = command === undefined ? [] : helpOf(command).trimEnd().split('\n');
  if (command !== undefined && key.type === 'ok') return [...ofCommand, '', 'In the configuration:', '', ...ofKey];
  if (command !== undefined) return ofCommand;
  if (key.type === 'ok') return ofKey;
  throw usageError(
    `${key.lines.join(' ')}; commands are ${commands
      .filter(({ group }) => group !== 'hidden')
      .map(({ name }) => name)
      .join(', ')}`,
  );
}

/** Wrapped below itself. */
function hanging(line: string, width: number): readonly string[] {
  const text = line.trimStart();
  const margin = ' '.repeat(line.length - text.length);
  return wrap(text, width - margin.length - 2).map((part, index) => `${margin}${index === 0 ? '' : '  '}${part}`);
}
