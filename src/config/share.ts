// A thousand services with the same defaults need them once. Plain data that is equal becomes the same object, so that what
// a service costs is what it says. Knows no keys.

/** The same value, in which equal parts below the top are one object. */
export function shareParts<T>(values: readonly T[]): readonly T[] {
  const known = new Map<string, unknown>();
  const share = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const shared = Array.isArray(value)
      ? value.map(share)
      : Object.fromEntries(Object.entries(value).map(([key, part]) => [key, share(part)]));
    const text = JSON.stringify(shared);
    const before = known.get(text);
    if (before !== undefined) return before;
    known.set(text, shared);
    return shared;
  };
  return values.map((value) => share(value) as T);
}
