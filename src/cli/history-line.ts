// Writes entries of the history: time, service, what happened. On a terminal long sentences go on below themselves.

import type { HistoryEntry } from '../control/client-history.js';
import { wrap } from './block.js';
import { type Colour, painter } from './paint.js';
import type { Output } from './terminal.js';
import { padTo, printable, widthOf } from './text-width.js';
import { stampText } from './time-text.js';

export interface EntryForm {
  readonly output: Output;
  /** `json`: an object a line. */
  readonly form: 'text' | 'json';
  /** What is written first: it says how wide the column of services is to be. */
  readonly entries: readonly HistoryEntry[];
}

const KEEPER = '-';
const GAP = '  ';
/** Narrower than this a sentence is not wrapped: the terminal does it no worse. */
const NARROW = 24;

const COLOURS: Readonly<Record<HistoryEntry['level'], Colour | null>> = {
  error: 'red',
  warning: 'yellow',
  notice: null,
  info: null,
  debug: 'dim',
};

/** Those whose incident people may want to look up, or to acknowledge. */
const ENDS: readonly string[] = ['died', 'startFailed', 'failed'];

/** A function that writes one entry, and resolves when more may come. */
export function entryWriter({ output, form, entries }: EntryForm): (entry: HistoryEntry) => Promise<'open' | 'closed'> {
  const paint = painter(output.colours);
  let width = Math.max(1, ...entries.map((entry) => widthOf(nameOf(entry))));
  return (entry) => {
    if (form === 'json') return output.write(`${JSON.stringify(entry)}\n`);
    const name = nameOf(entry);
    width = Math.max(width, widthOf(name));
    const head = `${paint('dim', stampText(Date.parse(entry.time)))}${GAP}${padTo(name, width)}${GAP}`;
    const indent = STAMP_WIDTH + width + 2 * GAP.length;
    const columns = output.columns();
    const room = columns === null || columns - indent < NARROW ? null : columns - indent;
    const parts = wrap(sentenceOf(entry), room).map((part) => paint(COLOURS[entry.level], part));
    return output.write(`${head}${parts.join(`\n${' '.repeat(indent)}`)}\n`);
  };
}

const STAMP_WIDTH = stampText(0).length;

const nameOf = ({ service }: HistoryEntry): string => (service === null ? KEEPER : printable(service));

function sentenceOf({ text, what, incident }: HistoryEntry): string {
  const id = incident !== null && ENDS.includes(what) ? ` [${incident}]` : '';
  return printable(`${text}${id}`);
}
