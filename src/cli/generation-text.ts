// The generations of a service in words: the one that gets ready, those that drain, and what it owes its keeper. Pure; `now` is in
// milliseconds since 1970, by the keeper's clock. A keeper of an older version says nothing of all that.

import { type DrainingStatus, inWords, type ServiceStatus } from '../core/status.js';
import type { Labelled } from './block.js';
import { clockText, sinceText, untilText } from './time-text.js';

/** `812`; `812>913` while 913 gets ready beside it; `913 +1` while one old generation ends. null: there is no process. */
export function pidText({ process, handover, draining }: ServiceStatus): string | null {
  if (process === null) return null;
  const next = handover?.pid ?? null;
  const old = draining.length === 0 ? '' : ` +${draining.length}`;
  return `${process.pid}${next === null ? '' : `>${next}`}${old}`;
}

/** `to process 913 (generation 4): the new generation gets ready`; null: it does not. */
export function successorText({ handover }: ServiceStatus): string | null {
  if (handover == null) return null;
  const { pid, generation, text } = handover;
  return `to ${pid === null ? `generation ${generation}` : `process ${pid} (generation ${generation})`}: ${text}`;
}

/** A line for each generation that serves no more. */
export const drainingLines = ({ draining }: ServiceStatus, now: number): readonly Labelled[] =>
  draining.map((one, index): Labelled => [index === 0 ? 'draining' : '', drainingText(one, now)]);

function drainingText({ pid, generation, since, why, until }: DrainingStatus, now: number): string {
  const who = `process ${pid} (generation ${generation})`;
  const ago = sinceText(since, now);
  switch (why) {
    case 'drained': {
      const end = until === null ? 'it may take as long as it likes' : `it is ended ${untilText(until, now)}`;
      return `${who} has been finishing what it had begun for ${ago}; ${end}`;
    }
    case 'refused':
      return `${who} was to take over and does not; it is being ended`;
    case 'own':
      return `${who} named its successor ${ago} ago, and ends when it likes`;
  }
}

/** What one old generation still has to do, for a table; null: there is none. */
export function drainText({ draining }: ServiceStatus, now: number): string | null {
  const [first, ...others] = draining.filter(({ why }) => why === 'drained');
  if (first === undefined) return null;
  if (others.length > 0) return `${others.length + 1} old generations finish what they have begun`;
  return `pid ${first.pid} finishes${first.until === null ? '' : `, is ended ${untilText(first.until, now)}`}`;
}

/** `it has to say every 30 s that it lives, next in 12 s` */
export const watchdogText = ({ watchdog }: ServiceStatus, now: number): string | null =>
  watchdog == null
    ? null
    : `it has to say every ${inWords(watchdog.period)} that it lives, next ${untilText(watchdog.due, now)}`;

/** `since 10:02; until 10:03 it has to say that it is done` */
export function reloadingText({ reloading }: ServiceStatus, now: number): string | null {
  if (reloading == null) return null;
  const { since, until } = reloading;
  const end = until === null ? '' : `; it has to say READY=1 ${untilText(until, now)}`;
  return `since ${clockText(since, now)}${end}`;
}
