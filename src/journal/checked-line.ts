// A line of the journal: a checksum, a blank, JSON. A torn or damaged line is known for what it is.

import { crc32 } from 'node:zlib';

/** The line for this value, with its newline. */
export function checkedLine(value: unknown): string {
  const json = JSON.stringify(value);
  return `${checksum(json)} ${json}\n`;
}

/** The value of a line without its newline; `damaged` when the checksum says so. */
export function readCheckedLine(line: string): { readonly value: unknown } | 'damaged' {
  const json = line.slice(9);
  if (line[8] !== ' ' || line.slice(0, 8) !== checksum(json)) return 'damaged';
  try {
    return { value: JSON.parse(json) };
  } catch {
    return 'damaged';
  }
}

/** CRC-32 in eight hexadecimal digits. */
export const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0');
