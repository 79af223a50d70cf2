// One service in words: the cells of the table and the lines of the card are made of these. Pure; `now` is in
// milliseconds since 1970, by the keeper's clock.

import type { HoldStatus, OverrideStatus, ServiceStatus } from '../core/status.js';
import { byWhom, standing } from '../core/status.js';
import { drainText } from './generation-text.js';
import { troubleText } from './health-text.js';
import type { Colour } from './paint.js';
import { printable } from './text-width.js';
import { clockText, sinceText, untilText } from './time-text.js';

export function colourOf(service: ServiceStatus): Colour | null {
  const { state, desired } = service;
  if (state === 'handover') return 'yellow';
  if (state === 'running') return service.health.state === 'failing' ? 'red' : 'green';
  switch (standing(service)) {
    case 'fine':
      return desired === 'down' || service.hold !== null ? 'dim' : null;
    case 'late':
      return 'yellow';
    case 'bad':
      return 'red';
  }
}

/** How long its process lives; null when there is none. */
export const uptimeText = ({ process }: ServiceStatus, now: number): string | null =>
  process === null ? null : sinceText(process.started, now);

/** `killed by SIGKILL, 2 h ago`; null when it never died. */
export const lastText = ({ lastDeath }: ServiceStatus, now: number): string | null =>
  lastDeath === null ? null : `${printable(lastDeath.text)}, ${sinceText(lastDeath.time, now)} ago`;

/** What comes next by itself, or why nothing does though it should; null when all is as it should be. */
export function nextText(service: ServiceStatus, now: number): string | null {
  const { next, fight } = service;
  const trouble = troubleText(service);
  if (trouble !== null && (next === null || next.why === 'planned')) return trouble;
  if (next === null || next.why === 'planned') {
    const drain = drainText(service, now);
    if (drain !== null) return drain;
  }
  if (next === null) {
    if (fight !== null) return 'a fight: it may be stopped again';
    return standing(service) === 'fine' ? null : printable(service.reason);
  }
  // For whom it waits, and how that one is, the keeper says better than we could.
  if (next.what === 'look' || next.why === 'others' || next.why === 'place') return printable(service.reason);
  const when = next.at === null ? '' : ` ${untilText(next.at, now)}`;
  const why = WHY[next.why] ?? ` (${printable(next.why)})`;
  const others = next.waitsFor.length === 0 ? '' : ` unless back: ${next.waitsFor.join(', ')}`;
  return `${next.what}${when}${why}${others}`;
}

/** Reasons of the keeper that read better in words of their own. */
const WHY: Readonly<Record<string, string>> = {
  backoff: '',
  requested: '',
  slow: ', a quiet try',
  fight: ', out of a fight: somebody stops it again and again',
  settle: ' unless it comes back by itself',
  leftovers: ' when what is left of the last one has ended',
  boot: ' when the host has booted',
  shutdown: ' unless the host goes down',
  missing: '',
  changed: '',
  coupling: '',
  connection: ' at the first connection',
  condition: ', if its condition says yes then',
  planned: ', as planned',
  heartbeat: ', for a heartbeat that failed',
  'heartbeat-stop': ', for a heartbeat that failed',
};

/** `SIGTERM 4 times in 15 min, …`; null when nobody stops what we start. */
export const fightText = ({ fight }: ServiceStatus, now: number): string | null =>
  fight === null ? null : `${printable(fight.text)}; since ${clockText(fight.since, now)}`;

/** Holds and an operator's word against the configuration: `on hold by alice until 15:30: upgrade`; null without any. */
export function byHandText(service: ServiceStatus, now: number): string | null {
  const { hold, override } = service;
  const parts: string[] = [];
  if (hold !== null) parts.push(`on hold${handText(hold, now)}`);
  if (override !== null) parts.push(`${override.desired === 'down' ? 'stopped' : 'started'}${handText(override, now)}`);
  return parts.length === 0 ? null : parts.join('; ');
}

function handText({ by, until, reason }: HoldStatus | OverrideStatus, now: number): string {
  const end = until === null ? '' : ` until ${clockText(until, now)}`;
  return `${printable(byWhom(by))}${end}${reason === null ? '' : `: ${printable(reason)}`}`;
}
