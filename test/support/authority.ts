// An authority that vouches for whatever a test asks for, from and until any day: what has expired, what is not valid yet, what is for
// another name. Knows nothing of who shows it.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './certificate.js';

/** Days from now on; below zero: before. */
export interface Days {
  readonly from?: number;
  readonly until: number;
}

export interface Authority {
  /** What to trust, for `ca`. */
  readonly file: string;
  readonly pem: string;
  readonly issue: (name: string, days: Days) => Certificate;
  readonly close: () => void;
}

const CONFIG = `
[ca]
default_ca = test
[test]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = anything
copy_extensions = copy
unique_subject = no
[anything]
commonName = supplied
`;

export function anAuthority(days: Days): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'upkeep-authority-'));
  writeFileSync(join(directory, 'ca.conf'), CONFIG);
  writeFileSync(join(directory, 'index.txt'), '');
  const openssl = (...args: readonly string[]): unknown =>
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');

  const make = (base: string, name: string, extension: string, { from = -100, until }: Days, by: readonly string[]) => {
    openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`],
      ...['-addext', extension, '-keyout', `${base}.key`, '-out', `${base}.csr`],
    );
    openssl(
      ...['ca', '-batch', '-notext', '-create_serial', '-config', 'ca.conf', ...by],
      ...['-startdate', asn1(from), '-enddate', asn1(until), '-in', `${base}.csr`, '-out', `${base}.pem`],
    );
  };
  make('ca', 'Test Authority', 'basicConstraints=critical,CA:TRUE', days, ['-selfsign', '-keyfile', 'ca.key']);
  return {
    file: join(directory, 'ca.pem'),
    pem: read('ca.pem'),
    issue: (name, term) => {
      make('own', name, `subjectAltName=DNS:${name}`, term, ['-cert', 'ca.pem', '-keyfile', 'ca.key']);
      return { key: read('own.key'), cert: read('own.pem') };
    },
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** `20261121143000Z` */
const asn1 = (days: number): string =>
  new Date(Date.now() + days * 86_400_000).toISOString().replace(/\.\d+/, '').replaceAll(/[-:T]/g, '');
