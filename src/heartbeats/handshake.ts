// TLS over a connection that stands, and what is wrong with the certificate that the server shows, in words that say what to do.
// It must not know what is said over it.

import { isIP, type Socket } from 'node:net';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { errorCode } from '../core/error-text.js';
import type { TlsOptions } from '../core/question.js';
import { inWords } from '../core/time.js';
import { chainOf, nameIn } from './chain.js';
import { judge, Verdict } from './judge.js';
import { type Asking, failed } from './kind.js';
import { listed } from './listed.js';
import { trusted } from './trust.js';

/**
 * Goes with the socket below it. `host`: what the question names, where the options name nothing else. @throws Verdict, or what the
 * connection threw
 */
export async function secured(
  socket: Socket,
  host: string,
  { verify, name, ca }: TlsOptions,
  { begin, hears }: Pick<Asking, 'begin' | 'hears'>,
  protocols: readonly string[] = [],
): Promise<TLSSocket> {
  begin('tls');
  const asked = name ?? host;
  const secureContext = trusted(verify === 'yes' ? ca : null);
  const secure = connect({
    socket,
    host: asked,
    secureContext,
    // An address is no name to ask for (RFC 6066 section 3).
    ...(isIP(asked) === 0 ? { servername: asked } : {}),
    ...(protocols.length > 0 ? { ALPNProtocols: [...protocols] } : {}),
    // Judged below, where the certificate can still be looked at.
    rejectUnauthorized: false,
  });
  await shaken(secure, socket);
  // Not those of the socket: the tickets that a server sends after the handshake (TLS 1.3) are nothing that it says.
  hears?.(() => secure.bytesRead);
  if (verify === 'yes' && !secure.authorized) {
    // Its code as a string, whatever its type says.
    const code = errorCode(secure.authorizationError);
    throw new Verdict(failed(whatIsWrong(code, secure.getPeerCertificate(true), asked)));
  }
  return secure;
}

function shaken(secure: TLSSocket, socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = (): void => reject(new Verdict(failed(CLOSED)));
    secure.once('secureConnect', resolve);
    // Stays: later errors are the user's to hear or to ignore.
    secure.on('error', (error) => reject(new Verdict(failed(brokenOff(error)))));
    secure.once('close', closed);
    // Where the server was quicker than we, the TLS above never hears of it.
    socket.once('close', closed);
    if (socket.destroyed) closed();
  });
}

const CLOSED = 'closed by the server during the TLS handshake';

function brokenOff(error: Error): string {
  const code = errorCode(error, '');
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') return 'it speaks no TLS';
  if (code === 'ECONNRESET' || code === 'EPIPE') return CLOSED;
  const reason = 'reason' in error ? String(error.reason) : judge(error).detail;
  return `the TLS handshake failed: ${reason}`;
}

function whatIsWrong(code: string, own: PeerCertificate, asked: string): string {
  const [chain, now] = [chainOf(own), Date.now()];
  switch (code) {
    case 'CERT_HAS_EXPIRED': {
      const { whose, until } = chain.find(({ until }) => until < now) ?? chain[0];
      return `${whose} expired ${inWords(now - until)} ago (${day(until)})`;
    }
    case 'CERT_NOT_YET_VALID': {
      const { whose, from } = chain.find(({ from }) => from > now) ?? chain[0];
      return `${whose} is valid from ${day(from)} only, in ${inWords(from - now)}`;
    }
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `its certificate is not for ${asked}, but for ${namesOf(own)}`;
    case 'CERT_REVOKED':
      return 'its certificate is revoked';
    default:
      return `nobody that we trust vouches for its certificate (${code}, issued by ${issuerOf(own)}); \`tls: {ca: FILE}\` trusts it`;
  }
}

const day = (at: number): string => new Date(at).toISOString().slice(0, 10);

const issuerOf = ({ issuer, subject }: PeerCertificate): string =>
  nameIn(issuer) === nameIn(subject) ? 'itself' : nameIn(issuer);

function namesOf({ subject, subjectaltname }: PeerCertificate): string {
  const names = (subjectaltname ?? '')
    .split(', ')
    .filter((name) => name !== '')
    .map((name) => name.replace(/^(DNS|IP Address):/, ''));
  if (names.length === 0) return nameIn(subject);
  return listed(names);
}
