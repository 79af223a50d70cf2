// What `auto` does in the main process of a service: it listens on what is held, says that it is ready, and drains. Owns the
// order of these; each of them is a file beside it.

import { type EventEmitter, errorMonitor } from 'node:events';
import type { Server } from 'node:net';
import { graceful } from '../http/drain.js';
import type { Service } from '../service-type.js';
import { textOf } from './address.js';
import { closeGracefully, hurryAll } from './close.js';
import { firstMoments } from './first-moments.js';
import { type HeldListener, heldListeners } from './held.js';
import { takeHeld } from './listen.js';
import { ownHandlers } from './own-handlers.js';
import type { Patience } from './patience.js';
import { drainWorkers, MANAGED, rememberHandle } from './workers.js';

/** All that is asked of `service` here. */
export type Managed = Pick<Service, 'mode' | 'sockets' | 'mayAccept' | 'ready' | 'onDrain'>;

export async function begin(service: Managed, patience: Patience, env: NodeJS.ProcessEnv): Promise<void> {
  const held = heldListeners(service.sockets);
  const servers = new Set<Server>();
  const handles: Parameters<typeof rememberHandle>[0] = new Set();
  const moments = firstMoments(held.length, () => void service.ready());
  const warning = warnOfUntaken(held);
  const isAccepted = await isSettled(service.mayAccept);

  env[MANAGED] = JSON.stringify(patience);
  // Why a program closes its server we may hear a moment later.
  closeGracefully(service.mode.guarantees.overlap ? patience.superseded : patience.stop);
  takeHeld(held, isAccepted ? null : service.mayAccept, {
    began(server) {
      servers.add(server);
      moments.began(server);
      const failed = (): void => moments.failed(server);
      // A listener of 'error' itself would hide it from a program that has none, and should end by it.
      const emitter: EventEmitter = server;
      emitter.once(errorMonitor, failed);
      server.once('listening', () => {
        emitter.off(errorMonitor, failed);
        rememberHandle(handles, server);
        moments.succeeded(server);
      });
      server.once('close', () => servers.delete(server));
    },
    took(server) {
      clearTimeout(warning);
      moments.taken();
      // Another generation serves there now, so nothing can be in the way.
      if (!isAccepted) moments.succeeded(server);
    },
  });

  service.onDrain(async (why) => {
    hurryAll(patience[why]);
    await drainWorkers(handles, why);
    await Promise.all([...servers].map((server) => graceful(server).drain(patience[why])));
    if (endsItself()) await new Promise(() => {});
  });
  const endsItself = ownHandlers('SIGTERM');
}

/** Modules that are slow to read are faster than this, in ms. */
const PATIENCE = 5_000;

/** A keeper that waits for READY says no more than that it did not come. */
function warnOfUntaken(held: readonly HeldListener[]): NodeJS.Timeout | undefined {
  if (held.length === 0) return undefined;
  const places = held.map(({ name, address }) => `${textOf(address)} (${name})`).join(', ');
  const words = `no server of this program listens on ${places} yet; it counts as ready when one does. Have it listen there, or change \`sockets\`.`;
  return setTimeout(() => process.stderr.write(`${words}\n`), PATIENCE).unref();
}

/** A promise that is resolved says so before the next turn of the loop. */
const isSettled = (promise: Promise<void>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
