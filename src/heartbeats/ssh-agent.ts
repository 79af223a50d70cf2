// Asks an SSH agent for its keys, and for a signature where that is wanted (draft-miller-ssh-agent). Knows no key's inside.

import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import type { SshAgentQuestion } from '../core/question.js';
import { type Cut, type Frames, framesOf, quoted } from './frames.js';
import { Verdict } from './judge.js';
import { type Ask, type Finding, failed, good, unasked } from './kind.js';
import { checkSignature, keyType, sshString, sshStrings } from './ssh-key.js';
import { talkAt } from './talk.js';

export const askSshAgent: Ask<SshAgentQuestion> = (question, asking) =>
  talkAt({ type: 'unix', path: question.path }, asking, async (socket, { begin }) => {
    const agent = { socket, frames: framesOf(socket) };
    begin('keys');
    const keys = await keysOf(agent).catch(async (error: unknown) => {
      if (socket.bytesRead === 0) await refuseForeigners(question.path);
      throw error;
    });
    const count = keys.length === 1 ? '1 key' : `${keys.length} keys`;
    const [key] = keys;
    if (key === undefined && (question.keys > 0 || question.sign === 'yes'))
      return failed('no keys: none was added, or the agent is locked');
    if (keys.length < question.keys) return failed(`${count}, ${question.keys} wanted`);
    if (question.sign === 'no' || key === undefined) return good(count);
    begin('signature', count);
    return signed(agent, key);
  });

interface Agent {
  readonly socket: Socket;
  readonly frames: Frames;
}

/** Numbers of draft-miller-ssh-agent section 6.1. */
const FAILURE = 5;
const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
/** Of RSA: by SHA-256, not by SHA-1. */
const RSA_SHA2_256 = 2;

async function keysOf(agent: Agent): Promise<readonly Buffer[]> {
  const { type, body } = await ask(agent, Buffer.from([REQUEST_IDENTITIES]));
  if (type !== IDENTITIES_ANSWER || body.length < 4) throw new Verdict(failed(`refuses to list its keys (${type})`));
  // Key, comment, key, comment …
  return sshStrings(body.subarray(4), 2 * body.readUInt32BE()).filter((_, index) => index % 2 === 0);
}

async function signed(agent: Agent, key: Buffer): Promise<Finding> {
  const text = randomBytes(32);
  const flags = Buffer.from([0, 0, 0, RSA_SHA2_256]);
  const request = Buffer.concat([Buffer.from([SIGN_REQUEST]), sshString(key), sshString(text), flags]);
  const { type, body } = await ask(agent, request);
  const name = keyType(key);
  if (type === FAILURE) return failed(`refused to sign with its first key (${name})`);
  const [signature] = sshStrings(body, 1);
  if (type !== SIGN_RESPONSE || signature === undefined) return failed(`no signature, but an answer of type ${type}`);
  switch (checkSignature(key, text, signature)) {
    case 'valid':
      return good(`signed with ${name}`);
    case 'invalid':
      return failed(`signed wrongly with ${name}`);
    case 'unknown':
      return good(`signed with ${name}, which is not verified`);
  }
}

interface Message {
  readonly type: number;
  readonly body: Buffer;
}

function ask({ socket, frames }: Agent, request: Buffer): Promise<Message> {
  socket.write(sshString(request));
  return frames.next(message);
}

/** No agent says more to these two requests: it takes 256 KiB, of which a key is less than 1. */
const LONGEST = 64 * 1024;

const message: Cut<Message> = (received) => {
  if (received.length < 5) return undefined;
  const length = 4 + received.readUInt32BE();
  if (length < 5 || length > LONGEST) throw new Verdict(failed(`no SSH agent: it says ${quoted(received)}`));
  return received.length < length
    ? undefined
    : { value: { type: received.readUInt8(4), body: received.subarray(5, length) }, length };
};

/**
 * OpenSSH's agent takes the connection of a foreign user and closes it without a byte. One that is broken looks the same, so
 * the owner of the socket decides whether that says anything. @throws Verdict
 */
async function refuseForeigners(path: string): Promise<void> {
  const [owner, we] = [(await stat(path)).uid, process.getuid?.()];
  if (owner === we || we === 0) return;
  const advice = `set \`user\` to the owner of ${path} (uid ${owner})`;
  throw new Verdict(unasked(`OpenSSH's agent answers its own user only: ${advice}`));
}
