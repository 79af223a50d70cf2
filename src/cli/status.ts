// `upkeep status`: asks once and shows it; the exit code says whether all is as it is wanted.

import { hasFlag, type Input } from './input.js';
import { reachKeeper, servicesFor, warnPending } from './keeper-link.js';
import type { CliPorts } from './ports.js';
import { printJson, printLines } from './print.js';
import { documentOf, linesOf, standingCode } from './status-report.js';

export async function status(input: Input, ports: CliPorts): Promise<number> {
  if (hasFlag(input, 'watch')) return (await import('./watch.js')).watchStatus(input, ports);
  const keeper = await reachKeeper(input, ports);
  if (hasFlag(input, 'quiet')) return standingCode(await servicesFor(input, keeper, 'all'));
  await warnPending(keeper.status, ports);
  if (hasFlag(input, 'keeper')) return (await import('./keeper.js')).showKeeper(keeper, input, ports);
  const services = await servicesFor(input, keeper, 'all');
  if (hasFlag(input, 'json')) await printJson(ports.terminal.out, await documentOf(input, keeper, services));
  else await printLines(ports.terminal.out, await linesOf(input, keeper, services, ports));
  return standingCode(services);
}
