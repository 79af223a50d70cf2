// What people were told of a play, once all is quiet: nothing twice, no end that was not told to whoever wants to know of
// each, and nothing that is believed to be down although it runs. Over the deaths of keepers that had not written their last steps.

import type { Entry } from '../../src/core/entry.js';
import { originOf, type Service } from '../../src/core/state.js';
import type { Newsroom } from '../support/newsroom.js';

/** What is wrong with it; null: nothing. */
export function complaintOf(
  { letters, desk }: Newsroom,
  entries: readonly Entry[],
  services: readonly Service[],
): string | null {
  const told = letters.flatMap(({ channel, notices }) => notices.map(({ id }) => `${channel} ${id}`));
  const twice = repeated(letters.map(({ id }) => id)) ?? repeated(told);
  if (twice !== null) return `told twice: ${twice}`;
  const known = new Set(told);
  const missed = entries
    .filter(deservesTelling)
    .find(({ origin, number }) => !known.has(`each ${origin}-${number}-died`));
  if (missed !== undefined) return `nobody was told of entry ${missed.number}: ${JSON.stringify(missed.news)}`;
  const running = new Set(
    services.flatMap(({ spec, state }) => (state.name === 'running' ? [spec.name as string] : [])),
  );
  const wrong = desk.cases.find(({ phase, service }) => phase === 'down' && running.has(service));
  return wrong === undefined ? null : `${wrong.service} runs, and the desk believes that it is down`;
}

/** An end that nobody asked for, of what is wanted up, and not because its policy or the host wants it so. */
function deservesTelling({ news }: Entry): boolean {
  if (news.of === 'keeper') return false;
  const { change, about } = news;
  const { what } = change;
  if (what.type !== 'died') return false;
  // Whoever goes with another is told of with that one.
  if (change.wave !== null && originOf(change.wave) !== change.service) return false;
  const isLeft = what.next.type === 'nothing' && change.to !== 'stopped' && change.to !== 'failed';
  return about.hold === 'no' && about.desired === 'up' && !isLeft;
}

function repeated(ids: readonly string[]): string | null {
  const seen = new Set<string>();
  return ids.find((id) => seen.size === seen.add(id).size) ?? null;
}
