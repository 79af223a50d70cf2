// The secrets of questions, read at the moment of use, off the loop, one after the other: a disk that hangs takes one thread and no
// more, and whoever waits for it does so within his own time. It must not know what they open.

import type { Secret } from '../core/notice-spec.js';
import { keyOf } from '../heartbeats/wire.js';
import { type Keeping, type Read, readSecretAside } from '../notices/secret.js';

export type ReadSecret = (secret: Secret, keeping: Keeping) => Promise<Read>;

export type Secrets =
  | { readonly type: 'read'; readonly words: Readonly<Record<string, string>> }
  | { readonly type: 'unreadable'; readonly reason: string };

export class AskerSecrets {
  readonly #keeping: Keeping;
  readonly #read: ReadSecret;
  /** Being read, or to be read: whoever asks meanwhile hears the same. */
  readonly #open = new Map<string, Promise<Read>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(keeping: Keeping, read: ReadSecret = readSecretAside) {
    this.#keeping = keeping;
    this.#read = read;
  }

  /** By `keyOf`. Never rejects; does not settle while the disk hangs. */
  async readAll(secrets: readonly Secret[]): Promise<Secrets> {
    const words: Record<string, string> = {};
    for (const secret of secrets) {
      const read = await this.#once(secret);
      if (read.type === 'unreadable') return read;
      words[keyOf(secret)] = read.word;
    }
    return { type: 'read', words };
  }

  #once(secret: Secret): Promise<Read> {
    const key = keyOf(secret);
    const open = this.#open.get(key);
    if (open !== undefined) return open;
    const read = this.#last.then(() => this.#read(secret, this.#keeping)).finally(() => this.#open.delete(key));
    this.#open.set(key, read);
    this.#last = read;
    return read;
  }
}
