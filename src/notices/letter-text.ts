// A letter as plain text of at most 60 lines: what it means, what happened, why, what comes next and how to change that.
// Every word of it is made safe to read here, whoever wrote it.

import type { Letter, Notice } from '../core/notice.js';
import type { PostMortem } from '../core/post-mortem.js';
import { inWords } from '../core/time.js';
import { oneLine, outputLine } from './clean.js';
import { nameOf } from './letter-subject.js';
import { clockTime, localTime, offsetInWords } from './local-time.js';

const MOST_LINES = 60;
/** A mail whose lines are no longer needs no encoding (RFC 2045 6.7 folds at 76): it can be read in the mailbox itself. */
const COLUMNS = 76;
/** Of a sentence, the one of a cause, an address of a runbook, a line of output. */
const LONGEST = { sentence: 600, cause: 200, url: 500, output: 300 } as const;
/** How many lines each part has at most; the output takes what is left of the page, up to this. At the most of all it has 5. */
const MOST = { opening: 4, story: 8, timeline: 7, cause: 7, neighbours: 5, commands: 5, output: 20 } as const;

interface Part {
  readonly title: string | null;
  readonly lines: readonly string[];
}

export function textOf(letter: Letter): string {
  const [only, second] = letter.notices;
  const lines = only === undefined || second !== undefined ? listOf(letter) : storyOf(only, letter.host);
  return `${lines.slice(0, MOST_LINES).join('\n')}\n`;
}

/** One notice, with all that is known. */
function storyOf(notice: Notice, host: string): readonly string[] {
  const { postMortem } = notice;
  const before: readonly Part[] = [
    { title: null, lines: openingOf(notice) },
    {
      title: null,
      lines: atMost(
        MOST.story,
        notice.story.flatMap((line) => wrapped(line)),
      ),
    },
    ...(postMortem === null ? [] : [timelineOf(postMortem), causeOf(postMortem)]),
  ];
  const after: readonly Part[] = [
    ...(postMortem === null ? [] : [neighboursOf(postMortem)]),
    commandsOf(notice),
    { title: null, lines: factsOf(notice, host) },
  ];
  const room = MOST_LINES - page([...before, ...after]).length - 2;
  const output = outputOf(postMortem?.output ?? [], Math.min(MOST.output, room));
  return page([...before, output, ...after]);
}

/** What it does for people first: it tells a reader whether this matters. */
function openingOf(notice: Notice): readonly string[] {
  const what = notice.description === null ? nameOf(notice) : `${nameOf(notice)} (${notice.description})`;
  return atMost(MOST.opening, wrapped(`${what}: ${notice.headline}.`));
}

function timelineOf({ timeline, time }: PostMortem): Part {
  const start = Date.parse(timeline[0]?.time ?? time);
  const marks = timeline.flatMap(({ what, after, text }, index) => {
    const when = index === 0 ? clockTime(start) : `+${exactly(after)}`;
    return column(`${when.padEnd(13)} ${what}`, 23, text);
  });
  return { title: `What happened (${offsetInWords(start)})`, lines: atMost(MOST.timeline, marks) };
}

function causeOf({ sentence, evidence }: PostMortem): Part {
  const findings = evidence.flatMap(({ grade, text, source }) => column(grade, 10, `${text} (${source})`));
  return { title: `Cause: ${oneLine(sentence, LONGEST.cause)}`, lines: atMost(MOST.cause, findings) };
}

function outputOf(output: readonly string[], room: number): Part {
  const lines = room < 1 ? [] : output.slice(-room).map((line) => `    ${outputLine(line, LONGEST.output)}`.trimEnd());
  return { title: 'Its last lines', lines };
}

function neighboursOf({ neighbours }: PostMortem): Part {
  const lines = neighbours
    .slice(0, MOST.neighbours)
    .flatMap(({ service, text, after }) =>
      column(nameOf({ service }), 14, `${text} (${exactly(Math.abs(after))} ${after < 0 ? 'before' : 'after'})`),
    );
  const more = neighbours.length - MOST.neighbours;
  return {
    title: 'Others in the same moment',
    lines: [...atMost(MOST.neighbours, lines), ...(more > 0 ? [`  and ${more} more`] : [])],
  };
}

function commandsOf({ commands }: Notice): Part {
  return {
    title: 'What you can do',
    lines: atMost(
      MOST.commands,
      commands.flatMap(({ command, does }) => column(oneLine(command, 60), 34, does)),
    ),
  };
}

function factsOf({ time, outage, runbook, incident }: Notice, host: string): readonly string[] {
  const fact = (name: string, text: string | null): readonly string[] =>
    text === null ? [] : [`${`${name}:`.padEnd(10)}${oneLine(text, LONGEST.url)}`];
  return [
    ...fact('Host', host),
    ...fact('Time', localTime(time)),
    ...fact('Outage', outage === null ? null : inWords(outage)),
    ...fact('Runbook', runbook),
    ...fact('Incident', incident),
  ];
}

/** Several notices: what each says, and where the rest is. */
function listOf({ notices, host }: Letter): readonly string[] {
  const room = MOST_LINES - 5;
  const lines: string[] = [];
  let told = 0;
  for (const notice of notices) {
    const entry = entryOf(notice);
    if (lines.length + entry.length > room) break;
    lines.push(...entry);
    told += 1;
  }
  const more = notices.length - told;
  const times = notices.map(({ time }) => time);
  const last = localTime(Math.max(...times));
  return page([
    { title: null, lines },
    { title: null, lines: more > 0 ? [`and ${more} more: upkeep history`] : [] },
    { title: null, lines: [`Host:     ${oneLine(host, 255)}`, `Time:     ${last}`] },
  ]);
}

function entryOf(notice: Notice): readonly string[] {
  const { label, headline, time, outage, incident } = notice;
  const facts = [
    clockTime(time),
    ...(outage === null ? [] : [`down for ${inWords(outage)}`]),
    ...(incident === null ? [] : [`incident ${incident}`]),
  ];
  return [...wrapped(`[${label}] ${nameOf(notice)}: ${headline}`), ...wrapped(facts.join(', '), '  ')];
}

/** Parts with an empty line between them; one without lines is left out with its title. */
function page(parts: readonly Part[]): readonly string[] {
  return parts
    .filter(({ lines }) => lines.length > 0)
    .flatMap(({ title, lines }, index) => [
      ...(index === 0 ? [] : ['']),
      ...(title === null ? [] : wrapped(title)),
      ...lines,
    ]);
}

/** The first lines; a sign stands for the rest. */
const atMost = (most: number, lines: readonly string[]): readonly string[] =>
  lines.length <= most ? lines : [...lines.slice(0, most - 1), '  …'];

/** A word in a column, and the text behind it, also where that takes several lines. */
const column = (word: string, width: number, text: string): readonly string[] =>
  wrapped(text, `  ${word.padEnd(width - 1)} `, width + 2);

/** `after` of a mark is exact to the millisecond, and a reader compares them. */
const exactly = (ms: number): string => (ms < 10_000 ? `${Math.round(ms)} ms` : inWords(ms));

/** Broken between words; a word that is longer than a line stays whole, so that an address can be clicked. */
function wrapped(text: string, head = '', hanging = head.length): readonly string[] {
  const lines: string[] = [];
  let line = head;
  let isEmpty = true;
  for (const word of oneLine(text, LONGEST.sentence).split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = ' '.repeat(hanging);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
