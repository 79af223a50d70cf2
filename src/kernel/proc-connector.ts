// The kernel's own news of forks, execs and exits (the netlink proc connector): listened to only while somebody wants it,
// read in batches because wake-ups cost and events do not. It must not know what anybody looks for.

import { readFileSync, writeFileSync } from 'node:fs';
import type { ExitStatus } from '../core/process.js';
import type { Pump } from './pump.js';
import { exitStatus } from './signal-number.js';
import { AF_NETLINK, bind, recv, SO_RCVBUFFORCE, SOCK_DGRAM, SOL_SOCKET, send, setsockopt, socket } from './sockets.js';
import { close, EPOLLIN, SystemCallFailure } from './syscalls.js';

/** Facts about whole processes; threads are left out. `lost`: the kernel dropped some, look for yourself. */
export type ProcEvent =
  | { readonly type: 'forked'; readonly pid: number; readonly parent: number }
  | { readonly type: 'execed'; readonly pid: number }
  | { readonly type: 'exited'; readonly pid: number }
  | { readonly type: 'lost' };

export type OnProcEvents = (events: readonly ProcEvent[]) => void;

export interface Listening {
  close(): void;
}

// include/uapi/linux/{netlink,connector,cn_proc}.h
const NETLINK_CONNECTOR = 11;
const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;
const PROC_CN_MCAST_LISTEN = 1;
const FORK = 0x1;
const EXEC = 0x2;
const COMM = 0x200;
const EXIT = 0x80000000;

// 832 bytes are accounted for each event: room for 10,000, a second of a fork storm. Only reserved when needed.
const RECEIVE_BUFFER = 8 * 1024 * 1024;
// A batch costs one wake-up, whatever came in it: a third of the processor time at 1,000 forks a second.
const BATCH_MS = 5;
// Of a batch, before the loop gets its turn: about 2 ms.
const AT_ONCE = 1000;
const REMEMBERED = 4096;

/** Do events really come? In a PID or network namespace of its own the kernel accepts the wish and stays silent. */
export function probeProcConnector(): 'yes' | 'no' {
  let fd: number | null = null;
  try {
    fd = openSocket();
    return hearsItself(fd) ? 'yes' : 'no';
  } catch (error) {
    if (error instanceof SystemCallFailure) return 'no';
    throw error;
  } finally {
    if (fd !== null) close(fd);
  }
}

export class ProcConnector {
  readonly #pump: Pump;
  readonly #listeners = new Set<OnProcEvents>();
  /** Exit statuses as wait(2) gives them, by pid, oldest first. */
  readonly #statuses = new Map<number, number>();
  #fd: number | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(pump: Pump) {
    this.#pump = pump;
  }

  /**
   * Hears of everything from now on, until closed. Someone who only wants exit statuses to be remembered passes a callback
   * that does nothing. Null when it cannot listen (EMFILE, rights): then look for yourself.
   */
  listen(onEvents: OnProcEvents): Listening | null {
    // Events of before are not for this one.
    if (this.#fd !== null) this.#drain();
    else if (!this.#open()) return null;
    // A callback may be given twice; each listening is its own.
    const listener: OnProcEvents = (events) => onEvents(events);
    this.#listeners.add(listener);
    return {
      close: () => {
        this.#listeners.delete(listener);
        if (this.#listeners.size === 0) this.close();
      },
    };
  }

  /** How the last process of this pid ended; null if that was not heard, or is forgotten. What waits in the socket is read first. */
  exitStatusOf(pid: number): ExitStatus | null {
    if (this.#fd !== null) this.#drain();
    const status = this.#statuses.get(pid);
    return status === undefined ? null : exitStatus(status);
  }

  close(): void {
    this.#listeners.clear();
    this.#statuses.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#fd === null) return;
    this.#pump.remove(this.#fd);
    close(this.#fd);
    this.#fd = null;
  }

  #open(): boolean {
    let fd: number | null = null;
    try {
      fd = openSocket();
      // Since 6.6 the kernel sends only what is asked for; before, it ignores this wish and sends all.
      send(fd, wish(FORK | EXEC | EXIT));
      this.#fd = fd;
      this.#wait(fd);
      return true;
    } catch (error) {
      if (fd !== null) close(fd);
      this.#fd = null;
      if (error instanceof SystemCallFailure) return false;
      throw error;
    }
  }

  #wait(fd: number): void {
    this.#pump.add(fd, EPOLLIN, () => {
      // Not before the batch is complete: while the descriptor stays in the set each event would wake us.
      this.#pump.remove(fd);
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#drain();
        if (this.#fd === fd) this.#wait(fd);
      }, BATCH_MS);
    });
  }

  #drain(): void {
    const events: ProcEvent[] = [];
    for (let i = 0; i < AT_ONCE && this.#fd !== null; i++) {
      const length = receive(this.#fd);
      if (length === 'empty') break;
      if (length === 'lost') events.push({ type: 'lost' });
      else this.#take(length, events);
    }
    if (events.length === 0) return;
    for (const listener of [...this.#listeners]) listener(events);
  }

  #take(length: number, events: ProcEvent[]): void {
    if (length < 60) return;
    const what = message.readUInt32LE(36);
    // Data from byte 52. Threads have a pid that is not their tgid.
    const [first, second] = [message.readUInt32LE(52), message.readUInt32LE(56)];
    if (what === FORK && length >= 68) {
      const [pid, tgid] = [message.readUInt32LE(60), message.readUInt32LE(64)];
      if (pid !== tgid) return;
      this.#statuses.delete(pid);
      events.push({ type: 'forked', pid, parent: second });
    } else if (what === EXEC) events.push({ type: 'execed', pid: second });
    else if (what === EXIT && first === second && length >= 64) {
      this.#remember(first, message.readUInt32LE(60));
      events.push({ type: 'exited', pid: first });
    }
  }

  #remember(pid: number, status: number): void {
    this.#statuses.delete(pid);
    this.#statuses.set(pid, status);
    if (this.#statuses.size <= REMEMBERED) return;
    const [oldest] = this.#statuses.keys();
    if (oldest !== undefined) this.#statuses.delete(oldest);
  }
}

const message = Buffer.alloc(1024);

function receive(fd: number): number | 'empty' | 'lost' {
  try {
    return recv(fd, message);
  } catch (error) {
    if (!(error instanceof SystemCallFailure)) throw error;
    return error.errno === 'ENOBUFS' ? 'lost' : 'empty';
  }
}

/** A socket that hears everything, threads and names too. @throws SystemCallFailure */
function openSocket(): number {
  const fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_CONNECTOR);
  try {
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(CN_IDX_PROC, 8);
    bind(fd, address);
    growBuffer(fd);
    send(fd, wish(null));
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

function growBuffer(fd: number): void {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(RECEIVE_BUFFER, 0);
  try {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size);
  } catch (error) {
    // EPERM without CAP_NET_ADMIN: 256 events have to do, and `lost` tells when they did not.
    if (!(error instanceof SystemCallFailure)) throw error;
  }
}

/** A message of nlmsghdr, cn_msg and the wish; with a mask it is longer, and kernels before 6.6 ignore it. */
function wish(mask: number | null): Buffer {
  const length = mask === null ? 4 : 8;
  const bytes = Buffer.alloc(36 + length);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt16LE(3, 4); // NLMSG_DONE
  bytes.writeUInt32LE(CN_IDX_PROC, 16);
  bytes.writeUInt32LE(CN_VAL_PROC, 20);
  bytes.writeUInt16LE(length, 32);
  bytes.writeUInt32LE(PROC_CN_MCAST_LISTEN, 36);
  if (mask !== null) bytes.writeUInt32LE(mask >>> 0, 40);
  return bytes;
}

/**
 * Gives our main thread the name that it has, which is an event like any other and is in the socket when the write returns.
 * An event of another's hearing in a PID namespace above would carry another number.
 */
function hearsItself(fd: number): boolean {
  writeFileSync('/proc/self/comm', readFileSync('/proc/self/comm'));
  for (let length = receive(fd); typeof length === 'number'; length = receive(fd)) {
    if (length >= 60 && message.readUInt32LE(36) === COMM && message.readUInt32LE(52) === process.pid) return true;
  }
  return false;
}
