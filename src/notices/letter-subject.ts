// A letter in one line of under 80 characters: `[DOWN] worker@web3: exit 1 after 4 s, 5th in 10 min, retrying in 30 s`.
// It is a mail's subject, a title on a phone, and all that many people read.

import type { Label, Letter, Notice } from '../core/notice.js';
import { cut, oneLine } from './clean.js';

/** Under 80, as RFC 5322 2.1.1 has it for a line; what is longer is cut by those who show it. Two of them for dots, see below. */
const LONGEST = 77;
const LONGEST_HOST = 20;
const LONGEST_NAME = 32;

/** The gravest, 0, stands for a letter of several. */
const gravity: Readonly<Record<Label, number>> = {
  DOWN: 0,
  FAILED: 1,
  UNHEALTHY: 2,
  FIGHT: 3,
  REFUSED: 4,
  FLAPPING: 5,
  KEEPER: 6,
  UNASKED: 7,
  DIED: 8,
  STOPPED: 9,
  HOLD: 10,
  RESTARTED: 11,
  UP: 12,
};

const byGravity = (notices: readonly Notice[]): readonly Notice[] =>
  notices.toSorted((a, b) => gravity[a.label] - gravity[b.label]);

/** In ASCII where the words are: one sign beyond that, and a mail carries the whole subject encoded. */
export function subjectOf(letter: Letter): string {
  const dotted = (line: string): string => line.replaceAll('…', '...');
  const line = dotted(cut(lineOf(letter), LONGEST));
  return line.length < 80 ? line : dotted(cut(line, LONGEST));
}

function lineOf(letter: Letter): string {
  const label = gravestOf(letter.notices);
  const names = namesOf(letter.notices);
  const host = shortHost(letter.host);
  const [first, second] = names;
  if (first === undefined) return `[${label}] ${host}`;
  if (second !== undefined) return listed(`[${label}] ${names.length} services@${host}: `, names);
  const head = `[${label}] ${first}@${host}: `;
  const many = letter.notices.length;
  const headline = letter.notices.at(-1)?.headline ?? '';
  return shortened(head, many === 1 ? headline : `${many} notices, last: ${headline}`);
}

export const gravestOf = (notices: readonly Notice[]): Label => byGravity(notices)[0]?.label ?? 'KEEPER';

/** What a notice is about; the keeper has the name of the program. */
export const nameOf = ({ service }: Pick<Notice, 'service'>): string => oneLine(service ?? 'upkeep', LONGEST_NAME);

/** Each once, those of the gravest notices first. */
const namesOf = (notices: readonly Notice[]): readonly string[] => [...new Set(byGravity(notices).map(nameOf))];

/** Whole while it is short; else its first label, which is what people call it. */
function shortHost(host: string): string {
  const whole = oneLine(host, 255);
  return whole.length <= LONGEST_HOST ? whole : cut(whole.split('.')[0] ?? whole, LONGEST_HOST);
}

/** As many names as fit. */
function listed(head: string, names: readonly string[]): string {
  let line = head + (names[0] ?? '');
  for (const [index, name] of names.slice(1).entries()) {
    const rest = index + 2 < names.length ? ', …'.length : 0;
    if (line.length + ', '.length + name.length + rest > LONGEST) return `${line}, …`;
    line += `, ${name}`;
  }
  return line;
}

/** Cut between the parts of a sentence where that leaves most of it, else between words. */
function shortened(head: string, text: string): string {
  const clean = oneLine(text, 500);
  const room = Math.max(LONGEST - head.length, 2);
  if (clean.length <= room) return head + clean;
  const end = [', ', ' '].map((gap) => clean.lastIndexOf(gap, room - 1)).find((at) => at >= room / 2);
  return head + (end === undefined ? cut(clean, room) : `${clean.slice(0, end).replace(/[,;:\s]+$/, '')}…`);
}
