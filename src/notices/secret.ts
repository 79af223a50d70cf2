// Words that are not to be seen: read at the moment of use, from a file of the keeper's user or from its environment, and
// taken out of everything that is told. It must not know what they open.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
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
  if (secret.type === 'env') {
    const word = keeping.env[secret.name] ?? '';
    return word === ''
      ? unreadable(`the keeper has no variable ${secret.name}`)
      : wordOf(word, `the variable ${secret.name}`);
  }
  try {
    return readFile(secret.path, keeping.uid);
  } catch (error) {
    return unreadable(`${secret.path} cannot be read (${errorCode(error)})`);
  }
}

function readFile(path: string, uid: number): Read {
  // Looked at through its descriptor: what is judged is what is read. O_NONBLOCK: a FIFO without a writer would wait for ever.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    const { uid: owner, mode } = stat;
    if (!stat.isFile()) return unreadable(`${path} is no file`);
    if (owner !== uid && owner !== 0)
      return unreadable(`${path} belongs to user ${owner}; give it to the keeper's (chown ${uid})`);
    if ((mode & TOO_OPEN) !== 0) {
      const bits = (mode & 0o777).toString(8).padStart(4, '0');
      return unreadable(`${path} can be read or written by others (mode ${bits}); close it (chmod 600)`);
    }
    const bytes = Buffer.alloc(LONGEST + 1);
    const length = readSync(fd, bytes, 0, bytes.length, 0);
    return wordOf(bytes.toString('utf8', 0, length).split('\n', 1)[0]?.replace(/\r$/, '') ?? '', path);
  } finally {
    closeSync(fd);
  }
}

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
