// Whose word a certificate needs: the authorities that the host believes, as curl and every other program on it has them.
// Node knows only a list of its own, without the authority of the house that an administrator has added.

import { readFileSync } from 'node:fs';

/** Debian, Red Hat, SUSE, Alpine. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** PEM; undefined: the host has none, and Node's own list counts. SSL_CERT_FILE is OpenSSL's word for another place. */
export function authorities(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const named = env.SSL_CERT_FILE;
  for (const path of named === undefined || named === '' ? BUNDLES : [named]) {
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
