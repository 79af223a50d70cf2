// The words of a notice: its headline, its story and the commands that help. Decides nothing; everything that came of a
// program is one line of bounded length.

import type { Next } from './change.js';
import { type Death, describeKiller } from './death.js';
import { isOrAre, listOf, nextInWords } from './message.js';
import type { Notice } from './notice.js';
import type { Case } from './notice-desk.js';
import { oneLine } from './one-line.js';
import type { PostMortem } from './post-mortem.js';
import { elapsedOnWall, inWords, minutes, type WallTime } from './time.js';

/** How far back "5th in 10 min" looks, and flapping. */
export const lately = minutes(10);

const longest = { headline: 160, sentence: 400, line: 300, lines: 20, marks: 20 } as const;

/** `exit 1 after 4 s`, `SIGKILL from bash (pid 4711, alice)`, `out of memory`. */
export function endInBrief(death: Death): string {
  // "after 0.0 s" says nothing to anybody.
  const isKnown = death.uptime !== null && death.uptime >= 50 && death.whileAway === 'no';
  const age = isKnown ? ` after ${inWords(death.uptime)}` : '';
  return `${causeInBrief(death)}${age}${death.whileAway === 'yes' ? ', while the keeper was away' : ''}`;
}

export function causeInBrief({ cause, status, detail, errno, by, ailment }: Death): string {
  const from = by === null ? '' : ` from ${describeKiller(by)}`;
  switch (cause) {
    case 'oom':
      return 'out of memory';
    case 'spawn':
      return detail ?? errno ?? 'it could not be started';
    case 'start-timeout':
      return detail ?? 'not ready in time';
    case 'watchdog':
      return detail ?? 'its watchdog was silent';
    case 'heartbeat':
      return heartbeatInBrief(detail, ailment);
    case 'coupling':
      return 'stopped with what it is coupled to';
    case 'limit':
      return 'it was over its limit';
    case 'exit':
    case 'signal':
    case 'gone':
    case 'requested':
      break;
  }
  if (detail !== null) return detail;
  switch (status.type) {
    case 'exited':
      return `exit ${status.code}${by === null ? '' : ` after ${by.signal}${from}`}`;
    case 'signaled':
      return `${status.signal}${status.coreDumped ? ' (core dumped)' : ''}${from}`;
    case 'unknown':
      return `ended, nobody saw how${from}`;
  }
}

/** `failed its heartbeat http (no answer within 5 s)`. Letters are for operators: what a program printed is there too. */
function heartbeatInBrief(detail: string | null, ailment: Death['ailment']): string {
  const said = ailment?.answers.findLast(({ result }) => result === 'failed')?.detail ?? '';
  const name = ailment === undefined ? detail : `${ailment.heartbeat}${said === '' ? '' : ` (${said})`}`;
  return `failed its heartbeat${name === null ? '' : ` ${name}`}`;
}

/** `5th in 10 min`; null: it was the only one. */
function countInWords(count: number): string | null {
  if (count < 2) return null;
  const tens = count % 100;
  const suffix = tens > 10 && tens < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][count % 10] ?? 'th');
  return `${count}${suffix} in 10 min`;
}

/** `exit 1 after 4 s, 5th in 10 min, retrying in 30 s` */
export function headlineOf({ end, ends }: Case, next: string | null): string {
  const what = end?.news.change.what;
  const failedStart = what?.type === 'startFailed' && what.death.cause !== 'spawn' ? 'failed to start: ' : '';
  const cause = what === undefined ? 'not running' : `${failedStart}${endInBrief(what.death)}`;
  const parts = [cause, countInWords(ends.length), next].filter((part) => part !== null);
  return oneLine(parts.join(', '), longest.headline);
}

/** Those that are down on its account, and of whom nobody is told otherwise. */
export const heldBackBy = ({ about: { heldBack = [] } }: Case): readonly string[] =>
  heldBack.length === 0 ? [] : [sentence(`Down with it, because they need it: ${heldBack.join(', ')}`)];

/** What it began with: the cause is there, and what is told now may be only what came of it. */
export const openingOf = ({ opening }: Case): readonly string[] =>
  opening === null ? [] : [sentence(`It began with another end: ${opening}`)];

/** What comes next by itself, as the end of a headline. */
export function nextInBrief(next: Next, doing = 'retrying'): string {
  if (next.type === 'nothing') return 'staying down';
  return next.type === 'slow' ? `next try in ${inWords(next.in)}` : nextInWords(next, doing);
}

/** The same as a sentence of its own. */
export function nextSentence(next: Next): string {
  switch (next.type) {
    case 'start':
      return 'It is being started again.';
    case 'wait':
      return next.for < 50 ? 'It is started again at once.' : `It is started again in ${inWords(next.for)}.`;
    case 'slow':
      return `It is tried again quietly; the next try is in ${inWords(next.in)}.`;
    case 'settle':
      return `It is started again unless it comes back by itself within ${inWords(next.for)}.`;
    case 'hooks':
      return 'It is started again when its afterStop commands have ended.';
    case 'others':
      return `It is started again when ${listOf(next.names)} ${isOrAre(next.names)} ready.`;
    case 'nothing':
      return sentence(`It stays down: ${next.why}`);
  }
}

/** A headline or a sentence that may hold words of others. */
export const headline = (text: string): string => oneLine(text, longest.headline);
export const sentence = (text: string): string => {
  const line = oneLine(text, longest.sentence);
  return /[.!?…]$/.test(line) ? line : `${line}.`;
};

/** The first sentence: what people miss. */
export const titleOf = ({ service, about }: Pick<Case, 'service' | 'about'>): string =>
  oneLine(about.description ?? service, 80);

export const downFor = ({ began }: Case, at: WallTime): number => elapsedOnWall(began, at);

/** What helps while it is down. `incident`: what can be acknowledged. */
export function helpFor(service: string, incident: string | null): Notice['commands'] {
  return [
    { command: `upkeep why ${service}`, does: 'says why, and shows what it printed' },
    { command: `upkeep ack ${incident ?? service}`, does: 'ends the reminders of this incident' },
    { command: `upkeep stop ${service}`, does: 'leaves it down until it is started by hand' },
  ];
}

/** The last lines of it, as many as a notice holds. */
export const outputOf = (lines: readonly string[]): readonly string[] =>
  lines.slice(-longest.lines).map((line) => oneLine(line, longest.line));

/** With nothing in it that a reader's terminal would obey, and of bounded size. */
export function cleaned(postMortem: PostMortem): PostMortem {
  const line = (text: string): string => oneLine(text, longest.line);
  return {
    ...postMortem,
    sentence: oneLine(postMortem.sentence, longest.sentence),
    timeline: postMortem.timeline.slice(0, longest.marks).map((mark) => ({ ...mark, text: line(mark.text) })),
    evidence: postMortem.evidence.slice(0, longest.marks).map((finding) => ({ ...finding, text: line(finding.text) })),
    output: postMortem.output === null ? null : outputOf(postMortem.output),
    neighbours: postMortem.neighbours.slice(0, longest.marks).map((each) => ({ ...each, text: line(each.text) })),
  };
}
