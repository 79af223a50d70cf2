import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificate } from '../../test/support/certificate.js';
import { asHeartbeatsDo } from '../../test/support/connect.js';
import { letter, notice, postMortem } from '../../test/support/letters.js';
import { placeSendmail } from '../../test/support/sendmail.js';
import { type SmtpOptions, type SmtpReceiver, startSmtpServer } from '../../test/support/smtp-server.js';
import type { Letter } from '../core/notice.js';
import type { Channel } from '../core/notice-spec.js';
import type { Delivery } from './channel.js';
import { mailSender } from './mail-channel.js';

type Mail = Extract<Channel, { type: 'mail' }>;
type Smtp = Extract<Mail['via'], { type: 'smtp' }>;

const PASSWORD = 'hunter2-pa55';
let directory: string;
const closing: (() => Promise<void>)[] = [];
let talk: string[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-mail-'));
  talk = [];
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(directory, { recursive: true, force: true });
});

async function server(options: SmtpOptions = {}): Promise<SmtpReceiver> {
  const started = await startSmtpServer(options);
  closing.push(started.close);
  return started;
}

const needs = (env: Readonly<Record<string, string>> = {}) => ({
  env: { PATH: '', ...env },
  uid: process.getuid?.() ?? 0,
  user: 'alice',
  connect: asHeartbeatsDo,
  sendmail: [],
});

const channel = (via: Mail['via'], difference: Partial<Mail> = {}): Mail => ({
  type: 'mail',
  to: ['ops@example.org'],
  from: null,
  via,
  ...difference,
});

const smtp = (port: number, difference: Partial<Smtp> = {}): Smtp => ({
  type: 'smtp',
  server: `127.0.0.1:${port}`,
  user: null,
  password: null,
  tls: 'verify',
  ...difference,
});

function send(
  mail: Mail,
  one: Letter = letter(),
  env: Readonly<Record<string, string>> = {},
  signal = later(),
): Promise<Delivery> {
  return mailSender(mail, needs(env))(one, { signal, talk: (line) => talk.push(line) });
}

const later = (): AbortSignal => AbortSignal.timeout(30_000);

function passwordFile(): string {
  const path = join(directory, 'password');
  writeFileSync(path, `${PASSWORD}\n`, { mode: 0o600 });
  return path;
}

describe('a mail by SMTP', () => {
  it('arrives with what holds it together and what keeps machines from answering it', async () => {
    const { port, received } = await server();
    expect(await send(channel(smtp(port)))).toEqual({ type: 'delivered', answer: '250 2.0.0 Ok: queued as 1' });
    expect(received[0]).toMatchObject({ from: 'upkeep@web3', to: ['ops@example.org'], secure: false });
    const { header, text } = received[0]!.mail;
    expect(header('Subject')).toBe('[DOWN] worker@web3: exit 1 after 4 s, 5th in 10 min, retrying in 30 s');
    expect(header('From')).toBe('Upkeep on web3 <upkeep@web3>');
    expect(header('To')).toBe('ops@example.org');
    expect(header('Message-ID')).toBe('<admin-k1-17@web3>');
    expect(header('In-Reply-To')).toBe('<incident.w-3fq9@web3>');
    expect(header('References')).toBe('<incident.w-3fq9@web3>');
    expect(header('Auto-Submitted')).toBe('auto-generated');
    expect(header('Precedence')).toBe('bulk');
    expect(header('X-Auto-Response-Suppress')).toBe('All');
    expect(header('X-Upkeep-Incident')).toBe('w-3fq9');
    expect(header('Date')).toBe('Fri, 20 Nov 2026 10:00:00 +0000');
    expect(header('Content-Transfer-Encoding')).toBe('7bit');
    expect(text).toContain('Error: connect ECONNREFUSED 10.0.0.7:5432\n');
    expect(text).toContain('\nIncident: w-3fq9\n');
  });

  it('of several incidents joins no thread, and one of the keeper has none', async () => {
    const { port, received } = await server();
    await send(channel(smtp(port)), letter(notice(), notice({ incident: 'other', service: 'db' })));
    await send(channel(smtp(port)), letter(notice({ incident: null, service: null })));
    for (const { mail } of received) expect(mail.header('References')).toBeUndefined();
  });

  it('is what it is, whatever a program printed or is called (monitors 34)', async () => {
    const { port, received } = await server();
    const evil = 'wörker\r\nBcc: all@example.org\r\n\r\n<script>\u202e\u0000';
    const one = notice({
      service: evil,
      headline: evil,
      incident: evil,
      postMortem: postMortem({
        output: ['.', '..', 'From me', evil, '.\r\nMAIL FROM:<x@y>', 'z'.repeat(1_000_000), '\ud800'],
      }),
    });
    expect(await send(channel(smtp(port)), { ...letter(one), host: evil })).toMatchObject({ type: 'delivered' });
    expect(received).toHaveLength(1);
    const { header, headerNames, text, raw } = received[0]!.mail;
    expect(new Set(headerNames).size).toBe(headerNames.length);
    expect(headerNames.map((name) => name.toLowerCase())).not.toContain('bcc');
    expect(header('Subject')).toMatch(/^\[DOWN\] wörker Bcc: all@example.org/);
    expect(header('Message-ID')).toBe('<admin-k1-17@w-rker-Bcc-all-example.org-script>');
    expect(text).toContain('\n    .\n    ..\n    From me\n');
    expect(Math.max(...raw.split(/\r?\n/).map((line) => line.length))).toBeLessThan(200);
  });

  it('goes to the others when one is refused, and says which; to nobody when all are', async () => {
    const { port, trouble, received } = await server();
    trouble.recipient = (address) => (address === 'gone@example.org' ? '550 5.1.1 no such user' : null);
    expect(await send(channel(smtp(port), { to: ['ops@example.org', 'gone@example.org'] }))).toEqual({
      type: 'delivered',
      answer: '250 2.0.0 Ok: queued as 1; refused gone@example.org: 550 5.1.1 no such user',
    });
    expect(received[0]?.to).toEqual(['ops@example.org']);
    expect(await send(channel(smtp(port), { to: ['gone@example.org'] }))).toEqual({
      type: 'refused',
      reason: 'refused gone@example.org: 550 5.1.1 no such user',
    });
  });

  it('waits for a server that says later, is full, refuses us, or is away', async () => {
    const started = await server();
    const { port, trouble } = started;
    trouble.recipient = () => '450 4.2.0 greylisted';
    expect(await send(channel(smtp(port)))).toEqual({
      type: 'later',
      reason: 'refused ops@example.org: 450 4.2.0 greylisted',
    });
    trouble.recipient = () => null;
    trouble.data = '452 4.3.1 no space';
    expect(await send(channel(smtp(port)))).toEqual({ type: 'later', reason: `127.0.0.1:${port}: 452 4.3.1 no space` });
    trouble.data = '554 5.7.1 spam';
    expect(await send(channel(smtp(port)))).toEqual({ type: 'refused', reason: `127.0.0.1:${port}: 554 5.7.1 spam` });
    trouble.connect = '554 go away';
    expect(await send(channel(smtp(port)))).toMatchObject({
      type: 'later',
      reason: expect.stringContaining('554 go away'),
    });
    await closing.pop()?.();
    expect(await send(channel(smtp(port)))).toEqual({
      type: 'later',
      reason: `no mail server: refused by 127.0.0.1:${port}`,
    });
  });

  it.each(['connect', 'data'] as const)('ends at its deadline with a server that never answers (%s)', async (hangs) => {
    const { port, trouble } = await server();
    trouble.hangs = hangs;
    const over = new AbortController();
    const sending = send(channel(smtp(port)), letter(), {}, over.signal);
    await expect.poll(() => talk.some((line) => line.startsWith(hangs === 'data' ? '> DATA' : 'connected'))).toBe(true);
    over.abort(new Error('over'));
    expect(await sending).toEqual({
      type: 'later',
      reason: `127.0.0.1:${port} did not answer in time (${hangs === 'data' ? 'mail' : 'greeting'})`,
    });
  });

  it('ends at its deadline with something that talks and talks, and is no mail server', async () => {
    const chatty = createServer((socket) => {
      socket.on('error', () => undefined);
      const timer = setInterval(() => socket.write('220-hello\r\n'.repeat(1000)), 1);
      socket.on('close', () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => chatty.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => chatty.close(() => resolve())));
    const address = chatty.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect(await send(channel(smtp(port)))).toEqual({
      type: 'later',
      reason: `127.0.0.1:${port}: Server response exceeds maximum allowed size`,
    });
  });
});

describe('a login', () => {
  const login = { user: 'up', password: PASSWORD };
  const withLogin = (port: number, difference: Partial<Smtp> = {}): Smtp =>
    smtp(port, {
      server: `localhost:${port}`,
      user: 'up',
      password: { type: 'file', path: passwordFile() },
      ...difference,
    });

  it('goes over TLS, by STARTTLS or from the first byte, and is in nothing that is said', async () => {
    const { port, received } = await server({ tls: 'starttls', login });
    expect(await send(channel(withLogin(port)))).toMatchObject({ type: 'delivered' });
    expect(received[0]).toMatchObject({ secure: true, user: 'up' });
    expect(talk).toContain('> STARTTLS');
    expect(talk).toContain('> AUTH');
    expect(talk.join('\n')).not.toContain(PASSWORD);
    expect(talk.join('\n')).not.toContain(Buffer.from(`\0up\0${PASSWORD}`).toString('base64'));
  });

  it('that is refused says so, and is tried again with what the file holds then', async () => {
    const { port, received } = await server({ tls: 'starttls', login });
    const mail = channel(withLogin(port));
    writeFileSync(join(directory, 'password'), 'wrong-pass\n');
    const refused = await send(mail);
    expect(refused).toEqual({
      type: 'later',
      reason: `localhost:${port} refuses the login of up: 535 5.7.8 Authentication credentials invalid`,
    });
    expect(JSON.stringify([refused, talk])).not.toContain('wrong-pass');
    writeFileSync(join(directory, 'password'), PASSWORD);
    expect(await send(mail)).toMatchObject({ type: 'delivered' });
    expect(received).toHaveLength(1);
  });

  it('without its password says which file or variable is missing', async () => {
    const { port } = await server({ login });
    expect(await send(channel(withLogin(port, { password: { type: 'env', name: 'SMTP_PASS' } })))).toEqual({
      type: 'later',
      reason: 'the password of up: the keeper has no variable SMTP_PASS',
    });
    expect(talk).toEqual([]);
  });
});

describe('encryption', () => {
  /** This machine by an address that is none of its names, as a server elsewhere. */
  const far = (port: number, difference: Partial<Smtp> = {}): Mail =>
    channel(smtp(port, { server: `0.0.0.0:${port}`, ...difference }));

  it('is demanded of another host, with a certificate that somebody vouches for', async () => {
    const { port, received } = await server({ tls: 'starttls' });
    expect(await send(far(port))).toEqual({
      type: 'later',
      reason: `the certificate of 0.0.0.0:${port} is not believed (self-signed certificate); \`tls: insecure\` takes any`,
    });
    const vouched = join(directory, 'authorities.pem');
    writeFileSync(vouched, certificate().cert);
    expect(await send(far(port), letter(), { SSL_CERT_FILE: vouched })).toMatchObject({ type: 'delivered' });
    expect(await send(far(port, { tls: 'insecure' }))).toMatchObject({ type: 'delivered' });
    expect(received.map(({ secure }) => secure)).toEqual([true, true]);
  });

  it('that another host does not have sends nothing, unless that is what one wants', async () => {
    const { port, received } = await server();
    expect(await send(far(port))).toEqual({
      type: 'later',
      reason: expect.stringMatching(/^0\.0\.0\.0:\d+ does not encrypt \(5\d\d .*\); `tls: none` sends in the clear$/),
    });
    expect(received).toHaveLength(0);
    expect(await send(far(port, { tls: 'none' }))).toMatchObject({ type: 'delivered' });
  });

  it('on this host is taken where it is offered, whatever the certificate', async () => {
    const { port, received } = await server({ tls: 'starttls' });
    expect(await send(channel(smtp(port)))).toMatchObject({ type: 'delivered' });
    expect(received[0]?.secure).toBe(true);
  });

  it('that never comes about ends at the deadline', async () => {
    const { port } = await server({ tls: 'implicit' });
    const over = new AbortController();
    const sending = send(channel(smtp(port)), letter(), {}, over.signal);
    await expect.poll(() => talk.length).toBeGreaterThan(0);
    over.abort(new Error('over'));
    expect(await sending).toEqual({ type: 'later', reason: `127.0.0.1:${port} did not answer in time (greeting)` });
  });
});

describe('a mail by sendmail', () => {
  const viaSendmail = (difference: Partial<Mail> = {}): Mail =>
    channel({ type: 'sendmail' }, { to: ['root', 'ops@example.org'], ...difference });

  it('is handed over whole, for whom its headers name, from the user that the keeper runs as', async () => {
    const sendmail = placeSendmail(directory);
    const env = { PATH: `${sendmail.directory}:/usr/bin:/bin`, CHAT_URL: PASSWORD };
    expect(await send(viaSendmail(), letter(), env)).toEqual({ type: 'delivered', answer: `${sendmail.path} took it` });
    expect(sendmail.args()).toEqual(['-t', '-i']);
    const [mail] = sendmail.mails();
    expect(mail?.header('From')).toBe('Upkeep on web3 <alice>');
    expect(mail?.header('To')).toBe('<root>, ops@example.org');
    expect(mail?.raw).not.toContain('\r');
    expect(mail?.text).toContain('Incident: w-3fq9');
  });

  it('comes back to whom the channel names', async () => {
    const sendmail = placeSendmail(directory);
    await send(viaSendmail({ from: 'up@example.org' }), letter(), { PATH: `${sendmail.directory}:/usr/bin:/bin` });
    expect(sendmail.args()).toEqual(['-t', '-i', '-f', 'up@example.org']);
    expect(sendmail.mails()[0]?.header('From')).toBe('Upkeep on web3 <up@example.org>');
  });

  it('shows the program nothing of the keeper’s environment', async () => {
    const sendmail = placeSendmail(directory);
    sendmail.next(`env > '${directory}/env'; cat > /dev/null`);
    await send(viaSendmail(), letter(), { PATH: `${sendmail.directory}:/usr/bin:/bin`, SMTP_PASS: PASSWORD });
    const seen = readFileSync(join(directory, 'env'), 'utf8');
    expect(seen).toContain('PATH=');
    expect(seen).not.toContain(PASSWORD);
  });

  it.each([
    [75, 'later'],
    [78, 'later'],
    [69, 'later'],
    [1, 'later'],
    [67, 'refused'],
    [65, 'refused'],
  ] as const)('that ends with code %i is %s', async (code, type) => {
    const sendmail = placeSendmail(directory);
    sendmail.next(`echo 'no such user\u001b[2J' >&2; exit ${code}`);
    expect(await send(viaSendmail(), letter(), { PATH: sendmail.directory })).toEqual({
      type,
      reason: `${sendmail.path} exited with code ${code}: no such user`,
    });
  });

  it('that hangs, and what it has forked, end at the deadline', async () => {
    const sendmail = placeSendmail(directory);
    const pids = join(directory, 'pids');
    sendmail.next(`trap '' TERM; sleep 1000 & echo $! >> '${pids}'; echo $$ >> '${pids}'; wait`);
    const over = new AbortController();
    const sending = send(viaSendmail(), letter(), { PATH: `${sendmail.directory}:/usr/bin:/bin` }, over.signal);
    const pidsOf = (): readonly number[] =>
      existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n').map(Number) : [];
    await expect.poll(() => pidsOf().length, { timeout: 20_000 }).toBe(2);
    over.abort(new Error('over'));
    expect(await sending).toEqual({ type: 'later', reason: `${sendmail.path} did not end in time` });
    const lives = (pid: number): boolean =>
      existsSync(`/proc/${pid}/exe`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
    await expect.poll(() => pidsOf().some(lives), { timeout: 20_000 }).toBe(false);
  });

  it('says what to install where there is none', async () => {
    expect(await send(viaSendmail(), letter(), { PATH: directory })).toEqual({
      type: 'later',
      reason: expect.stringMatching(/^this host has no sendmail; install a mail system such as postfix or msmtp-mta/),
    });
  });

  it('survives a program that reads nothing of it', async () => {
    const sendmail = placeSendmail(directory);
    sendmail.next('exit 0');
    const huge = letter(
      notice({ postMortem: postMortem({ output: Array.from({ length: 500 }, () => 'x'.repeat(5000)) }) }),
    );
    expect(await send(viaSendmail(), huge, { PATH: sendmail.directory })).toMatchObject({ type: 'delivered' });
  });
});
