// The certificates that a server shows, from its own upwards, with the times that they are good for. Judges nothing.

import type { PeerCertificate } from 'node:tls';

export interface Link {
  /** `its certificate`, or `the certificate of its issuer NAME`. */
  readonly whose: string;
  /** Milliseconds since 1970, both. */
  readonly from: number;
  readonly until: number;
}

interface Chained extends PeerCertificate {
  readonly issuerCertificate?: Chained;
}

/** At least the server's own. An authority is its own issuer, and the last. */
export function chainOf(own: PeerCertificate): readonly [Link, ...Link[]] {
  const issuers: Link[] = [];
  let below: Chained = own;
  for (let one = below.issuerCertificate; one !== undefined && one !== below; one = one.issuerCertificate) {
    issuers.push(linkOf(`the certificate of its issuer ${nameIn(one.subject)}`, one));
    below = one;
  }
  return [linkOf('its certificate', own), ...issuers];
}

const linkOf = (whose: string, { valid_from: from, valid_to: until }: PeerCertificate): Link => ({
  whose,
  from: Date.parse(from),
  until: Date.parse(until),
});

/** A distinguished name may have several of each. */
export const nameIn = ({ CN, O }: PeerCertificate['subject']): string => [CN ?? O ?? 'nobody'].flat().join(' ');
