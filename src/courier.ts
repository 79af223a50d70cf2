// The courier, a program of its own that the keeper starts when letters are due: whatever hangs or breaks on the way to
// people hangs and breaks here. `node courier.js OUTBOX`; it is spoken to as post.ts says. Composes what sends.

import { closeSync, writeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import type { Channel } from './core/notice-spec.js';
import type { Endpoint } from './core/question.js';
import { connectTo } from './heartbeats/connect.js';
import { listedName } from './kernel/account.js';
import { exitAtOnce } from './kernel/disk-calls.js';
import { prepareLoneCommand } from './kernel/lone-command.js';
import { sendDatagram } from './kernel/syslog.js';
import { waitForLock } from './kernel/waited-lock.js';
import type { Send } from './notices/channel.js';
import { execSender } from './notices/exec-channel.js';
import { fileSender } from './notices/file-channel.js';
import { type FromCourier, heardBy, Lines, lineOf, type ToCourier } from './notices/post.js';
import { Postman } from './notices/postman.js';

/** More than a letter of a test and all channels of a configuration. */
const LONGEST_LINE = 16 * 1024 * 1024;
/** A holder that is stopped is ended after a minute (waited-lock.ts), which is the usual deadline too. */
const MORE_PATIENCE = 5000;
/** Keeping comes first. */
const NICE = 5;

const outbox = process.argv[2] ?? '';
if (outbox === '') throw new Error('courier.js is a part of upkeep and no program of its own');

/** Synchronous: a pipe holds 64 KiB, and a keeper that does not read that has other worries. Who has gone hears nothing, and the letter is finished all the same. */
function answer(message: FromCourier): void {
  try {
    writeSync(1, lineOf(message));
  } catch {
    // EPIPE
  }
}

const needs = () => ({
  connect: (endpoint: Endpoint, signal: AbortSignal) => connectTo(endpoint, { signal, begin: () => undefined }),
  env: process.env,
  uid: process.getuid?.() ?? 0,
  user: listedName(process.getuid?.() ?? 0) ?? 'upkeep',
});

/** Each is loaded when it is used: a mail takes more than all the others together. */
async function senderFor(channel: Channel): Promise<Send> {
  switch (channel.type) {
    case 'file':
      return fileSender(channel.path);
    case 'exec':
      return execSender(channel.command, prepareLoneCommand);
    case 'mail':
      return (await import('./notices/mail-channel.js')).mailSender(channel, needs());
    case 'syslog':
      return (await import('./notices/syslog-channel.js')).syslogSender(channel, { sendDatagram });
    case 'webhook':
      return (await import('./notices/webhook-channel.js')).webhookSender(channel, needs());
  }
}

const lines = new Lines((line) => {
  const message = heardBy(line);
  if (message !== null) perform(message);
}, LONGEST_LINE);

const ended = new Promise<void>((resolve) => {
  process.stdin.setEncoding('utf8').on('data', (text: string) => lines.add(text));
  process.stdin.once('end', resolve).once('error', () => resolve());
  // Whoever ends the host or the keeper's group: what is under way is finished, or cut off by who is in a hurry.
  process.once('SIGTERM', resolve);
});

/** A name of a channel is a name of a file too. The lock goes with the process, however that ends. */
async function own(channel: string, patience: number): Promise<(() => void) | null> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, patience + MORE_PATIENCE).unref());
  const lock = await waitForLock(join(outbox, `lock.${channel}`), Promise.race([ended, late]));
  return lock === null ? null : () => closeSync(lock);
}

const postman = new Postman({ outbox, senderFor, answer, own });

function perform(message: ToCourier): void {
  switch (message.type) {
    case 'channels':
      postman.configure(message.channels);
      return;
    case 'send':
      postman.send(message.id, message.channel, message.deadline);
      return;
    case 'test':
      postman.test(message.letter, message.deadline);
      return;
  }
}

// A Ctrl-C on the keeper's terminal is not for us.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
try {
  setPriority(NICE);
} catch {
  // It is nicer already.
}

answer({ type: 'ready' });
await ended;
await postman.finish();
// Not process.exit: that waits for threads, and one may hang in a file system.
exitAtOnce(0);
