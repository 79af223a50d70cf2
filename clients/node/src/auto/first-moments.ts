// When an unchanged program counts as ready: it has called listen(), none of these calls is under way any more, and no other
// one followed for a moment. Knows servers only as keys.

import type { Server } from 'node:net';

export interface FirstMoments {
  began(server: Server): void;
  /** It listens, or will as soon as it may. */
  succeeded(server: Server): void;
  /** It could not listen; the program may try another address. */
  failed(server: Server): void;
  /** One of the held sockets has a server now. */
  taken(): void;
}

/** How long no other call of listen() must follow, in ms. Modules that are read and configurations are faster. */
const QUIET = 250;

/**
 * `held`: how many sockets wait for a server. With all of them taken there is nothing to wait for; as long as none is, the
 * program has not done yet what it was started for.
 */
export function firstMoments(held: number, ready: () => void): FirstMoments {
  const underWay = new Set<Server>();
  let state: 'watching' | 'ready' = 'watching';
  let listens = 0;
  let taken = 0;
  let timer: NodeJS.Timeout | undefined;

  const consider = (): void => {
    clearTimeout(timer);
    if (state === 'ready' || underWay.size > 0 || listens === 0 || (held > 0 && taken === 0)) return;
    // Also with nothing left to wait for: a program may call listen() twice in one go.
    timer = setTimeout(
      () => {
        state = 'ready';
        ready();
      },
      held > 0 && taken === held ? 0 : QUIET,
    );
  };
  return {
    began(server) {
      underWay.add(server);
      consider();
    },
    succeeded(server) {
      if (underWay.delete(server)) listens++;
      consider();
    },
    failed(server) {
      underWay.delete(server);
      consider();
    },
    taken() {
      taken++;
      consider();
    },
  };
}
