// `upkeep status`: asks once and shows it; the exit code says whether all is as it is wanted.

import { type ServiceStatus, standing } from '../core/status.js';
import { CommandError, EXIT, type ExitCode } from './exit.js';
import { hasFlag, type Input } from './input.js';
import { type ElsewhereFact, elsewhereIn, fieldsOf } from './keeper-facts.js';
import { ask, type Keeper, reachKeeper, servicesFor, warnPending } from './keeper-link.js';
import { isOneName } from './names.js';
import { painter } from './paint.js';
import type { CliPorts } from './ports.js';
import { printJson, printLines } from './print.js';
import { problemLines, statusLines } from './status-view.js';

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

/** What is bad wins over what is on its way. */
export function standingCode(services: readonly ServiceStatus[]): ExitCode {
  const standings = services.map(standing);
  if (standings.includes('bad')) return EXIT.down;
  return standings.includes('late') ? EXIT.underWay : EXIT.done;
}

/** What `--json` prints: the keeper's own document, with the services that were asked for. */
export async function documentOf(input: Input, keeper: Keeper, services: readonly ServiceStatus[]): Promise<unknown> {
  const document = { ...keeper.status, services };
  return hasFlag(input, 'all') ? { ...document, elsewhere: await elsewhereOf(keeper) } : document;
}

/** The table, or the card where one service is named. */
export async function linesOf(
  input: Input,
  keeper: Keeper,
  services: readonly ServiceStatus[],
  ports: CliPorts,
): Promise<readonly string[]> {
  const { out } = ports.terminal;
  const paint = painter(out.colours);
  const now = Date.parse(keeper.status.time);
  const columns = out.columns();
  const [service] = services;
  if (isOneName(input.words) && service !== undefined) {
    const { cardLines, detailsIn } = await import('./card-view.js');
    const details = detailsIn(await detailOf(keeper, service.name));
    return [...problemLines(keeper.status, paint), ...cardLines({ service, details, now, columns, paint })];
  }
  const elsewhere = hasFlag(input, 'all') && input.words.length === 0 ? await elsewhereOf(keeper) : [];
  return statusLines({ status: keeper.status, places: keeper.places, services, elsewhere, now, columns, paint });
}

async function elsewhereOf(keeper: Keeper): Promise<readonly ElsewhereFact[]> {
  return elsewhereIn(await ask(keeper, 'GET', '/v1/keeper'));
}

/** What only its operators may see; null to others, and where it went away meanwhile. */
async function detailOf(keeper: Keeper, name: string): Promise<unknown> {
  try {
    return fieldsOf(await ask(keeper, 'GET', `/v1/services/${encodeURIComponent(name)}`)).detail ?? null;
  } catch (error) {
    if (error instanceof CommandError) return null;
    throw error;
  }
}
