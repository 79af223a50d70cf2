// The sender's side of sd_notify(3): tells whoever started the keeper that it is ready, what it does, and that it lives.
// Owns the datagrams; what is told and when is for others. Without NOTIFY_SOCKET there is none of this.

import {
  AF_UNIX,
  LONGEST_SOCKET_PATH,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SOCK_DGRAM,
  socket,
  unixAddress,
} from './sockets.js';
import { close, lastErrno, libc, SystemCallFailure } from './syscalls.js';

const csendto = libc.func(
  'long sendto(int fd, void *buffer, ulong length, int flags, void *address, uint addressLength)',
);

/** The socket address that NOTIFY_SOCKET names: a path, or `@name` for an abstract one; null for what is neither. */
export function notifyAddress(text: string): Buffer | null {
  const isAbstract = text.startsWith('@');
  if (!isAbstract && !text.startsWith('/')) return null;
  // A zero stands at the end of a path; of an abstract name at its beginning, in the place of the @.
  const longest = isAbstract ? LONGEST_SOCKET_PATH + 1 : LONGEST_SOCKET_PATH;
  const isOne = text !== '@' && Buffer.byteLength(text) <= longest;
  return isOne ? unixAddress(text) : null;
}

/** How often, in ms, WATCHDOG=1 is to be sent: half of what sd_watchdog_enabled(3) says; null where nobody waits for it. */
export function watchdogPeriod(environment: NodeJS.ProcessEnv, pid: number): number | null {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: meant } = environment;
  if (usec === undefined || !/^\d+$/.test(usec)) return null;
  // A child of the process that is watched inherits the variables: it is not meant.
  if (meant !== undefined && meant !== '' && meant !== String(pid)) return null;
  const period = Number(usec) / 2000;
  // 2^64 − 1 is "infinity".
  return period > 0 && period < 2 ** 31 ? Math.max(1, Math.floor(period)) : null;
}

export class SdNotify {
  readonly #address: Buffer | null;
  #fd = -1;
  #status = '';
  /** What the socket did not take, for the next time. Words that are said again anyway are not kept. */
  #unsent: readonly string[] = [];

  constructor(environment: NodeJS.ProcessEnv) {
    const { NOTIFY_SOCKET: name } = environment;
    this.#address = name === undefined ? null : notifyAddress(name);
  }

  /** Is there somebody to tell? */
  get isHeard(): boolean {
    return this.#address !== null;
  }

  ready(): void {
    this.#say(['READY=1']);
  }

  stopping(): void {
    this.#say(['STOPPING=1']);
  }

  watchdog(): void {
    this.#say(['WATCHDOG=1']);
  }

  /** The program is about to be replaced; it says READY=1 again when that is done. sd_notify(3) wants the time with it. */
  reloading(): void {
    this.#say(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]);
  }

  /** One line for people; sent only when it is another one. */
  status(text: string): void {
    const line = text.replace(/\s+/g, ' ');
    if (line === this.#status || !this.isHeard) return;
    this.#status = line;
    this.#say([`STATUS=${line}`]);
  }

  close(): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }

  #say(words: readonly string[]): void {
    if (this.#address === null) return;
    const names = words.map(nameIn);
    const all = [...this.#unsent.filter((word) => !names.includes(nameIn(word))), ...words];
    this.#unsent = this.#send(all.join('\n'), this.#address) ? [] : all.filter((word) => nameIn(word) !== 'WATCHDOG');
  }

  /** Never waits. The address is looked up at each call: a manager that was restarted listens on another socket of that name. */
  #send(text: string, address: Buffer): boolean {
    try {
      if (this.#fd < 0) this.#fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    } catch (error) {
      if (error instanceof SystemCallFailure) return false; // EMFILE
      throw error;
    }
    const bytes = Buffer.from(text);
    if (Number(csendto(this.#fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length)) >= 0)
      return true;
    lastErrno(); // EAGAIN full, ECONNREFUSED or ENOENT nobody there now: the next word is another try
    return false;
  }
}

const nameIn = (word: string): string => word.slice(0, word.indexOf('='));
