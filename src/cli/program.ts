// The command line: arguments → a verb → an exit code. Knows no verb by itself, see commands.ts.

import type { CliPorts } from './ports.js';

/** Runs one command. `argv` without the program's own name. Resolves to the exit code. */
export async function runCli(argv: readonly string[], ports: CliPorts): Promise<number> {
  await ports.terminal.err.write(`upkeep: ${argv.join(' ')} is not built yet\n`);
  return 2;
}
