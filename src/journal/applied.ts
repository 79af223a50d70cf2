// The last applied configuration as plain data: what a keeper that comes back works by until `apply`, and what counts
// after a boot when the file is broken. What a configuration consists of is not known here.

export interface Applied<C> {
  readonly version: 1;
  /** Wall time of the apply, in milliseconds. */
  readonly at: number;
  readonly configuration: C;
}

export const appliedText = <C>(configuration: C, at: number): string =>
  `${JSON.stringify({ version: 1, at, configuration } satisfies Applied<C>)}\n`;

/** What the file says; null when there is none. Throws a sentence when it cannot be used. */
export function appliedIn<C>(json: unknown, path: string): Applied<C> | null {
  if (json === null) return null;
  if (typeof json !== 'object' || !('version' in json) || !('configuration' in json))
    throw new Error(`${path} is damaged: it is not what upkeep writes there`);
  if (json.version !== 1) throw new Error(`${path} was written by a newer upkeep; use that one`);
  // Only we write this file, in a directory that only we can write.
  return json as unknown as Applied<C>;
}
