// A real SMTP server on this machine that keeps its mails: with STARTTLS, TLS from the first byte or none, with a login if
// one is asked for, and with whatever trouble a test orders while it runs.

import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { certificate } from './certificate.js';
import { keep } from './kept.js';
import { type Mail, readMail } from './mail-reader.js';

export interface Received {
  readonly from: string;
  readonly to: readonly string[];
  /** Whether it came over TLS. */
  readonly secure: boolean;
  /** Who had logged in; null: nobody. */
  readonly user: string | null;
  readonly mail: Mail;
}

/** What goes wrong; may be changed at any time. */
export interface Trouble {
  /** An answer like `550 no such user`, instead of taking it; null: all is well. */
  connect: string | null;
  recipient: (address: string) => string | null;
  data: string | null;
  /** After what it never answers again. */
  hangs: 'never' | 'connect' | 'data';
  /** What it does with the whole mail before it takes it: a slow server has much to look at. */
  before: (mail: Mail) => Promise<void>;
}

export interface SmtpOptions {
  readonly tls?: 'none' | 'starttls' | 'implicit';
  readonly login?: { readonly user: string; readonly password: string };
  readonly host?: string;
}

export interface SmtpReceiver {
  readonly port: number;
  readonly received: readonly Received[];
  readonly trouble: Trouble;
  /** Resolves when so many mails are there. */
  readonly until: (count: number) => Promise<readonly Received[]>;
  readonly close: () => Promise<void>;
}

export async function startSmtpServer(options: SmtpOptions = {}): Promise<SmtpReceiver> {
  const kept = keep<Received>();
  const trouble: Trouble = { connect: null, recipient: () => null, data: null, hangs: 'never', before: async () => {} };
  const tls = options.tls ?? 'none';
  const login = options.login ?? null;

  const server = new SMTPServer({
    ...(tls === 'none' ? {} : certificate()),
    secure: tls === 'implicit',
    disabledCommands: [...(tls === 'starttls' ? [] : ['STARTTLS']), ...(login === null ? ['AUTH'] : [])],
    authOptional: login === null,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    closeTimeout: 100,
    logger: false,
    onConnect: (_session, done) => {
      if (trouble.hangs !== 'connect') done(refusal(trouble.connect));
    },
    onAuth: (auth, _session, done) => {
      const isRight = auth.username === login?.user && auth.password === login?.password;
      if (isRight) done(null, { user: auth.username });
      else done(refusal('535 5.7.8 Authentication credentials invalid'));
    },
    onRcptTo: ({ address }, _session, done) => done(refusal(trouble.recipient(address))),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (trouble.hangs === 'data') return;
        const refused = refusal(trouble.data);
        if (refused !== null) return done(refused);
        const { mailFrom, rcptTo } = session.envelope;
        const mail = readMail(Buffer.concat(chunks));
        void trouble.before(mail).then(() => {
          kept.add({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            secure: session.secure,
            user: typeof session.user === 'string' ? session.user : null,
            mail,
          });
          done(null, `2.0.0 Ok: queued as ${kept.all.length}`);
        });
      });
    },
  });
  // A client that breaks off is no error of the test.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, options.host ?? '127.0.0.1', resolve));

  return {
    port: (server.server.address() as AddressInfo).port,
    received: kept.all,
    trouble,
    until: kept.until,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** `550 5.1.1 no such user` as the error that the server makes that answer of. */
function refusal(answer: string | null): (Error & { responseCode: number }) | null {
  if (answer === null) return null;
  const [, code = '550', text = ''] = /^(\d{3}) (.*)$/s.exec(answer) ?? [];
  return Object.assign(new Error(text), { responseCode: Number(code) });
}
