// A certificate for this machine, signed by itself and made when it is asked for; also for 0.0.0.0, which leads here too
// but is no name of it. And others, for other names, of other times and by other issuers. It knows nothing of who shows it.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

let made: Certificate | null = null;

/** One for the whole process: making it takes openssl some milliseconds. */
export function certificate(): Certificate {
  made ??= make();
  return made;
}

function make(): Certificate {
  const directory = mkdtempSync(join(tmpdir(), 'upkeep-certificate-'));
  const key = join(directory, 'key.pem');
  const cert = join(directory, 'cert.pem');
  try {
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
        ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:0.0.0.0'],
        ...['-keyout', key, '-out', cert],
      ],
      { stdio: 'pipe' },
    );
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface Wanted {
  readonly name: string;
  /** `DNS:localhost,IP:127.0.0.1`; null: for signing others. */
  readonly for: string | null;
  /** Days from now; negative: ago. */
  readonly from?: number;
  readonly until?: number;
  /** Not there: itself. */
  readonly by?: Certificate;
}

/** One as it is wanted, signed by openssl ca: the only command of OpenSSL 3.0 that makes one which has expired. */
export function issueCertificate(wanted: Wanted): Certificate {
  const directory = mkdtempSync(join(tmpdir(), 'upkeep-certificate-'));
  const at = (file: string): string => join(directory, file);
  const openssl = (...args: readonly string[]): unknown => execFileSync('openssl', args, { stdio: 'pipe' });
  try {
    const use =
      wanted.for === null
        ? 'basicConstraints = critical,CA:true'
        : `subjectAltName = ${wanted.for}\nbasicConstraints = CA:false`;
    const settings = [
      '[ca]\ndefault_ca = own\n[own]\ndefault_md = sha256\nunique_subject = no\npolicy = any\nx509_extensions = use',
      `new_certs_dir = ${directory}\ndatabase = ${at('index')}\nrand_serial = yes`,
      `[any]\ncommonName = supplied\n[use]\n${use}\n[req]\ndistinguished_name = any\n`,
    ];
    writeFileSync(at('settings'), settings.join('\n'));
    writeFileSync(at('index'), '');
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl('req', ...curve, '-subj', `/CN=${wanted.name}`, '-keyout', at('key'), '-out', at('request'));
    if (wanted.by !== undefined) {
      writeFileSync(at('issuer.key'), wanted.by.key);
      writeFileSync(at('issuer.cert'), wanted.by.cert);
    }
    const issuer =
      wanted.by === undefined
        ? ['-selfsign', '-keyfile', at('key')]
        : ['-keyfile', at('issuer.key'), '-cert', at('issuer.cert')];
    const times = ['-startdate', day(wanted.from ?? -1), '-enddate', day(wanted.until ?? 2)];
    const sign = ['-batch', '-notext', '-config', at('settings'), '-in', at('request'), '-out', at('cert')];
    openssl('ca', ...sign, ...issuer, ...times);
    return { key: readFileSync(at('key'), 'utf8'), cert: readFileSync(at('cert'), 'utf8') };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** `20261121143000Z`, so many days from now. */
const day = (from: number): string =>
  `${new Date(Date.now() + from * 86_400_000).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
