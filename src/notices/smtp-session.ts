// One conversation with a mail server over a connection that is there: greeting, encryption, login, one mail. The only file
// that knows nodemailer's client. It must not know what an outcome means for the letter.

import type { Socket } from 'node:net';
import type { NodemailerError } from 'nodemailer/lib/errors';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { SMTPConnectionOptions, SMTPConnectionSendInfo } from 'nodemailer/lib/smtp-connection';
import type { Endpoint } from './endpoint.js';
import type { Message } from './mail-message.js';

/** `checked`: the certificate must be good for the host. */
export type Protection =
  /** TLS from the first byte, or by STARTTLS before anything is said. */
  | { readonly type: 'tls' | 'starttls'; readonly certificate: 'checked' | 'any' }
  /** STARTTLS where it is offered; without it all is in the clear. */
  | { readonly type: 'opportunistic' }
  | { readonly type: 'none' };

export interface Login {
  readonly user: string;
  readonly password: string;
}

export interface Session {
  readonly socket: Socket;
  readonly endpoint: Endpoint;
  readonly protection: Protection;
  /** Authorities for its certificate, PEM; undefined: Node's own. */
  readonly ca: string | undefined;
  readonly login: Login | null;
  readonly signal: AbortSignal;
  /** What both say, without the login. */
  readonly talk: (line: string) => void;
}

export type Step = 'greeting' | 'login' | 'mail';

export type Outcome =
  | { readonly type: 'sent'; readonly answer: string; readonly refused: readonly Refusal[] }
  /** `refused`: every recipient, where that is why. */
  | {
      readonly type: 'failed';
      readonly step: Step;
      readonly error: NodemailerError;
      readonly refused: readonly Refusal[];
    };

/** What the server said of one recipient. */
export interface Refusal {
  readonly address: string;
  readonly answer: string;
}

/** The signal of the session ends every wait; nodemailer's own limits lie behind it. */
const LONG = 24 * 3_600_000;
/** For the answer to QUIT, in ms: the mail is delivered, and nobody waits for it. */
const FAREWELL = 2000;

export async function converse(session: Session, message: Message): Promise<Outcome> {
  const { default: Connection } = await import('nodemailer/lib/smtp-connection');
  const connection = new Connection(optionsOf(session));
  const broken = breaking(connection, session.signal);
  const step = <T>(begin: (done: (error?: Error | null, result?: T) => void) => void): Promise<T | undefined> =>
    Promise.race([
      broken,
      new Promise<T | undefined>((resolve, reject) =>
        begin((error, result) => (error ? reject(error) : resolve(result))),
      ),
    ]);

  let at: Step = 'greeting';
  try {
    await step((done) => connection.connect(done));
    const { login } = session;
    if (login !== null) {
      at = 'login';
      await step((done) => connection.login({ user: login.user, pass: login.password }, done));
    }
    at = 'mail';
    const { from, to, bytes } = message;
    const info = await step<SMTPConnectionSendInfo>((done) =>
      connection.send({ from, to: [...to], size: bytes.length }, bytes, done),
    );
    takeLeave(connection);
    return { type: 'sent', answer: info?.response ?? '', refused: refusalsOf(info?.rejectedErrors) };
  } catch (thrown) {
    connection.close();
    const error: NodemailerError = thrown instanceof Error ? thrown : new Error(String(thrown));
    return { type: 'failed', step: at, error, refused: refusalsOf(error.rejectedErrors) };
  }
}

function optionsOf({ socket, endpoint, protection, ca, talk }: Session): SMTPConnectionOptions {
  const isChecked = 'certificate' in protection && protection.certificate === 'checked';
  return {
    connection: socket,
    host: endpoint.host,
    port: endpoint.port,
    secure: protection.type === 'tls',
    requireTLS: protection.type === 'starttls',
    opportunisticTLS: protection.type === 'opportunistic',
    ignoreTLS: protection.type === 'none',
    tls: { rejectUnauthorized: isChecked, ...(ca === undefined ? {} : { ca }) },
    connectionTimeout: LONG,
    greetingTimeout: LONG,
    socketTimeout: LONG,
    socketCloseTimeout: 0,
    maxResponseSize: 64 * 1024,
    transactionLog: true,
    logger: { debug: (entry: unknown, line: unknown) => overhear(entry, String(line), talk) },
  };
}

/** Every line but those of a login: what is no known command, and what follows AUTH, may be a password. */
function overhear(entry: unknown, line: string, talk: (line: string) => void): void {
  const side = typeof entry === 'object' && entry !== null && 'tnx' in entry ? entry.tnx : null;
  if (side === 'server') talk(`< ${line}`);
  if (side !== 'client') return;
  const command = /^(?:(?:EHLO|HELO|MAIL FROM:|RCPT TO:).*|STARTTLS|DATA|RSET|QUIT|AUTH(?= ))/.exec(line)?.[0];
  talk(`> ${command ?? '***'}`);
}

/** Rejects when the connection fails outside of an answer, or its time is over. */
function breaking(connection: SMTPConnection, signal: AbortSignal): Promise<never> {
  const broken = new Promise<never>((_resolve, reject) => {
    connection.on('error', reject);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
  });
  broken.catch(() => undefined);
  return broken;
}

function takeLeave(connection: SMTPConnection): void {
  connection.quit();
  const timer = setTimeout(() => connection.close(), FAREWELL);
  connection.once('end', () => clearTimeout(timer));
}

const refusalsOf = (errors: readonly NodemailerError[] | undefined): readonly Refusal[] =>
  (errors ?? []).map(({ recipient, response, message }) => ({
    address: String(recipient ?? ''),
    answer: String(response ?? message),
  }));
