// The command line: arguments → a verb → an exit code. Knows no verb by itself, see commands.ts.

import { didYouMean } from '../config/suggest.js';
import { commands, findCommand } from './commands.js';
import { CommandError, EXIT, usageError } from './exit.js';
import type { CliPorts } from './ports.js';
import { verbs } from './verbs.js';

/** Runs one command. `argv` without the program's own name. Resolves to the exit code; never rejects. */
export async function runCli(argv: readonly string[], ports: CliPorts): Promise<number> {
  try {
    return await dispatch(argv, ports);
  } catch (error) {
    const { err } = ports.terminal;
    if (error instanceof CommandError) {
      await err.write(`upkeep: ${error.message}\n`);
      return error.code;
    }
    await err.write(`upkeep: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return EXIT.failed;
  }
}

async function dispatch(argv: readonly string[], ports: CliPorts): Promise<number> {
  const { out } = ports.terminal;
  // `upkeep --system status` is written as often as `upkeep status --system`.
  const at = argv.findIndex((word) => word !== '--system' && word !== '--user');
  const before = at === -1 ? argv : argv.slice(0, at);
  const [verb, ...rest] = at === -1 ? [] : argv.slice(at);
  if (verb === undefined) {
    const { bare } = await import('./bare.js');
    return bare(
      { verb: 'status', words: [], options: Object.fromEntries(before.map((word) => [word.slice(2), true])) },
      ports,
    );
  }
  if (verb === '--version' || verb === '-V') return dispatch(['version'], ports);
  if (verb === '--help' || verb === '-h') return dispatch(['help'], ports);
  const command = findCommand(verb);
  const load = command === undefined ? undefined : verbs[command.name];
  if (command === undefined || load === undefined) throw unknownVerb(verb);
  // The words to complete are taken as they are: they are somebody else's options.
  if (command.group === 'hidden') return (await load())({ verb, words: rest, options: {} }, ports);
  const [{ parse }, call] = await Promise.all([import('./parser.js'), load()]);
  const parsed = parse(command, [...before, ...rest]);
  if (parsed.type === 'help') {
    await out.write(parsed.text);
    return EXIT.done;
  }
  if (command.name === 'run' && parsed.input.words.length > 0 && !rest.includes('--')) {
    throw usageError(
      `\`upkeep run\` keeps what is configured; to keep one command, write \`upkeep run -- ${parsed.input.words.join(' ')}\``,
    );
  }
  return call(parsed.input, ports);
}

function unknownVerb(verb: string): CommandError {
  if (verb.startsWith('-'))
    return usageError(`unknown option ${verb}; write the command first: \`upkeep COMMAND ${verb}\``);
  const known = commands
    .filter(({ group }) => group !== 'hidden')
    .flatMap(({ name, alias }) => [name, ...(alias === null ? [] : [alias])]);
  // `stat` is the beginning of status before it is a typo of start.
  const begun = known.filter((name) => name.startsWith(verb));
  const near = begun.length === 1 ? `; did you mean ${begun[0] ?? ''}` : didYouMean(verb, known);
  return usageError(`there is no command ${verb}${near === '' ? '; `upkeep help` lists them' : near}`);
}
