// Text of somebody else (a program's output, a process's name, a server's answer) → text that does nothing but be read: in a
// header, on a terminal, in a mail. Knows only characters.

import { stripVTControlCharacters } from 'node:util';

/** Where a text was cut. */
const CUT = '…';

/**
 * Everything that is no character to be read: controls, line and paragraph separators, what turns the direction of text
 * around and other invisible format characters. The two joiners stay: Persian and some emoji are misspelt without them.
 */
const INVISIBLE =
  /[\p{Cc}\p{Zl}\p{Zp}\u200b\u200e\u200f\u2060-\u206f\u202a-\u202e\u061c\ufeff\u00ad\u{e0000}-\u{e007f}]/u;
const EACH_INVISIBLE = new RegExp(`${INVISIBLE.source}+`, 'gu');

/** One line of at most so many characters, without anything that could end the line, move a cursor or hide a part of it. */
export function oneLine(text: string, most: number): string {
  return cut(visible(text, most).replace(/\s+/g, ' ').trim(), most);
}

/** A line of output: as it is laid out, tabs made spaces. */
export function outputLine(text: string, most: number): string {
  return cut(visible(text.replaceAll('\t', '    '), most).trimEnd(), most);
}

/** At most so many characters, with a sign that there were more. Never half of a character. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  // A character has two units at most.
  const characters = [...text.slice(0, most * 2 + 2)];
  if (characters.length <= most) return text;
  return (
    characters
      .slice(0, most - 1)
      .join('')
      .trimEnd() + CUT
  );
}

function visible(text: string, most: number): string {
  // Escape sequences and what is taken out need some room; what is longer than that is cut in any case.
  const head = text.slice(0, most * 8 + 256);
  return stripVTControlCharacters(head)
    .replace(/\p{Cs}/gu, '\ufffd')
    .replace(EACH_INVISIBLE, ' ');
}
