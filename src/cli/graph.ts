// `upkeep graph`: who needs whom, of the services that the keeper keeps, or of a file with --config.

import { isDocument } from '../control/client-document.js';
import { type GraphDocument, graphOfSpecs } from '../core/graph-view.js';
import type { ServiceStatus } from '../core/status.js';
import { loadRight } from './check.js';
import { EXIT, usageError } from './exit.js';
import { partOf } from './graph-edge.js';
import { hasFlag, type Input, textOf } from './input.js';
import { ask, reachAndWarn, servicesFor, understood } from './keeper-link.js';
import { select, unknownText } from './names.js';
import { painter } from './paint.js';
import type { CliPorts } from './ports.js';
import { printJson, printLines } from './print.js';

interface Meant {
  readonly document: GraphDocument;
  readonly statuses: readonly ServiceStatus[];
  /** Those that were named; empty: all. */
  readonly names: readonly string[];
}

export async function graph(input: Input, ports: CliPorts): Promise<number> {
  const { out } = ports.terminal;
  if (hasFlag(input, 'dot') && hasFlag(input, 'json')) throw usageError('--dot and --json are two forms; give one');
  const { document: whole, statuses, names } = await (textOf(input, 'config') === null ? kept : written)(input, ports);
  const document = names.length === 0 ? whole : partOf(whole, names);
  if (hasFlag(input, 'json')) await printJson(out, document);
  else if (hasFlag(input, 'dot')) await printLines(out, (await import('./graph-dot.js')).dotLines(document));
  else {
    const { treeLines } = await import('./graph-tree.js');
    const lines = treeLines({
      document,
      statuses: new Map(statuses.map((status) => [status.name, status])),
      asked: new Set(names),
      columns: out.columns(),
      paint: painter(out.colours),
    });
    await printLines(out, lines.length === 0 ? ['there are no services'] : lines);
  }
  return EXIT.done;
}

/** @throws CommandError 2 for a NAME that matches nothing, 4 where no keeper answers */
async function kept(input: Input, ports: CliPorts): Promise<Meant> {
  const keeper = await reachAndWarn(input, ports);
  const names = input.words.length === 0 ? [] : (await servicesFor(input, keeper, 'all')).map(({ name }) => name);
  const document = understood(await ask(keeper, 'GET', '/v1/graph'), isGraph);
  return { document, statuses: keeper.status.services, names };
}

/** @throws CommandError 1 for a file that is wrong, 2 for a NAME that matches nothing */
async function written(input: Input, ports: CliPorts): Promise<Meant> {
  const { config } = await loadRight(input, ports, 'specs');
  const document = graphOfSpecs(config.specs);
  if (input.words.length === 0) return { document, statuses: [], names: [] };
  const selection = select(input.words, config.specs);
  if (selection.type === 'unknown') throw usageError(unknownText(selection.names));
  return { document, statuses: [], names: selection.services.map(({ name }) => name) };
}

const isGraph = (body: unknown): body is GraphDocument => isDocument(body, 'services');
