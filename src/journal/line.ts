// A line of the journal: a checksum, a blank, JSON. Torn and bit-flipped lines are told from good ones; nothing else is known here.

import { crc32 } from 'node:zlib';

export function encodeLine(value: unknown): string {
  const json = JSON.stringify(value);
  return `${sum(json)} ${json}\n`;
}

/** The value, or null when the line is not what was written. */
export function decodeLine(line: string): { readonly value: unknown } | null {
  if (line.length < 10 || line[8] !== ' ') return null;
  const json = line.slice(9);
  if (sum(json) !== line.slice(0, 8)) return null;
  try {
    return { value: JSON.parse(json) };
  } catch {
    return null;
  }
}

const sum = (text: string): string => crc32(text).toString(16).padStart(8, '0');
