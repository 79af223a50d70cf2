// The heartbeats of a service for people: the bar of their last answers, and the lines of the card. Pure.

import type { AnswerStatus, HeartbeatStatus, ServiceStatus } from '../core/status.js';
import type { Labelled } from './block.js';
import type { Colour } from './paint.js';
import { printable } from './text-width.js';
import { lengthText, sinceText, untilText } from './time-text.js';

/** Told apart without colours, and by every font. */
const marks: Readonly<Record<AnswerStatus['result'], string>> = { good: '.', failed: 'X', unasked: '?' };

const barOf = (answers: readonly AnswerStatus[]): string => answers.map(({ result }) => marks[result]).join('');

/** The last answers of its heartbeat that is worst off, the newest on the right; null: there is none. */
export function barText({ health: { heartbeats } }: ServiceStatus, most: number): string | null {
  const answers = (troubled(heartbeats) ?? heartbeats[0])?.answers ?? [];
  return answers.length === 0 ? null : barOf(answers.slice(-most));
}

/** One that fails, else one that could not be asked. */
const troubled = (heartbeats: readonly HeartbeatStatus[]): HeartbeatStatus | undefined =>
  heartbeats.find(({ state }) => state === 'failing') ?? heartbeats.find(({ unaskedSince }) => unaskedSince !== null);

export function barColour({ health }: ServiceStatus): Colour | null {
  switch (health.state) {
    case 'failing':
      return 'red';
    case 'ok':
      return 'green';
    case 'unknown':
    case 'none':
      return null;
  }
}

/** `http fails: no answer within 5 s`; null: nothing is known against it. */
export function troubleText({ health, state }: ServiceStatus): string | null {
  if (state !== 'running' && state !== 'handover') return null;
  const trouble = troubled(health.heartbeats);
  if (trouble === undefined) return null;
  return `${trouble.name} ${troubleIn(trouble)}${trouble.detail === null ? '' : `: ${printable(trouble.detail)}`}`;
}

/** Followed by what it said last. */
function troubleIn({ state, unaskedSince }: HeartbeatStatus): string {
  if (state !== 'failing') return 'could not be asked';
  return unaskedSince === null ? 'fails' : 'failed, and could not be asked since';
}

export function heartbeatLines(service: ServiceStatus, now: number): readonly Labelled[] {
  return service.health.heartbeats.flatMap((one): readonly Labelled[] => [
    ['heartbeat', `${one.name}: ${stateText(one, now)}`],
    ['', `asks ${one.asks === null ? `a program (${one.kind})` : printable(one.asks)}`],
    ['', scheduleText(one, now)],
    ['', one.answers.length === 0 ? null : `${barOf(one.answers)}  (. good, X failed, ? could not ask)`],
  ]);
}

/** `failing for 3 min; 12 s ago it failed after 5.0 s: no answer within 5 s` */
function stateText(one: HeartbeatStatus, now: number): string {
  const { state, failingSince, unaskedSince, at, ms, result, detail } = one;
  const since = state === 'failing' ? failingSince : unaskedSince;
  const is = unaskedSince !== null && state !== 'failing' ? 'could not be asked' : state;
  const head = `${is}${since === null ? '' : ` for ${sinceText(since, now)}`}`;
  if (at === null || result === null) return `${head}; there is no answer yet`;
  const words = { good: 'it was good', failed: 'it failed', unasked: 'it could not be asked' }[result];
  const after = ms === null ? '' : ` after ${lengthText(ms)}`;
  return `${head}; ${sinceText(at, now)} ago ${words}${after}${detail === null || detail === '' ? '' : `: ${printable(detail)}`}`;
}

function scheduleText({ every, fails, then, next }: HeartbeatStatus, now: number): string {
  const pace = /^[\d.]+ \w+$/.test(every) ? `every ${every}` : `by the calendar (${printable(every)})`;
  const soon = next === null ? '' : `, next ${untilText(next, now)}`;
  return `${pace}${soon}; if it fails ${fails}: ${actions[then]}`;
}

const actions: Readonly<Record<HeartbeatStatus['then'], string>> = {
  restart: 'a restart',
  notice: 'a notice, and nothing else',
  stop: 'it is stopped',
  exec: 'a command is run',
};
