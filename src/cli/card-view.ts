// One service on a card: everything that its status says, in words. Pure.

import type { ServiceStatus } from '../core/status.js';
import { blockOf, type Labelled } from './block.js';
import { fieldsOf, listOf } from './keeper-facts.js';
import type { Paint } from './paint.js';
import { byHandText, colourOf, nextText } from './service-text.js';
import { printable } from './text-width.js';
import { clockText, sinceText } from './time-text.js';

export interface CardView {
  readonly service: ServiceStatus;
  /** More for those who may see it: label and text. */
  readonly details: readonly Labelled[];
  readonly now: number;
  readonly columns: number | null;
  readonly paint: Paint;
}

export function cardLines({ service, details, now, columns, paint }: CardView): readonly string[] {
  const { name, state, process, restarts, lastDeath, health } = service;
  const title = service.description === null ? '' : `  ${printable(service.description)}`;
  const lines: readonly Labelled[] = [
    ['state', `${state} since ${clockText(service.since, now)}: ${printable(service.reason)}`],
    ['wanted', service.desired],
    ['by hand', byHandText(service, now)],
    ['kind', service.kind],
    [
      'process',
      process === null
        ? null
        : `${process.pid}, started ${clockText(process.started, now)} (${sinceText(process.started, now)} ago)`,
    ],
    ['says', service.statusText === null ? null : printable(service.statusText)],
    ['health', health.state === 'none' ? null : health.state],
    ['generation', String(service.generation)],
    ['restarts', `${restarts.total} in all, ${restarts.window} count towards the limit`],
    ['next', nextText(service, now)],
    [
      'last death',
      lastDeath === null
        ? null
        : `${printable(lastDeath.text)}, ${sinceText(lastDeath.time, now)} ago (${clockText(lastDeath.time, now)})`,
    ],
    ['incident', lastDeath?.incident ?? null],
    ['tags', service.tags.length === 0 ? null : service.tags.join(', ')],
    ['not enforced', service.notEnforced.length === 0 ? null : `${service.notEnforced.join(', ')} (this host cannot)`],
    ...details,
  ];
  return [`${paint('bold', name)}  ${paint(colourOf(service), state)}${title}`, ...blockOf(lines, columns, paint)];
}

/** The details that the keeper adds for those who may see them: each a text or a list of lines. */
export function detailsIn(detail: unknown): readonly Labelled[] {
  return Object.entries(fieldsOf(detail)).flatMap(([name, value]): readonly Labelled[] => {
    const label = name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    if (typeof value === 'string' || typeof value === 'number') return [[label, printable(String(value))]];
    const lines = listOf(value).filter((line) => typeof line === 'string');
    return lines.map((line, index): Labelled => [index === 0 ? label : '', printable(line)]);
  });
}
