// A thousand services with the same defaults need them once. Plain data that is equal becomes the same object, so that what
// a service costs is what it says. Knows no keys.

/** The same value, in which equal parts below the top are one object. */
export function shareParts<T>(values: readonly T[]): readonly T[] {
  const known = new Map<string, unknown>();
  const numbers = new Map<unknown, number>();
  // Most parts are one object already, the value of a default: what came of it is known.
  const done = new Map<object, unknown>();
  // What is below a part stands in its key as the number of the object that it became: a part costs what it says itself,
  // not again what everything below it says.
  const share = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const earlier = done.get(value);
    if (earlier !== undefined) return earlier;
    const result = shareAnew(value);
    done.set(value, result);
    return result;
  };
  const shareAnew = (value: object): unknown => {
    const shared: unknown = Array.isArray(value) ? value.map(share) : shareFields(value);
    const key = keyOf(shared, (part) => numbers.get(part) ?? 0);
    const before = known.get(key);
    if (before !== undefined) return before;
    known.set(key, shared);
    numbers.set(shared, numbers.size + 1);
    return shared;
  };
  const shareFields = (value: object): object => {
    const copy: Record<string, unknown> = {};
    for (const [key, part] of Object.entries(value)) {
      // An operator's `env` may name anything; as a plain assignment this name would be lost.
      if (key === '__proto__')
        return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, share(one)]));
      copy[key] = share(part);
    }
    return copy;
  };
  return values.map((value) => share(value) as T);
}

function keyOf(value: unknown, numberOf: (part: unknown) => number): string {
  let key = '';
  if (Array.isArray(value)) {
    for (const part of value) key += `${partKey(part, numberOf)},`;
    return `[${key}`;
  }
  for (const [name, part] of Object.entries(value as object))
    key += `${JSON.stringify(name)}:${partKey(part, numberOf)},`;
  return `{${key}`;
}

function partKey(part: unknown, numberOf: (part: unknown) => number): string {
  if (typeof part === 'object' && part !== null) return `#${numberOf(part)}`;
  return typeof part === 'string' ? JSON.stringify(part) : String(part);
}
