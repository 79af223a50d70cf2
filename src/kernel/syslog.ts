// Lines to the local syslog: a Unix datagram to /dev/log (RFC 3164 as glibc's syslog(3) writes it). Node has no such
// sockets. Never waits: what the socket does not take at once is dropped and counted.

import { AF_UNIX, connect, MSG_DONTWAIT, SOCK_DGRAM, send, socket, unixAddress } from './sockets.js';
import { close, SystemCallFailure } from './syscalls.js';

/** Facility daemon, as syslog(3) numbers it. */
const daemon = 3 << 3;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** What a receiver is bound to take (RFC 3164 4.1), with room for a long sentence; longer lines are cut. */
const longest = 2000;

export class Syslog {
  readonly #path: string;
  readonly #tag: string;
  #fd = -1;
  #dropped = 0;

  /** `path` is /dev/log everywhere but in tests. */
  constructor(path: string, tag: string) {
    this.#path = path;
    this.#tag = tag;
  }

  /** Lines that the socket did not take. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `severity` as in syslog(3): 3 error, 4 warning, 5 notice, 6 info, 7 debug. A receiver that was restarted is found again. */
  write(severity: number, line: string): void {
    const datagram = Buffer.from(`<${daemon | severity}>${stamp(new Date())} ${this.#tag}: ${line}`.slice(0, longest));
    for (let attempt = 0; attempt < 2; attempt++) {
      if (this.#fd < 0 && !this.#connect()) break;
      try {
        send(this.#fd, datagram, MSG_DONTWAIT);
        return;
      } catch {
        // ECONNREFUSED or ENOTCONN: the receiver went away, once is worth another try.
        this.close();
      }
    }
    this.#dropped += 1;
  }

  close(): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }

  #connect(): boolean {
    try {
      this.#fd = connected(this.#path);
      return true;
    } catch {
      return false;
    }
  }
}

/** @throws SystemCallFailure */
function connected(path: string): number {
  const fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  try {
    connect(fd, unixAddress(path));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * One datagram to the socket at this path. Null: it was taken; else why not: `ENOENT` nothing is there, `ECONNREFUSED` nobody
 * listens, `EAGAIN` the receiver's queue is full, `EPROTOTYPE` the socket is one for streams.
 */
export function sendDatagram(path: string, bytes: Buffer): string | null {
  let fd = -1;
  try {
    fd = connected(path);
    send(fd, bytes, MSG_DONTWAIT);
    return null;
  } catch (error) {
    if (error instanceof SystemCallFailure) return error.errno;
    throw error;
  } finally {
    if (fd >= 0) close(fd);
  }
}

/** `Nov  1 02:03:04`, local time: what RFC 3164 and every receiver expect. */
function stamp(time: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${months[time.getMonth()]} ${String(time.getDate()).padStart(2)} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}
