// Labelled lines, as cards are made of: the labels in one column, long texts wrapped below themselves. Pure.

import type { Paint } from './paint.js';
import { padTo, widthOf } from './text-width.js';

/** `null`: there is nothing to say, and the line is left out. */
export type Labelled = readonly [label: string, text: string | null];

/** Indented by two columns; `columns`: null where nothing is wrapped. */
export function blockOf(lines: readonly Labelled[], columns: number | null, paint: Paint): readonly string[] {
  const shown = lines.filter((line): line is readonly [string, string] => line[1] !== null);
  const width = Math.max(0, ...shown.map(([label]) => widthOf(label))) + 4;
  return shown.flatMap(([label, text]) =>
    wrap(text, columns === null ? null : Math.max(24, columns - width)).map(
      (part, index) => (index === 0 ? paint('dim', padTo(`  ${label}`, width)) : ' '.repeat(width)) + part,
    ),
  );
}

/** At spaces; a word that is too long stays whole. */
export function wrap(text: string, width: number | null): readonly string[] {
  if (width === null || widthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && widthOf(longer) > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  lines.push(line);
  return lines;
}
