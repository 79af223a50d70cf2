// What applying a configuration does, service by service, in words. Pure; reads the keeper's answer with care.

import { countOf } from '../core/status.js';
import { fieldsOf, listOf, wordOf } from './keeper-facts.js';
import type { Colour, Paint } from './paint.js';
import { type Cell, tableOf } from './table.js';
import { printable } from './text-width.js';

export interface Plan {
  readonly entries: readonly PlanLine[];
  /** Keys beside the services that change. */
  readonly also: readonly string[];
  /** Mistakes in the files; then there is nothing to apply. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export interface PlanLine {
  readonly name: string;
  readonly action: string;
  readonly keys: readonly string[];
  readonly why: string;
}

export function planIn(body: unknown): Plan {
  const { entries, also, problems, warnings } = fieldsOf(body);
  return {
    entries: listOf(entries).map((entry) => {
      const { name, action, keys, why } = fieldsOf(entry);
      return { name: wordOf(name), action: wordOf(action), keys: listOf(keys).map(wordOf), why: wordOf(why) };
    }),
    also: listOf(also).map(wordOf),
    problems: listOf(problems).map(wordOf),
    warnings: listOf(warnings).map(wordOf),
  };
}

export const changesIn = ({ entries }: Plan): readonly PlanLine[] => entries.filter(({ action }) => action !== 'none');

/** A hand-over is none: nobody is without the service. */
export const restartsIn = ({ entries }: Plan): readonly PlanLine[] =>
  entries.filter(({ action }) => action === 'restart');

/** A line for each service that something happens to, and how many are left alone. */
export function planLines(plan: Plan, columns: number | null, paint: Paint): readonly string[] {
  const changes = changesIn(plan);
  const rest = plan.entries.length - changes.length;
  const unchanged = rest === 0 ? [] : [`no action: ${countOf(rest, 'service')}`];
  const also = plan.also.length === 0 ? [] : [`changes too: ${plan.also.join(', ')}`];
  if (changes.length === 0)
    return [plan.also.length === 0 ? 'nothing changes' : 'no service changes', ...also, ...unchanged];
  const rows = changes.map(({ name, action, keys, why }) => [
    cell(name),
    cell(WORDS[action] ?? action, COLOURS[action] ?? null),
    cell(keys.length === 0 ? printable(why) : `${printable(why)} (changed: ${keys.join(', ')})`),
  ]);
  const titles = [
    { title: 'NAME', least: 12 },
    { title: 'ACTION', least: null },
    { title: 'WHY', least: 16 },
  ];
  return [...tableOf(titles, rows, columns, paint), ...also, ...unchanged];
}

const cell = (text: string, colour: Colour | null = null): Cell => ({ text, colour });

const WORDS: Readonly<Record<string, string>> = { none: 'no action', live: 'update live', handover: 'hand over' };
const COLOURS: Readonly<Record<string, Colour>> = { restart: 'yellow', stop: 'red', remove: 'red', start: 'green' };
