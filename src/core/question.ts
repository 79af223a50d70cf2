// Vocabulary: what a service can be asked (product.md 2.7), with every short form expanded and every default filled in. One
// interface a kind; how it is asked is in heartbeats/, one file a kind. Knows nothing of YAML and of sockets.

import type { Command } from './command.js';
import type { Secret } from './secret.js';
import type { Millis } from './time.js';

export type Question =
  | HttpQuestion
  | TcpQuestion
  | UnixQuestion
  | TlsQuestion
  | DnsQuestion
  | LdapQuestion
  | SshQuestion
  | SshAgentQuestion
  | SmtpQuestion
  | RedisQuestion
  | PostgresQuestion
  | ExecQuestion
  | FileQuestion
  | ProcessQuestion;

export type QuestionKind = Question['kind'];

/** `each`: all addresses of the name have to answer, and those that do not are named; `any`: the first that connects is asked. */
export type Addresses = 'any' | 'each';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A TCP endpoint, or a Unix socket. */
export type Place = (Endpoint & { readonly type: 'tcp' }) | { readonly type: 'unix'; readonly path: string };

/** The source of a regular expression (flags `u`), tried on at most the first 64 KiB of what comes. */
export type RegexText = string;

/** How the certificate of the other side is judged. `ca`: a file of certificates to trust instead of the system's. `name`: the name that it is asked for and has to carry; null: the host. */
export interface TlsOptions {
  readonly verify: 'yes' | 'no';
  readonly name: string | null;
  readonly ca: string | null;
}

export interface HttpQuestion {
  readonly kind: 'http';
  /** http: or https:, without user and password. */
  readonly url: string;
  /** Instead of the host of the URL: `http://unix:/run/app.sock:/health` is this path and the URL `http://localhost/health`. */
  readonly socket: string | null;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Ranges of good statuses, both ends included. */
  readonly status: readonly (readonly [number, number])[];
  readonly body: RegexText | null;
  readonly header: Readonly<Record<string, RegexText>>;
  /** How many redirections are followed; 0: the first answer counts. */
  readonly redirects: number;
  readonly auth: { readonly user: string; readonly password: Secret } | null;
  readonly tls: TlsOptions;
  readonly addresses: Addresses;
}

/** Connects; sends a text where one is given, and waits for what is expected of the answer. */
export interface TcpQuestion extends Endpoint {
  readonly kind: 'tcp';
  readonly send: string | null;
  readonly expect: RegexText | null;
  readonly addresses: Addresses;
}

export interface UnixQuestion {
  readonly kind: 'unix';
  readonly path: string;
  readonly send: string | null;
  readonly expect: RegexText | null;
}

/** A handshake, a certificate for the name, and days that it is valid for. */
export interface TlsQuestion extends Endpoint {
  readonly kind: 'tls';
  readonly tls: TlsOptions;
  /** The whole chain has to be valid for so many days more. */
  readonly days: number;
  readonly addresses: Addresses;
}

/** One question by UDP to a given server. */
export interface DnsQuestion extends Endpoint {
  readonly kind: 'dns';
  readonly query: string;
  readonly type: DnsType;
  /** One of the answers has to match; null: any answer will do. */
  readonly expect: RegexText | null;
}

export type DnsType = 'A' | 'AAAA' | 'CNAME' | 'MX' | 'NS' | 'PTR' | 'SOA' | 'SRV' | 'TXT';

/** A bind, anonymous where no name is given, and the root DSE. */
export interface LdapQuestion {
  readonly kind: 'ldap';
  /** ldap:, ldaps: or ldapi: */
  readonly url: string;
  readonly bind: { readonly dn: string; readonly password: Secret } | null;
  readonly startTls: 'yes' | 'no';
  readonly tls: TlsOptions;
}

/** The banner. */
export interface SshQuestion extends Endpoint {
  readonly kind: 'ssh';
  readonly addresses: Addresses;
}

export interface SshAgentQuestion {
  readonly kind: 'sshAgent';
  readonly path: string;
  /** So many keys at least. */
  readonly keys: number;
  /** `yes`: and a signature by the first of them over a text that nobody has seen before. */
  readonly sign: 'yes' | 'no';
}

/** The greeting, EHLO, and QUIT. */
export interface SmtpQuestion extends Endpoint {
  readonly kind: 'smtp';
  readonly addresses: Addresses;
}

/** PING. Whoever asks for a password first does answer. */
export interface RedisQuestion {
  readonly kind: 'redis';
  readonly at: Place;
  readonly password: Secret | null;
}

/** The first message of the server to a start of a session. */
export interface PostgresQuestion {
  readonly kind: 'postgres';
  readonly at: Place;
  readonly user: string;
  readonly database: string | null;
}

export interface ExecQuestion {
  readonly kind: 'exec';
  /** Its `timeout` is that of the heartbeat, its `user` the asker's. */
  readonly command: Command;
  /** `nagios`: 0 and 1 (a warning) are good, 2 has failed, 3 could not ask. */
  readonly codes: 'upkeep' | 'nagios';
}

export interface FileQuestion {
  readonly kind: 'file';
  readonly path: string;
  /** Milliseconds since its last change. */
  readonly age: Threshold | null;
  /** Bytes. */
  readonly size: Threshold | null;
  /** `yes`: it has changed since it was last asked for. */
  readonly changes: 'yes' | 'no';
}

/** All processes of the service together. Measured by the keeper itself, from /proc: nobody is asked anything. */
export interface ProcessQuestion {
  readonly kind: 'process';
  /** Bytes. */
  readonly memory: Threshold | null;
  /** Percent of one processor, since the last question. */
  readonly cpu: Threshold | null;
  readonly threads: Threshold | null;
  readonly openFiles: Threshold | null;
}

/** What is good. */
export interface Threshold {
  readonly is: '<' | '<=' | '>' | '>=';
  readonly than: number;
}

/** The three answers. `unasked`: it could not be asked, which says nothing about the service. */
export type Result = 'good' | 'failed' | 'unasked';

export interface Answer {
  readonly result: Result;
  readonly ms: Millis;
  /** One line, cleaned, no longer than 200 characters. */
  readonly detail: string;
}

/** What part of a question took how long: resolve, connect, TLS, answer … */
export interface AskStep {
  readonly name: string;
  readonly ms: Millis;
  /** What came of it, in a few words. */
  readonly detail: string | null;
}
