// `upkeep status --keeper`: what the keeper says of itself.

import { EXIT } from './exit.js';
import { hasFlag, type Input } from './input.js';
import { factsIn } from './keeper-facts.js';
import { ask, type Keeper } from './keeper-link.js';
import { keeperLines } from './keeper-view.js';
import { painter } from './paint.js';
import type { CliPorts } from './ports.js';
import { printJson, printLines } from './print.js';

export async function showKeeper(keeper: Keeper, input: Input, ports: CliPorts): Promise<number> {
  const { out } = ports.terminal;
  const body = await ask(keeper, 'GET', '/v1/keeper');
  if (hasFlag(input, 'json')) {
    await printJson(out, body);
    return EXIT.done;
  }
  const { status, places } = keeper;
  const now = Date.parse(status.time);
  await printLines(
    out,
    keeperLines({ status, facts: factsIn(body), places, now, columns: out.columns(), paint: painter(out.colours) }),
  );
  return EXIT.done;
}
