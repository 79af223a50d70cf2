// Everyone whom a keeper can tell, for the system tests: a real receiver for each kind of channel, and what each of them was
// told, in one form. Knows how channels write, and nothing of what deserves telling.

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import type { Home } from './keeper.js';
import type { Mail } from './mail-reader.js';
import { placeSendmail, type Sendmail } from './sendmail.js';
import { type SmtpReceiver, startSmtpServer } from './smtp-server.js';
import { type SyslogReceiver, startSyslogServer } from './syslog-receiver.js';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js';

export const PASSWORD = 'up-and-running-0815';

/** One notice, as somebody read it. */
export interface Told {
  readonly label: string;
  readonly service: string;
  readonly incident: string | null;
}

/** One message: a letter. */
export type Message = readonly Told[];

/** On a machine with a mail system of its own the mail by sendmail would leave the test. */
const hasMailSystem = ['/usr/sbin/sendmail', '/usr/lib/sendmail'].some(existsSync);

export class Audience implements AsyncDisposable {
  readonly mail: SmtpReceiver;
  readonly chat: WebhookReceiver;
  readonly #home: Home;
  readonly #log: SyslogReceiver;
  readonly #sendmail: Sendmail;

  private constructor(home: Home, mail: SmtpReceiver, chat: WebhookReceiver, log: SyslogReceiver) {
    this.#home = home;
    this.mail = mail;
    this.chat = chat;
    this.#log = log;
    this.#sendmail = placeSendmail(home.at('mta'));
    mkdirSync(home.at('paged'));
    home.write('smtp.pass', `${PASSWORD}\n`, 0o600);
    // A page counts once it is whole.
    home.write(
      'page',
      `#!/bin/sh\ncat > '${home.at('page')}'.$$ && mv '${home.at('page')}'.$$ "$1/$(date +%s%N)"\n`,
      0o755,
    );
  }

  static async in(home: Home): Promise<Audience> {
    const login = { user: 'up', password: PASSWORD };
    return new Audience(
      home,
      await startSmtpServer({ tls: 'starttls', login }),
      await startWebhookReceiver(),
      await startSyslogServer(),
    );
  }

  /** As the configuration names them. */
  get channels(): Readonly<Record<string, unknown>> {
    const via = { smtp: `127.0.0.1:${this.mail.port}`, user: 'up', password: { file: this.#home.at('smtp.pass') } };
    return {
      mail: { mail: { to: ['ops@example.org'], via } },
      ...(hasMailSystem ? {} : { post: { mail: 'root' } }),
      log: { syslog: { server: this.#log.place } },
      chat: { webhook: { url: `${this.chat.origin}/hook` } },
      page: { exec: [this.#home.at('page'), this.#home.at('paged')] },
      file: { file: this.#home.at('notices.log') },
    };
  }

  get names(): readonly string[] {
    return Object.keys(this.channels);
  }

  /** For the keeper: where it finds sendmail. */
  get env(): NodeJS.ProcessEnv {
    return { PATH: `${this.#sendmail.directory}:${process.env.PATH}` };
  }

  /** What came by one channel, oldest first. Who gets lines gets each notice by itself. */
  messages(channel: string): readonly Message[] {
    switch (channel) {
      case 'mail':
        return this.mail.received.map(({ mail }) => inMail(mail));
      case 'post':
        return this.#sendmail.mails().map(inMail);
      case 'log':
        return this.#log.messages.map(inLine);
      case 'file':
        return this.#home.read('notices.log').split('\n').slice(0, -1).map(inLine);
      case 'chat':
        return this.chat.posted.map(({ body }) => inJson(body));
      case 'page':
        return this.pages().map(inJson);
    }
    throw new Error(`there is no channel ${channel}`);
  }

  /** What the program was given. */
  pages(): readonly string[] {
    const directory = this.#home.at('paged');
    return readdirSync(directory)
      .sort()
      .map((name) => readFileSync(`${directory}/${name}`, 'utf8'));
  }

  /** What one channel was told of a service, in order. */
  told(channel: string, service: string): readonly Told[] {
    return this.messages(channel)
      .flat()
      .filter((one) => one.service === service);
  }

  labels(channel: string, service: string): readonly string[] {
    return this.told(channel, service).map(({ label }) => label);
  }

  /** What each channel was told of it, for one comparison. */
  everyone(service: string): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(this.names.map((name) => [name, this.labels(name, service)]));
  }

  /** The same for all. */
  each<T>(value: T): Readonly<Record<string, T>> {
    return Object.fromEntries(this.names.map((name) => [name, value]));
  }

  /** Waits until these channels, or all, have heard that. */
  async heard(service: string, label: string, names: readonly string[] = this.names): Promise<void> {
    const what = (): string =>
      `${label} of ${service} on ${names.join(', ')}; told so far: ${JSON.stringify(this.everyone(service))}`;
    await this.#home.until(what, () => names.every((name) => this.labels(name, service).includes(label)), 90);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.mail.close(), this.chat.close(), this.#log.close()]);
  }
}

/** A mail about one thing says it in its head, one about several in its text. */
function inMail(mail: Mail): Message {
  const [, label, service] = /^\[([A-Z]+)\] ([^\s@]+)@\S+: /.exec(mail.header('Subject') ?? '') ?? [];
  const entries = mail.text.split(/^(?=\[[A-Z]+\] )/m).filter((text) => text.startsWith('['));
  if (entries.length > 0)
    return entries.map((text) => toldIn(/^\[([A-Z]+)\] (\S+):/.exec(text), /incident\s+([^\s,]+)/.exec(text)));
  return [{ label: label ?? '', service: service ?? '', incident: mail.header('X-Upkeep-Incident') ?? null }];
}

const inLine = (line: string): Message => [
  toldIn(/\[([A-Z]+)\] (\S+): /.exec(line), /\(incident ([^\s)]+)\)\s*$/.exec(line)),
];

const toldIn = (head: RegExpExecArray | null, incident: RegExpExecArray | null): Told => ({
  label: head?.[1] ?? '',
  service: head?.[2] ?? '',
  incident: incident?.[1] ?? null,
});

function inJson(text: string): Message {
  const { notices }: { notices: { label: string; service: string | null; incident: string | null }[] } =
    JSON.parse(text);
  return notices.map(({ label, service, incident }) => ({ label, service: service ?? 'upkeep', incident }));
}
