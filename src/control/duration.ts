// Durations in requests and on the command line, as in the configuration: 500ms, 5s, 1h30m, 3d.

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds; null when it is no duration. A bare number is none: it would need a unit. */
export function parseDuration(text: string): number | null {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return null;
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g))
    sum += Number(number) * (units[unit ?? ''] ?? 0);
  return Number.isFinite(sum) ? sum : null;
}
