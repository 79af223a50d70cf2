// Whose word a certificate needs. Read anew for every letter: an administrator may have added one.

import { readFileSync } from 'node:fs';
import { placesOfAuthorities } from '../core/authorities.js';

/** PEM; undefined: the host has none, and Node's own list counts. */
export function authorities(env: Readonly<Record<string, string | undefined>>): string | undefined {
  for (const path of placesOfAuthorities(env)) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      // The next one.
    }
  }
  return undefined;
}

/** Whether this is OpenSSL's or Node's code for a certificate that does not count. */
export const isDistrust = (code: string): boolean => /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH/.test(code);
