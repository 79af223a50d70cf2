// `upkeep` alone: the status, and the commands to know.

import { CommandError, EXIT } from './exit.js';
import type { Input } from './input.js';
import { fewLines, overviewLines } from './overview.js';
import type { CliPorts } from './ports.js';
import { printLines } from './print.js';
import { status } from './status.js';

export async function bare(input: Input, ports: CliPorts): Promise<number> {
  const { out, err } = ports.terminal;
  try {
    const code = await status(input, ports);
    await printLines(out, ['', ...fewLines]);
    return code;
  } catch (error) {
    if (!(error instanceof CommandError) || error.code !== EXIT.noKeeper) throw error;
    await printLines(out, overviewLines());
    await err.write(`\nupkeep: ${error.message}\n`);
    return error.code;
  }
}
