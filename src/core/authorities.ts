// Where a host keeps the certificates of the authorities that it believes, as curl and every other program on it has them.
// Node knows only a list of its own, without the authority of the house that an administrator has added. Reads no file.

/** Debian, Red Hat, SUSE, Alpine. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** The first that can be read counts; none: Node's own list. SSL_CERT_FILE is OpenSSL's word for another place. */
export const placesOfAuthorities = ({ SSL_CERT_FILE: named }: Readonly<Record<string, string | undefined>>) =>
  named === undefined || named === '' ? BUNDLES : [named];
