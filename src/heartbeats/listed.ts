// A list of names in a sentence. Knows nothing of what is named.

/** The others are counted. */
const MOST = 3;

/** `a, b and c`, or `a, b, c and 4 more`. */
export function listed(names: readonly string[]): string {
  if (names.length > MOST + 1) return `${names.slice(0, MOST).join(', ')} and ${names.length - MOST} more`;
  return names.length === 1 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
