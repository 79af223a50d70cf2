// `upkeep history`: what happened and who asked for it. Asks the keeper: what stands in the history outlives services, so a
// NAME may also be of one that is no more.

import {
  type HistoryEntry,
  type HistoryFilter,
  historyPath,
  isHistory,
  largestPage,
} from '../control/client-history.js';
import { CommandError, EXIT, type ExitCode } from './exit.js';
import { followHistory } from './history-follow.js';
import { entryWriter } from './history-line.js';
import { hasFlag, type Input, textOf, type Verb } from './input.js';
import { ask, type Keeper, reachAndWarn, servicesFor, understood } from './keeper-link.js';
import { linesOf, sinceOf } from './logs.js';
import { poolsOf, select } from './names.js';
import type { CliPorts } from './ports.js';
import { printJson } from './print.js';

export const history: Verb = async (input, ports) => {
  const { out } = ports.terminal;
  const since = sinceOf(input, Date.now());
  const most = linesOf(input, since);
  const keeper = await keeperFor(input, ports);
  const filter: HistoryFilter = {
    services: await namesFor(input, keeper),
    since,
    incident: textOf(input, 'incident'),
    by: textOf(input, 'by'),
    chatter: hasFlag(input, 'all') ? 'all' : 'none',
  };
  const { entries, last } = await newest(keeper, filter, most === 'all' ? Number.POSITIVE_INFINITY : most);
  const isJson = hasFlag(input, 'json');
  const follows = hasFlag(input, 'follow');
  if (isJson && !follows) {
    await printJson(out, { version: 1, entries });
    return EXIT.done;
  }
  const write = entryWriter({ output: out, form: isJson ? 'json' : 'text', entries });
  for (const entry of entries) if ((await write(entry)) === 'closed') return EXIT.done;
  return follows ? goOn(keeper, filter, last, write, ports) : EXIT.done;
};

/** @throws CommandError 4 */
async function keeperFor(input: Input, ports: CliPorts): Promise<Keeper> {
  try {
    return await reachAndWarn(input, ports);
  } catch (error) {
    if (!(error instanceof CommandError) || error.code !== EXIT.noKeeper) throw error;
    throw new CommandError(EXIT.noKeeper, `${error.message}; the history is asked from the keeper`);
  }
}

/** Names and globs as the history knows them. @throws CommandError 2 for one that means nothing */
async function namesFor(input: Input, keeper: Keeper): Promise<readonly string[]> {
  const names: string[] = [];
  for (const word of input.words) {
    if (word.startsWith('@')) {
      const tagged = await servicesFor({ ...input, words: [word] }, keeper, 'refuse');
      names.push(...tagged.map(({ name }) => name));
    } else {
      const isHere = select([word], keeper.status.services).type === 'some';
      if (!isHere && !(await isInHistory(keeper, word)))
        await servicesFor({ ...input, words: [word] }, keeper, 'refuse');
      // Also members that a smaller pool has no more.
      names.push(word, ...(poolsOf(keeper.status.services).includes(word) ? [`${word}@*`] : []));
    }
  }
  return names;
}

async function isInHistory(keeper: Keeper, name: string): Promise<boolean> {
  const filter: HistoryFilter = { services: [name], since: null, incident: null, by: null, chatter: 'all' };
  return (await newest(keeper, filter, 1)).entries.length > 0;
}

interface Found {
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
  /** The newest that the history had when it was asked first. */
  readonly last: string | null;
}

/** Asked page by page, from the newest back. @throws CommandError 1 where there is no history */
async function newest(keeper: Keeper, filter: HistoryFilter, most: number): Promise<Found> {
  // None are wanted, but where to go on from has to be known.
  const { entries, last } = await pageOf(keeper, filter, Math.max(1, Math.min(most, largestPage)), undefined);
  let found = most === 0 ? [] : entries;
  let page = entries;
  while (page.length === largestPage && found.length < most) {
    page = (await pageOf(keeper, filter, Math.min(most - found.length, largestPage), page[0]?.id)).entries;
    found = [...page, ...found];
  }
  return { entries: found, last };
}

async function pageOf(keeper: Keeper, filter: HistoryFilter, most: number, before: string | undefined): Promise<Found> {
  const page = before === undefined ? { most } : { most, before };
  return understood(await ask(keeper, 'GET', historyPath(filter, page)), isHistory);
}

/** Until Ctrl-C, or until nobody reads any more. */
async function goOn(
  keeper: Keeper,
  filter: HistoryFilter,
  last: string | null,
  write: (entry: HistoryEntry) => Promise<'open' | 'closed'>,
  { terminal }: CliPorts,
): Promise<ExitCode> {
  const stop = new AbortController();
  const stopListening = terminal.onInterrupt(() => stop.abort());
  const signal = AbortSignal.any([stop.signal, terminal.out.closed]);
  const tell = async (sentence: string): Promise<void> => {
    await terminal.err.write(`upkeep: ${sentence}\n`);
  };
  try {
    for await (const entry of followHistory({ socket: keeper.places.socket, filter, last, tell, signal }))
      if ((await write(entry)) === 'closed') break;
    return EXIT.done;
  } finally {
    stopListening();
  }
}
