// The sockets that services say on how they are (sd_notify(3)): one for each, at a path below the runtime directory, bound
// before its first start and kept over its restarts. Owns their descriptors and paths. It must not know what is said, nor
// whose words count.

import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../core/error-text.js';
import type { ServiceName } from '../core/spec.js';
import { type Datagram, receive } from './datagram.js';
import type { Features } from './features.js';
import type { HeldDescriptors } from './held-descriptors.js';
import type { Pump } from './pump.js';
import {
  AF_UNIX,
  bind,
  LONGEST_SOCKET_PATH,
  MSG_DONTWAIT,
  MSG_PEEK,
  recv,
  SHUT_RD,
  SO_PASSCRED,
  SO_PASSPIDFD,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_DGRAM,
  SOL_SOCKET,
  setsockopt,
  shutdown,
  socket,
  sockName,
  unixAddress,
} from './sockets.js';
import { close, EPOLLIN, SystemCallFailure } from './syscalls.js';

export interface NotifySocketParts {
  readonly directory: string;
  readonly pump: Pump;
  /** Where they outlive the keeper: what is said while there is none waits for the next. */
  readonly held: Pick<HeldDescriptors, 'add' | 'remove' | 'of'>;
  readonly features: Features;
  /** What came; its descriptors are the hearer's. */
  readonly hear: (service: ServiceName, datagram: Datagram) => void;
  /** Something came that is not whole, or could not be taken. */
  readonly complain: (service: ServiceName, reason: string) => void;
  /** Is there room for more descriptors that wait to be claimed? */
  readonly hasRoom: () => boolean;
}

/** Messages of one service in one turn: the others have theirs in between, however much it says. */
const AT_ONCE = 64;
/** What one descriptor costs, in messages: to close 253 of them takes as long as to hear sixty messages. */
const DESCRIPTOR = 1 / 4;
/** net.unix.max_dgram_qlen as systemd sets it; the kernel's own is 10. More than that cannot wait. */
const LONGEST_QUEUE = 512;
/** As systemd has it: room for what is said while the keeper does something else. */
const RECEIVE_BUFFER = 8 * 1024 * 1024;

export class NotifySockets {
  readonly #parts: NotifySocketParts;
  readonly #open = new Map<ServiceName, number>();

  /** Taken over from an earlier keeper, until its service is asked for. */
  readonly #found = new Map<string, number>();

  constructor(parts: NotifySocketParts) {
    this.#parts = parts;
    for (const { owner, fd } of parts.held.of('notify')) this.#found.set(owner, fd);
  }

  /** What NOTIFY_SOCKET of this service is. */
  pathOf(service: ServiceName): string {
    const { directory } = this.#parts;
    const path = join(directory, service);
    if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return path;
    // No service can be called like that.
    return join(directory, `~${createHash('sha256').update(service).digest('hex').slice(0, 16)}`);
  }

  /** Makes the socket of this service if there is none yet. @throws what the system says, as a sentence */
  open(service: ServiceName): void {
    if (this.#open.has(service)) return;
    const { pump, held } = this.#parts;
    const path = this.pathOf(service);
    const fd = this.#takeBack(service, path) ?? this.#make(path);
    try {
      pump.add(fd, EPOLLIN, () => this.#take(service, fd, AT_ONCE, DESCRIPTOR));
    } catch (error) {
      this.#drop(fd);
      throw error;
    }
    this.#open.set(service, fd);
    held.add({ fd, owner: service, kind: 'notify', name: path, note: '' });
  }

  /** Hears what has been said until now: before it is told that the sender has ended, which is another descriptor's news. */
  catchUp(service: ServiceName): void {
    const fd = this.#open.get(service);
    // Whatever a stranger sends besides.
    if (fd !== undefined) this.#take(service, fd, LONGEST_QUEUE, 0);
  }

  /** There is no such service any more. */
  release(service: ServiceName): void {
    const fd = this.#open.get(service) ?? this.#found.get(service);
    if (fd === undefined) return;
    this.#open.delete(service);
    this.#found.delete(service);
    this.#parts.pump.remove(fd);
    this.#drop(fd);
    rmSync(this.pathOf(service), { force: true });
  }

  /** Nobody hears any longer, and nobody is to wait for that: whoever speaks finds nobody there. The paths are left to the next keeper. */
  close(): void {
    for (const fd of [...this.#open.values(), ...this.#found.values()]) {
      this.#parts.pump.remove(fd);
      this.#parts.held.remove(fd);
      try {
        shutdown(fd, SHUT_RD);
      } catch (error) {
        if (!(error instanceof SystemCallFailure)) throw error;
      }
      close(fd);
    }
    this.#open.clear();
    this.#found.clear();
  }

  #drop(fd: number): void {
    this.#parts.held.remove(fd);
    close(fd);
  }

  /** The one of an earlier keeper, with all that was said to it since; null: there is none, or nobody can reach it. */
  #takeBack(service: ServiceName, path: string): number | null {
    const fd = this.#found.get(service);
    if (fd === undefined) return null;
    this.#found.delete(service);
    if (hearsAt(fd, path)) return fd;
    this.#drop(fd);
    return null;
  }

  #make(path: string): number {
    const { directory, features } = this.#parts;
    if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH)
      throw new Error(
        `${path} is longer than the ${LONGEST_SOCKET_PATH} bytes that the path of a socket may have; set UPKEEP_RUNTIME_DIR to a shorter one`,
      );
    mkdirSync(directory, { recursive: true });
    // Whatever the umask is: a service of another user goes through it.
    chmodSync(directory, 0o755);
    rmSync(path, { force: true });
    const fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    try {
      setsockopt(fd, SOL_SOCKET, SO_PASSCRED, number(1));
      if (features.passPidfd === 'yes') setsockopt(fd, SOL_SOCKET, SO_PASSPIDFD, number(1));
      widen(fd);
      bind(fd, unixAddress(path));
      // Every local user may speak; who it was is the kernel's word, and not in his hand.
      chmodSync(path, 0o666);
      return fd;
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  #take(service: ServiceName, fd: number, most: number, descriptor: number): void {
    const { hear, complain, hasRoom } = this.#parts;
    for (let left = most; left > 0 && hasRoom() && this.#open.get(service) === fd; left--) {
      try {
        const received = receive(fd);
        if (received.type === 'nothing') return;
        if (received.type === 'broken') complain(service, received.reason);
        else {
          left -= received.datagram.descriptors.length * descriptor;
          hear(service, received.datagram);
        }
      } catch (error) {
        // It goes on with the next: a message that nobody understands must not make the keeper deaf (CVE-2016-7796).
        complain(service, errorText(error));
      }
    }
  }
}

/** It is bound to what is at the path now, and was not shut down by a keeper that was killed while it ended. */
function hearsAt(fd: number, path: string): boolean {
  if (sockName(fd) !== path || lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  try {
    return recv(fd, Buffer.alloc(1), MSG_PEEK | MSG_DONTWAIT) > 0;
  } catch {
    return true; // EAGAIN: nobody has said anything
  }
}

function number(n: number): Buffer {
  const value = Buffer.alloc(4);
  value.writeInt32LE(n, 0);
  return value;
}

/** Over net.core.rmem_max, for whoever may; else as far as that goes. */
function widen(fd: number): void {
  try {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, number(RECEIVE_BUFFER));
  } catch (error) {
    if (!(error instanceof SystemCallFailure)) throw error;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, number(RECEIVE_BUFFER));
  }
}
