// Words that are not to be seen: read at the moment of use, from a file of the keeper's user or from its environment, and
// taken out of everything that is told. It must not know what they open.

import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { errorCode } from '../core/error-text.js';
import type { Secret } from '../core/notice-spec.js';

export interface Keeping {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
}

export type Read =
  | { readonly type: 'read'; readonly word: string }
  | { readonly type: 'unreadable'; readonly reason: string };

const LONGEST = 4096;
/** Write by the group, anything by others. Reading by a group is how an MTA and a keeper may share one. */
const TOO_OPEN = 0o027;

const unreadable = (reason: string): Read => ({ type: 'unreadable', reason });

export function readSecret(secret: Secret, keeping: Keeping): Read {
  if (secret.type === 'env') return readVariable(secret.name, keeping);
  try {
    return readFile(secret.path, keeping.uid);
  } catch (error) {
    return unreadable(`${secret.path} cannot be read (${errorCode(error)})`);
  }
}

/** The same, on a thread of libuv: for who must not wait for a disk. Settles when the disk answers. Never rejects. */
export async function readSecretAside(secret: Secret, keeping: Keeping): Promise<Read> {
  if (secret.type === 'env') return readVariable(secret.name, keeping);
  try {
    return await readFileAside(secret.path, keeping.uid);
  } catch (error) {
    return unreadable(`${secret.path} cannot be read (${errorCode(error)})`);
  }
}

function readVariable(name: string, { env }: Keeping): Read {
  const word = env[name] ?? '';
  return word === '' ? unreadable(`the keeper has no variable ${name}`) : wordOf(word, `the variable ${name}`);
}

/** O_NONBLOCK: a FIFO without a writer would wait for ever. */
const HOW = constants.O_RDONLY | constants.O_NONBLOCK;

function readFile(path: string, uid: number): Read {
  // Looked at through its descriptor: what is judged is what is read.
  const fd = openSync(path, HOW);
  try {
    const problem = problemOf(path, fstatSync(fd), uid);
    if (problem !== null) return unreadable(problem);
    const bytes = Buffer.alloc(LONGEST + 1);
    return firstLine(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0)), path);
  } finally {
    closeSync(fd);
  }
}

async function readFileAside(path: string, uid: number): Promise<Read> {
  const file = await open(path, HOW);
  try {
    const problem = problemOf(path, await file.stat(), uid);
    if (problem !== null) return unreadable(problem);
    const bytes = Buffer.alloc(LONGEST + 1);
    return firstLine(bytes.subarray(0, (await file.read(bytes, 0, bytes.length, 0)).bytesRead), path);
  } finally {
    await file.close();
  }
}

function problemOf(path: string, stat: Stats, uid: number): string | null {
  const { uid: owner, mode } = stat;
  if (!stat.isFile()) return `${path} is no file`;
  if (owner !== uid && owner !== 0) return `${path} belongs to user ${owner}; give it to the keeper's (chown ${uid})`;
  if ((mode & TOO_OPEN) === 0) return null;
  const bits = (mode & 0o777).toString(8).padStart(4, '0');
  return `${path} can be read or written by others (mode ${bits}); close it (chmod 600)`;
}

const firstLine = (bytes: Buffer, path: string): Read =>
  wordOf(bytes.toString('utf8').split('\n', 1)[0]?.replace(/\r$/, '') ?? '', path);

function wordOf(word: string, place: string): Read {
  if (word === '') return unreadable(`the first line of ${place} is empty`);
  if (word.length > LONGEST) return unreadable(`the first line of ${place} is longer than ${LONGEST} characters`);
  if (/[\p{Cc}]/u.test(word)) return unreadable(`${place} holds control characters`);
  return { type: 'read', word };
}

/** Takes these words out of a text, also in the forms in which they go over the wire and come back in an answer. */
export function hiding(words: readonly string[]): (text: string) => string {
  const forms = words
    .filter((word) => word !== '')
    .flatMap((word) => [word, encodeURIComponent(word), Buffer.from(word).toString('base64')]);
  // The longest first: a part of a word must not leave the rest of it standing.
  const sorted = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return (text) => sorted.reduce((hidden, word) => hidden.replaceAll(word, '***'), text);
}
