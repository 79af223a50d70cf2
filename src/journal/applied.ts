// The last applied configuration as plain data: what a keeper that comes back works by until `apply`, and what counts
// after a boot when the file is broken.

import type { ServiceSpec } from '../core/spec.js';

export interface Applied {
  readonly version: 1;
  /** Wall time of the apply, in milliseconds. */
  readonly at: number;
  /** The file that was given, and the digest of each file that was read. */
  readonly config: string;
  readonly files: Readonly<Record<string, string>>;
  readonly specs: readonly ServiceSpec[];
  readonly elsewhere: readonly { readonly name: string; readonly hosts: string; readonly reason: string }[];
  readonly keeper: unknown;
}

/** What the file says; null when there is none. Throws a sentence when it cannot be used. */
export function appliedIn(json: unknown, path: string): Applied | null {
  if (json === null) return null;
  if (typeof json !== 'object' || !('version' in json) || !('specs' in json) || !Array.isArray(json.specs)) throw new Error(`${path} is damaged: it is not what upkeep writes there`);
  if (json.version !== 1) throw new Error(`${path} was written by a newer upkeep; use that one`);
  // Only we write this file, in a directory that only we can write.
  return json as Applied;
}
