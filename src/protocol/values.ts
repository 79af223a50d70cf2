// The values of the fields of sd_notify(3), each by the rule that systemd reads it by. null: it is no such value.

import { constants } from 'node:os';
import { oneLine } from '../core/one-line.js';
import type { NotifyAccess } from '../core/socket.js';
import { type Millis, millis } from '../core/time.js';

const MOST_U64 = 0xffffffffffffffffn;
/** Longer than any machine runs, and short enough to be added to an instant: "infinity" and what is next to it. */
const ENDLESS = millis(100 * 365 * 86_400_000);
const MOST_ERRNO = 4095; // the kernel's MAX_ERRNO
const LONGEST_FD_NAME = 255;
const LONGEST_NAME = 255;
/** A message has no room for more. */
const LONGEST_STATUS = 4096;

/** Digits alone, up to 2^64 − 1. */
export function wholeNumber(text: string): bigint | null {
  if (!/^\d{1,20}$/.test(text)) return null;
  const n = BigInt(text);
  return n > MOST_U64 ? null : n;
}

/** A length of time in µs. What is not 0 stays above it. */
export function duration(text: string): Millis | null {
  const usec = wholeNumber(text);
  return usec === null ? null : millis(Math.min(Number(usec) / 1000, ENDLESS));
}

/** A moment in µs of CLOCK_MONOTONIC, in ms. */
export function moment(text: string): number | null {
  const usec = wholeNumber(text);
  return usec === null ? null : Number(usec) / 1000;
}

/** The period of a watchdog; "infinity" is none, as 0 is. */
export function period(text: string): Millis | null {
  return text === String(MOST_U64) ? millis(0) : duration(text);
}

export function pid(text: string): number | null {
  if (!/^\d{1,10}$/.test(text)) return null;
  const n = Number(text);
  return n > 0 && n < 2 ** 31 ? n : null;
}

const ERRNO_OF: ReadonlyMap<string, number> = new Map(Object.entries(constants.errno));

/** A number, or a name like ENOENT. */
export function errno(text: string): number | null {
  const n = /^\d{1,4}$/.test(text) ? Number(text) : (ERRNO_OF.get(text) ?? 0);
  return n > 0 && n <= MOST_ERRNO ? n : null;
}

/** Names with dots between them, as D-Bus has them. */
export function busError(text: string): string | null {
  return text.length <= LONGEST_NAME && /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/.test(text) ? text : null;
}

/** An interface in reverse-domain notation, and a name that begins with a capital. */
export function varlinkError(text: string): string | null {
  if (text.length > LONGEST_NAME) return null;
  return /^[A-Za-z](-*[A-Za-z0-9])*(\.[A-Za-z0-9](-*[A-Za-z0-9])*)+\.[A-Z][A-Za-z0-9]*$/.test(text) ? text : null;
}

/** ASCII without control characters and colons, which part the names in LISTEN_FDNAMES. It may be empty. */
export function descriptorName(text: string): string | null {
  return text.length <= LONGEST_FD_NAME && /^[ -9;-~]*$/.test(text) ? text : null;
}

const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What people are shown; empty for what is no UTF-8, so that an old text does not stand for a new one. */
export function status(bytes: string): string {
  try {
    return oneLine(text.decode(Buffer.from(bytes, 'latin1')), LONGEST_STATUS);
  } catch {
    return '';
  }
}

const ACCESSES: readonly NotifyAccess[] = ['none', 'main', 'exec', 'all'];

export const access = (word: string): NotifyAccess | null => ACCESSES.find((one) => one === word) ?? null;

export function watchdog(word: string): 'ping' | 'trigger' | null {
  if (word === '1') return 'ping';
  return word === 'trigger' ? 'trigger' : null;
}
