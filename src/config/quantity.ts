// Amounts as people write them: durations, sizes, rates, percentages, permission bits. Text → number or the reason why
// not, and durations and sizes back to text. Knows nothing of files and keys.

import { type Millis, millis } from '../core/time.js';

/** `problem`: a half-sentence that follows what was found. */
export type Parsed<T> =
  | { readonly type: 'ok'; readonly value: T }
  | { readonly type: 'bad'; readonly problem: string; readonly offset?: number };

const ok = <T>(value: T): Parsed<T> => ({ type: 'ok', value });
const bad = (problem: string): { type: 'bad'; problem: string } => ({ type: 'bad', problem });

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

// Further than anybody plans, and far from where milliseconds lose their precision.
const LONGEST = 100 * 365 * 86_400_000;

/** `500ms`, `5s`, `1h30m`, `3d`, `0s`. */
export function parseDuration(text: string): Parsed<Millis> {
  if (/^\d+$/.test(text)) {
    return bad(`has no unit; write ${text}s, ${text}ms or ${text}m`);
  }
  const match = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text);
  if (match === null || text === '') return bad(durationHint(text));
  const total = UNITS.reduce((sum, [, factor], index) => sum + Number(match[index + 1] ?? 0) * factor, 0);
  return total > LONGEST ? bad('is longer than 100 years; write `none` where there is no end') : ok(millis(total));
}

function durationHint(text: string): string {
  if (/^(\d+(\.\d+)?\s*[a-zA-Zµ]+\s*)+$/.test(text)) {
    return 'is no duration; the units are ms, s, m, h and d, from large to small and without spaces, as in 500ms, 5s, 1h30m or 3d';
  }
  return 'is no duration; write one like 500ms, 5s, 1h30m or 3d';
}

/** The shortest way to write it: `1h30m`, `0s`. */
export function durationText(length: Millis): string {
  let rest = Math.round(length);
  let text = '';
  for (const [unit, factor] of UNITS) {
    const count = Math.floor(rest / factor);
    rest -= count * factor;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : text;
}

const SIZES = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 } as const;

/** `64K`, `10M`, `2G`, `1T` (of 1024), or bytes. */
export function parseSize(text: string): Parsed<number> {
  const match = /^(\d+)([KMGT])?$/.exec(text);
  if (match === null) {
    const near = /^(\d+)\s*([kmgtKMGT])i?[bB]?$/.exec(text);
    return bad(
      near === null
        ? 'is no size; write one like 64K, 10M or 2G'
        : `is no size; write ${near[1]}${near[2]?.toUpperCase()}`,
    );
  }
  const bytes = Number(match[1]) * (match[2] === undefined ? 1 : SIZES[match[2] as keyof typeof SIZES]);
  return Number.isSafeInteger(bytes)
    ? ok(bytes)
    : bad('is more than can be counted; write `none` where there is no limit');
}

/** The shortest exact way to write it: `10M`, `1000`. */
export function sizeText(bytes: number): string {
  for (const [unit, factor] of Object.entries(SIZES).toReversed()) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}

/** `10 in 5m`: so many within that time. */
export function parseRate(text: string): Parsed<{ readonly count: number; readonly within: Millis }> {
  const match = /^(\d+) +in +(\S+)$/.exec(text);
  if (match === null) return bad('is no rate; write one like 10 in 5m');
  const within = parseDuration(match[2] ?? '');
  if (within.type === 'bad') return bad(`is no rate, for ${match[2]} ${within.problem}`);
  const count = Number(match[1]);
  if (count < 1 || count > 1_000_000) return bad('is no rate; the number is from 1 to 1000000');
  if (within.value === 0) return bad('is no rate; the time is longer than 0s');
  return ok({ count, within: within.value });
}

/** `10%` → 0.1. */
export function parsePercent(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (match === null) return bad('is no percentage; write one like 10%');
  const fraction = Number(match[1]) / 100;
  return fraction <= 1 ? ok(fraction) : bad('is more than 100%; write one from 0% to 100%');
}

/** Permission bits in octal, as chmod and umask take them: `022`, `0640`. */
export function parseBits(text: string): Parsed<number> {
  if (!/^[0-7]{3,4}$/.test(text)) return bad('is no permission in octal; write one like 022 or 0640');
  const bits = Number.parseInt(text, 8);
  return bits <= 0o777 ? ok(bits) : bad('is more than 0777; only the nine permission bits can be set');
}
