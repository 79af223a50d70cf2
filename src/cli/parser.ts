// One command of the table as a commander parser. The only file that knows commander; its sentences are made ours.

import { CommanderError, Option, Command as Parser } from 'commander';
import type { Command } from './commands.js';
import { usageError } from './exit.js';
import type { Input } from './input.js';

export type Parsed =
  | { readonly type: 'call'; readonly input: Input }
  /** --help was asked for. */
  | { readonly type: 'help'; readonly text: string };

/** Reads what follows the verb. @throws CommandError 2 */
export function parse(command: Command, argv: readonly string[]): Parsed {
  let help = '';
  const parser = parserOf(command).configureOutput({
    writeOut: (text) => {
      help += text;
    },
    writeErr: () => {},
  });
  try {
    parser.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return { type: 'help', text: help };
    throw usageError(`${sentence(error.message)}; see \`upkeep ${command.name} --help\``);
  }
  return { type: 'call', input: { verb: command.name, words: parser.args, options: parser.opts() } };
}

/** What `upkeep VERB --help` prints. */
export const helpOf = (command: Command): string => parserOf(command).helpInformation();

function parserOf({ name, alias, summary, words, options }: Command): Parser {
  const parser = new Parser(`upkeep ${name}`).description(summary).exitOverride().helpOption('-h, --help', 'this text');
  if (alias !== null) parser.alias(alias);
  for (const { usage } of words) parser.argument(usage);
  for (const { flags, summary: text } of options) {
    parser.addOption(text === '' ? new Option(flags).hideHelp() : new Option(flags, text));
  }
  return parser.allowExcessArguments(false);
}

/** `error: unknown option '--foo'\n(Did you mean --for?)` → `unknown option '--foo', did you mean --for` */
function sentence(message: string): string {
  const [what = '', hint] = message.replace(/^error: /, '').split('\n');
  const near = /^\(Did you mean (?:one of )?(.+)\?\)$/.exec(hint ?? '')?.[1];
  return near === undefined ? what.replace(/\.$/, '') : `${what}, did you mean ${near}`;
}
