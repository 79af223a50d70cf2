// One epoll descriptor for everything that the kernel layer waits for, and the two ways of waiting for it without a
// thread of our own: libuv's uv_poll on the main loop (no pool slot, 0.1 ms from kill to callback), else epoll_wait
// on libuv's pool. It must not know what the descriptors are.

import koffi, { type TypeObject } from 'koffi';
import type { Report } from '../keeper/ports.js';
import {
  close,
  EPOLL_DATA_OFFSET,
  EPOLL_EVENT_SIZE,
  EPOLLIN,
  epollAdd,
  epollCreate,
  epollPoll,
  epollRemove,
  epollWaitOffLoop,
  eventfd,
  libc,
  write,
} from './syscalls.js';

/** Waits for many descriptors. */
export interface Pump {
  /** Call back with the ready events (EPOLLIN, …) until removed. One watch per descriptor. @throws SystemCallFailure */
  add(fd: number, events: number, callback: (events: number) => void): void;
  /** To be called before the descriptor is closed. Unknown ones are ignored. */
  remove(fd: number): void;
  /** Ends the waiting: nothing is called back after it, and the process may end by itself. */
  close(): void;
}

const BATCH = 256;
const AT_ONCE = 8; // of a batch: the evidence of an end is gathered in 0.3 ms, and in a storm the first waits for all that are taken with it
const UV_POLL = 8; // enum uv_handle_type, unchanged since libuv 1.0
const UV_READABLE = 1;

interface UvPoll {
  readonly handleSize: number;
  readonly loop: unknown;
  readonly init: (loop: unknown, handle: unknown, fd: number) => number;
  readonly start: (handle: unknown, events: number, callback: unknown) => number;
  readonly stop: (handle: unknown) => number;
  readonly close: (handle: unknown, callback: null) => void;
  readonly callbackType: TypeObject;
}

let uvPoll: UvPoll | null | undefined;

/** libuv's own functions, which Node's binary (or the libuv it links) exports; null where it does not. */
export function findUvPoll(): UvPoll | null {
  if (uvPoll !== undefined) return uvPoll;
  try {
    const uv = koffi.load(null);
    const callbackType = koffi.pointer(koffi.proto('void upkeep_uv_poll_cb(void *handle, int status, int events)'));
    uvPoll = {
      handleSize: Number(uv.func('ulong uv_handle_size(int type)')(UV_POLL)),
      loop: uv.func('void *uv_default_loop()')(),
      init: uv.func('int uv_poll_init(void *loop, void *handle, int fd)'),
      start: uv.func('uv_poll_start', 'int', ['void *', 'int', callbackType]),
      stop: uv.func('int uv_poll_stop(void *handle)'),
      close: uv.func('void uv_close(void *handle, void *callback)'),
      callbackType,
    };
  } catch {
    uvPoll = null; // a symbol is missing: another runtime, or a stripped build
  }
  return uvPoll;
}

/** Runs callbacks whose events came at once, so that what they post can be taken as one. */
export type Together = (work: () => void) => void;

/** The pump; `uvPoll: 'no'` takes the pool's thread. `report` is told what a callback throws. @throws SystemCallFailure: EMFILE */
export function createPump(
  features: { readonly uvPoll: 'yes' | 'no' },
  report: Report,
  together: Together = (work) => work(),
): Pump {
  const uv = features.uvPoll === 'yes' ? findUvPoll() : null;
  const epfd = epollCreate();
  const watches = new Watches(epfd, report, together);
  const end = uv === null ? waitOnPool(epfd, watches) : waitOnLoop(uv, epfd, watches);
  return {
    add: (fd, events, callback) => watches.add(fd, events, callback),
    remove: (fd) => watches.remove(fd),
    close: () => {
      watches.clear();
      end();
    },
  };
}

/** Who waits for what. The key of an event is looked up when it arrives: an earlier callback of the same batch may have removed it, and its number may even be another descriptor by then. */
class Watches {
  readonly #epfd: number;
  readonly #report: Report;
  readonly #together: Together;
  readonly #byKey = new Map<number, (events: number) => void>();
  readonly #keyOf = new Map<number, number>();
  #lastKey = 0;

  constructor(epfd: number, report: Report, together: Together) {
    this.#epfd = epfd;
    this.#report = report;
    this.#together = together;
  }

  add(fd: number, events: number, callback: (events: number) => void): void {
    do this.#lastKey = (this.#lastKey + 1) >>> 0;
    while (this.#byKey.has(this.#lastKey));
    epollAdd(this.#epfd, fd, events, this.#lastKey);
    this.#byKey.set(this.#lastKey, callback);
    this.#keyOf.set(fd, this.#lastKey);
  }

  remove(fd: number): void {
    const key = this.#keyOf.get(fd);
    if (key === undefined) return;
    this.#keyOf.delete(fd);
    this.#byKey.delete(key);
    epollRemove(this.#epfd, fd);
  }

  clear(): void {
    this.#byKey.clear();
    this.#keyOf.clear();
  }

  dispatch(events: Buffer, count: number): void {
    for (let from = 0; from < count; from += AT_ONCE) {
      this.#together(() => this.#dispatch(events, from, Math.min(from + AT_ONCE, count)));
    }
  }

  #dispatch(events: Buffer, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const callback = this.#byKey.get(events.readUInt32LE(i * EPOLL_EVENT_SIZE + EPOLL_DATA_OFFSET));
      try {
        callback?.(events.readUInt32LE(i * EPOLL_EVENT_SIZE));
      } catch (error) {
        this.#report('a callback of the pump failed', error);
      }
    }
  }
}

const malloc = libc.func('void *malloc(ulong size)');

function waitOnLoop(uv: UvPoll, epfd: number, watches: Watches): () => void {
  // From malloc, because libuv keeps the address: a Buffer could be collected. Never freed: one per keeper.
  const handle: unknown = malloc(uv.handleSize);
  const failed = uv.init(uv.loop, handle, epfd);
  if (failed !== 0) throw new Error(`uv_poll_init: ${failed}`);
  const events = Buffer.alloc(BATCH * EPOLL_EVENT_SIZE);
  const callback = koffi.register(() => watches.dispatch(events, epollPoll(epfd, events)), uv.callbackType);
  uv.start(handle, UV_READABLE, callback);
  return () => {
    uv.stop(handle);
    uv.close(handle, null);
    // Not now: we may be inside that very callback.
    setImmediate(() => {
      koffi.unregister(callback);
      close(epfd);
    });
  };
}

function waitOnPool(epfd: number, watches: Watches): () => void {
  const events = Buffer.alloc(BATCH * EPOLL_EVENT_SIZE);
  const waker = eventfd();
  epollAdd(epfd, waker, EPOLLIN, 0); // key 0 is given to no watch
  let state: 'open' | 'closing' = 'open';
  const one = Buffer.alloc(8);
  one.writeBigUInt64LE(1n, 0);
  // process.exit() joins the pool's threads: one that sleeps in epoll_wait would hang it for ever.
  const wake = (): void => void write(waker, one);
  process.once('exit', wake);
  const wait = (): void =>
    epollWaitOffLoop(epfd, events, (count) => {
      if (state === 'closing') {
        close(epfd);
        close(waker);
        return;
      }
      watches.dispatch(events, count);
      if (state === 'open') wait();
      else {
        close(epfd);
        close(waker);
      }
    });
  wait();
  return () => {
    state = 'closing';
    process.off('exit', wake);
    wake();
  };
}
