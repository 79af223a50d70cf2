// One service on a card: everything that its status says, in words. Pure.

import type { ServiceStatus } from '../core/status.js';
import { blockOf, type Labelled } from './block.js';
import { drainingLines, reloadingText, successorText, watchdogText } from './generation-text.js';
import { heartbeatLines } from './health-text.js';
import { fieldsOf, listOf, wordOf } from './keeper-facts.js';
import type { Paint } from './paint.js';
import { byHandText, colourOf, fightText, nextText } from './service-text.js';
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
    ['hands over', successorText(service)],
    ...drainingLines(service, now),
    ['says', service.statusText === null ? null : printable(service.statusText)],
    ['watchdog', watchdogText(service, now)],
    ['reloads', reloadingText(service, now)],
    ['health', health.state === 'none' ? null : health.state],
    ...heartbeatLines(service, now),
    ['generation', String(service.generation)],
    [
      'restarts',
      `${restarts.total} in all, ${restarts.window} ${restarts.window === 1 ? 'counts' : 'count'} towards the limit`,
    ],
    ['next', nextLine(service, now)],
    ['in its way', service.blockedBy.length === 0 ? null : service.blockedBy.join(', ')],
    ['fight', fightText(service, now)],
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

/** Where it waits for others, its state has said that already; and what drains has a line of its own. */
function nextLine(service: ServiceStatus, now: number): string | null {
  const text = nextText({ ...service, draining: [] }, now);
  return text === printable(service.reason) ? null : text;
}

/** What the keeper adds for those who may see it: commands, user, and what was lost of the output. */
export function detailsIn(detail: unknown): readonly Labelled[] {
  const { spec, log } = fieldsOf(detail);
  const { kind, settings, runbook } = fieldsOf(spec);
  const { run, start, logFrom } = fieldsOf(kind);
  const { dropped, inexactRotations } = fieldsOf(log);
  return [
    ['runs', commandText(run)],
    ['started by', commandText(start)],
    ['user', textOf(fieldsOf(settings).user)],
    ['writes to', textOf(logFrom)],
    ['runbook', textOf(runbook)],
    ['output lost', numberText(dropped, 'bytes: there was no room on the disk')],
    ['rotations', numberText(inexactRotations, 'in which a line may have been lost')],
  ];
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? printable(value) : null);

const numberText = (value: unknown, what: string): string | null =>
  typeof value === 'number' && value > 0 ? `${value} ${what}` : null;

function commandText(command: unknown): string | null {
  const argv = listOf(fieldsOf(command).argv).map(wordOf);
  return argv.length === 0
    ? null
    : printable(argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' '));
}
