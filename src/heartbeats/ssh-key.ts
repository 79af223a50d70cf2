// What a public key of SSH says about a signature (RFC 4253 section 6.6, RFC 5656, RFC 8332, RFC 8709). Knows no agent.

import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';

/** Strings of SSH: a length of four bytes before each (RFC 4251 section 5). */
export function sshString(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The strings that a text begins with, `most` of them at the most. What is cut off is left out. */
export function sshStrings(bytes: Buffer, most: number): readonly Buffer[] {
  const all: Buffer[] = [];
  let at = 0;
  while (all.length < most && at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    all.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return all;
}

export const keyType = (key: Buffer): string => sshStrings(key, 1)[0]?.toString('latin1') ?? '';

/** `unknown`: a certificate, a key on a token, or what this program has not heard of. */
export function checkSignature(key: Buffer, signed: Buffer, signature: Buffer): 'valid' | 'invalid' | 'unknown' {
  const [scheme, blob] = sshStrings(signature, 2);
  const way = WAYS.find(({ type }) => type === keyType(key));
  if (way === undefined) return 'unknown';
  if (scheme === undefined || blob === undefined) return 'invalid';
  try {
    const hash = way.hashes[scheme.toString('latin1')];
    if (hash === undefined) return 'invalid';
    const publicKey = createPublicKey({ key: way.jwk(sshStrings(key, 3)), format: 'jwk' });
    const options = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
    return verify(hash, signed, options, way.plain(blob)) ? 'valid' : 'invalid';
  } catch {
    // No key of its type: node:crypto refuses what is not on the curve, too short and the like.
    return 'invalid';
  }
}

interface Way {
  /** Of the key, and the first string in it. */
  readonly type: string;
  /** The hash of each scheme that it may sign with; null: the scheme has its own. */
  readonly hashes: Readonly<Record<string, string | null>>;
  readonly jwk: (parts: readonly Buffer[]) => JsonWebKey;
  /** The signature as node:crypto takes it. */
  readonly plain: (blob: Buffer) => Buffer;
}

const base64url = (bytes: Buffer | undefined): string => bytes?.toString('base64url') ?? '';
const asItIs = (blob: Buffer): Buffer => blob;

const ecdsa = (name: string, crv: string, hash: string, size: number): Way => ({
  type: `ecdsa-sha2-${name}`,
  hashes: { [`ecdsa-sha2-${name}`]: hash },
  // 04, and both coordinates.
  jwk: ([, , point]) => ({
    kty: 'EC',
    crv,
    x: base64url(point?.subarray(1, 1 + size)),
    y: base64url(point?.subarray(1 + size)),
  }),
  plain: (blob) => Buffer.concat(sshStrings(blob, 2).map((part) => ofSize(part, size))),
});

const WAYS: readonly Way[] = [
  {
    type: 'ssh-ed25519',
    hashes: { 'ssh-ed25519': null },
    jwk: ([, point]) => ({ kty: 'OKP', crv: 'Ed25519', x: base64url(point) }),
    plain: asItIs,
  },
  {
    type: 'ssh-rsa',
    // The last is what agents make of a flag that they do not know.
    hashes: { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512', 'ssh-rsa': 'sha1' },
    jwk: ([, exponent, modulus]) => ({ kty: 'RSA', e: base64url(exponent), n: base64url(withoutZeros(modulus)) }),
    plain: asItIs,
  },
  ecdsa('nistp256', 'P-256', 'sha256', 32),
  ecdsa('nistp384', 'P-384', 'sha384', 48),
  ecdsa('nistp521', 'P-521', 'sha512', 66),
];

/** A number of SSH has a zero before it where it would look negative. */
function withoutZeros(bytes: Buffer = Buffer.alloc(0)): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  return bytes.subarray(start === -1 ? bytes.length : start);
}

function ofSize(bytes: Buffer, size: number): Buffer {
  const digits = withoutZeros(bytes);
  return Buffer.concat([Buffer.alloc(Math.max(0, size - digits.length)), digits]);
}
