// What `upkeep status` shows of a keeper's answer, and the exit code that it means. Asks for the details that a card and
// `--all` need; prints nothing.

import { type ServiceStatus, standing } from '../core/status.js';
import { CommandError, EXIT, type ExitCode } from './exit.js';
import { hasFlag, type Input } from './input.js';
import { type ElsewhereFact, elsewhereIn, fieldsOf } from './keeper-facts.js';
import { ask, type Keeper } from './keeper-link.js';
import { isOneName } from './names.js';
import { painter } from './paint.js';
import type { CliPorts } from './ports.js';
import { problemLines, statusLines } from './status-view.js';

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
  const [service, ...others] = services;
  if (isOneName(input.words) && service !== undefined && others.length === 0) {
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
