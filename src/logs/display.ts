// A line of somebody else's output, made safe for a terminal. For a pipe there is nothing to do: it gets the bytes.

import { stripVTControlCharacters } from 'node:util';

/** So many characters of a line are shown on a terminal. */
const LONGEST_SHOWN = 4_000;

/**
 * The text of a line for a terminal: escape sequences are taken out, other control characters shown as ^X, what is no
 * UTF-8 replaced, what could turn the direction of the text around too, and a very long line cut with a word about it.
 */
export function forTerminal(line: Uint8Array): string {
  // A character has at most four bytes, and escape sequences take some too: enough to cut from.
  const head = line.length > LONGEST_SHOWN * 8 ? line.subarray(0, LONGEST_SHOWN * 8) : line;
  const text = clean(new TextDecoder().decode(head));
  if (head.length === line.length && text.length <= LONGEST_SHOWN) return text;
  return `${text.slice(0, LONGEST_SHOWN)}… (${line.length} bytes in all)`;
}

function clean(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\r$/, '')
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, show);
}

function show(control: string): string {
  const code = control.charCodeAt(0);
  if (control === '\t') return control;
  return code < 0x20 ? `^${String.fromCharCode(code + 0x40)}` : '\ufffd';
}
