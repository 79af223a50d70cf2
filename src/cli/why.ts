// `upkeep why`: why services are as they are, and how they died. Asks the keeper and shows it; the exit code only says
// whether it could be answered.

import { isDocument } from '../control/client-document.js';
import type { WhyDocument } from '../core/why.js';
import { EXIT, usageError } from './exit.js';
import { hasFlag, type Input } from './input.js';
import { elsewhereIn } from './keeper-facts.js';
import { ask, type Keeper, reachAndWarn, understood } from './keeper-link.js';
import { select, unknownText } from './names.js';
import { painter } from './paint.js';
import type { CliPorts } from './ports.js';
import { printJson, printLines, warn } from './print.js';
import { printable } from './text-width.js';
import { whyLines } from './why-view.js';

export async function why(input: Input, ports: CliPorts): Promise<number> {
  const { out, err } = ports.terminal;
  const keeper = await reachAndWarn(input, ports);
  const document = await documentFor(input, keeper);
  if (document.historyProblem !== null)
    await warn(err, [
      `${printable(document.historyProblem)}; shown is what the services themselves remember of their last end`,
    ]);
  if (hasFlag(input, 'json')) await printJson(out, document);
  else await printLines(out, linesOf(document, input, keeper, ports));
  return EXIT.done;
}

function linesOf(document: WhyDocument, { words }: Input, keeper: Keeper, ports: CliPorts): readonly string[] {
  if (words.length === 0 && document.services.length === 0) return [allIsWell(keeper)];
  const { out } = ports.terminal;
  return whyLines({ document, now: Date.parse(document.time), columns: out.columns(), paint: painter(out.colours) });
}

function allIsWell({ status: { services } }: Keeper): string {
  if (services.length === 0) return 'there are no services';
  return services.length === 1 ? 'the one service is as wanted' : `all ${services.length} services are as wanted`;
}

/** One document of all that is meant. @throws CommandError 2 for a NAME that matches nothing */
async function documentFor(input: Input, keeper: Keeper): Promise<WhyDocument> {
  const query = hasFlag(input, 'all') ? '?all=1' : '';
  if (input.words.length === 0) return askFor(keeper, `/v1/why${query}`);
  const names = await namesFor(input, keeper);
  const documents = await Promise.all(
    names.map((name) => askFor(keeper, `/v1/services/${encodeURIComponent(name)}/why${query}`)),
  );
  const [first] = documents;
  if (first === undefined) throw usageError('no service is meant');
  return {
    ...first,
    services: documents.flatMap(({ services }) => services),
    elsewhere: documents.flatMap(({ elsewhere }) => elsewhere),
    historyProblem: documents.find(({ historyProblem }) => historyProblem !== null)?.historyProblem ?? null,
  };
}

/** Also those that are not for this host: that is an answer too. */
async function namesFor({ words }: Input, keeper: Keeper): Promise<readonly string[]> {
  const here = select(words, keeper.status.services);
  if (here.type === 'some') return here.services.map(({ name }) => name);
  const elsewhere = elsewhereIn(await ask(keeper, 'GET', '/v1/keeper'));
  const all = select(words, [
    ...keeper.status.services.map(({ name, tags }) => ({ name, tags })),
    ...elsewhere.map(({ name }) => ({ name, tags: [] })),
  ]);
  if (all.type === 'some') return all.services.map(({ name }) => name);
  throw usageError(unknownText(all.names));
}

const askFor = async (keeper: Keeper, path: string): Promise<WhyDocument> =>
  understood(await ask(keeper, 'GET', path), isWhy);

const isWhy = (body: unknown): body is WhyDocument => isDocument(body, 'services', 'elsewhere');
