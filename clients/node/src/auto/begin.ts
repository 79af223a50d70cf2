// What `auto` does in the main process of a service: it listens on what is held, says that it is ready, and drains. Owns the
// order of these; each of them is a file beside it.

import { type EventEmitter, errorMonitor } from 'node:events';
import type { Server } from 'node:net';
import { type DrainOptions, graceful } from '../http/drain.js';
import type { Service } from '../service-type.js';
import { textOf } from './address.js';
import { closeGracefully } from './close.js';
import { firstMoments } from './first-moments.js';
import { type HeldListener, heldListeners } from './held.js';
import { takeHeld } from './listen.js';
import { ownHandlers } from './own-handlers.js';
import { drainWorkers, MANAGED, rememberHandle } from './workers.js';

/** All that is asked of `service` here. */
export type Managed = Pick<Service, 'mode' | 'sockets' | 'mayAccept' | 'ready' | 'onDrain'>;

export async function begin(service: Managed, env: NodeJS.ProcessEnv): Promise<void> {
  const held = heldListeners(service.sockets);
  const options = drainOptions(service, env);
  const servers = new Set<Server>();
  const handles: Parameters<typeof rememberHandle>[0] = new Set();
  const moments = firstMoments(held.length, () => void service.ready());
  const warning = warnOfUntaken(held);
  const isAccepted = await isSettled(service.mayAccept);

  env[MANAGED] = JSON.stringify(options);
  closeGracefully(options);
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

  service.onDrain(async () => {
    await drainWorkers(handles);
    await Promise.all([...servers].map((server) => graceful(server).drain(options)));
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

/** With somebody else serving already there is time: as long as Node itself keeps a silent connection. */
const UNHURRIED = 5_000;

/** A little less than a keeper waits after its SIGTERM, where nothing else was said to it. */
const WITHIN = 8_000;

/** UPKEEP_DRAIN_WITHIN: milliseconds after which open connections are ended. */
function drainOptions({ mode }: Managed, env: NodeJS.ProcessEnv): DrainOptions {
  const given = env.UPKEEP_DRAIN_WITHIN ?? '';
  if (mode.guarantees.overlap) return { pause: UNHURRIED, ...(/^\d+$/.test(given) ? { within: Number(given) } : {}) };
  return { within: /^\d+$/.test(given) ? Number(given) : WITHIN };
}

/** A promise that is resolved says so before the next turn of the loop. */
const isSettled = (promise: Promise<void>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
