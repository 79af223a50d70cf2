// The end of a program, in order: whoever has something to finish holds a handle, and the shutdown waits for all of them or
// for its deadline. Knows no signal, no server and no manager.

/** What whoever works is told. It comes once, and stays. */
export interface ShutdownSignal {
  /** For all that takes one: fetch, timers, streams. */
  readonly signal: AbortSignal;
  /** Resolves when the shutdown begins; at once where it has. */
  readonly begun: Promise<void>;
}

/** Blocks the shutdown until it is released. To release it again does nothing. */
export interface ShutdownHandle extends ShutdownSignal {
  release(): void;
  [Symbol.dispose](): void;
}

/** `deadline`: the time was up while handles were still held. */
export type ShutdownEnd = { readonly type: 'finished' } | { readonly type: 'deadline'; readonly held: number };

export interface ShutdownCoordinator {
  handle(): ShutdownHandle;
  /** Carries the signal and blocks nothing: for what may be left undone. */
  weak(): ShutdownSignal;
  /** Holds a handle for as long as the work takes. */
  during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Tells all handles, and resolves when none is held. A second call waits for the same. */
  shutdown(): Promise<void>;
  /** The same, but no longer than this many milliseconds. */
  shutdownWithin(ms: number): Promise<ShutdownEnd>;
}

/** For code that takes a signal, where nothing will ever be shut down. */
export const never: ShutdownSignal = { signal: new AbortController().signal, begun: new Promise(() => {}) };

export function shutdownCoordinator(): ShutdownCoordinator {
  const controller = new AbortController();
  const weak: ShutdownSignal = {
    signal: controller.signal,
    begun: new Promise((resolve) => controller.signal.addEventListener('abort', () => resolve(), { once: true })),
  };
  const held = new Set<ShutdownHandle>();
  const waiting = new Set<() => void>();

  const handle = (): ShutdownHandle => {
    const release = (): void => {
      if (!held.delete(mine) || held.size > 0) return;
      for (const resolve of waiting) resolve();
      waiting.clear();
    };
    const mine: ShutdownHandle = { ...weak, release, [Symbol.dispose]: release };
    held.add(mine);
    return mine;
  };

  const shutdown = (): Promise<void> => {
    controller.abort();
    return new Promise((resolve) => {
      if (held.size === 0) resolve();
      // Only who asked for the end is told of it: a handle that is released before that ends nothing.
      else waiting.add(resolve);
    });
  };

  return {
    handle,
    weak: () => weak,
    async during(work) {
      const mine = handle();
      try {
        return await work(mine.signal);
      } finally {
        mine.release();
      }
    },
    shutdown,
    async shutdownWithin(ms) {
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<ShutdownEnd>((resolve) => {
        timer = setTimeout(() => resolve({ type: 'deadline', held: held.size }), ms);
      });
      const finished = shutdown().then((): ShutdownEnd => ({ type: 'finished' }));
      try {
        return await Promise.race([finished, deadline]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
