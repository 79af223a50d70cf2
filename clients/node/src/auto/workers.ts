// The workers of node:cluster: their primary holds the sockets, and ends when they have. Knows no manager.

import cluster, { type Worker } from 'node:cluster';
import type { Server } from 'node:net';
import type { DrainReason } from '../drain-reason.js';
import { hurryAll } from './close.js';
import type { Patience } from './patience.js';

/** In the environment of a primary that is managed, for its workers: how they drain. They ask nobody for anything. */
export const MANAGED = 'UPKEEP_AUTO';

/** Null: this process is no worker of a primary that is managed. */
export function orderToWorker(env: NodeJS.ProcessEnv): Patience | null {
  const order = env[MANAGED];
  return cluster.isWorker && order !== undefined ? JSON.parse(order) : null;
}

/** Node keeps words that begin so from the program: `message` is not told of them. */
const WHY = 'NODE_UPKEEP_DRAIN';

/** Hears from the primary why it is to end. */
export function hearWhy(patience: Patience): void {
  process.on('internalMessage', (message: { readonly cmd?: unknown; readonly why?: unknown }) => {
    if (message.cmd === WHY && message.why === 'stop') hurryAll(patience.stop);
  });
}

/** A worker whose connections have ended is let go by its primary, and then may have timers or a database that keep it alive. */
export function endWhenLetGo(): void {
  process.once('disconnect', () => {
    if (process.listenerCount('SIGTERM') > 0) process.kill(process.pid, 'SIGTERM');
    else process.exit(0);
  });
}

interface Handle {
  close(): void;
}

/** The primary of a cluster takes the handle of its server out of it as soon as that listens, so it is remembered here before. */
export function rememberHandle(handles: Set<Handle>, server: Server): void {
  const { _handle: handle } = server as Server & { readonly _handle?: Handle };
  if (cluster.isPrimary && handle !== undefined) handles.add(handle);
}

/** How long connections that the primary has accepted may be on their way to a worker, in ms. */
const ON_THEIR_WAY = 100;

/** Ends all workers, each when its connections have ended. */
export async function drainWorkers(handles: ReadonlySet<Handle>, why: DrainReason): Promise<void> {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  if (workers.length === 0) return;
  // First the primary accepts no more, then the workers take what it has accepted: else nobody would be there for the last ones.
  for (const handle of handles) handle.close();
  await new Promise((resolve) => setTimeout(resolve, ON_THEIR_WAY));
  await Promise.all(workers.map((worker) => drainWorker(worker, why)));
}

const drainWorker = (worker: Worker, why: DrainReason): Promise<void> =>
  new Promise((resolve) => {
    if (worker.isDead()) resolve();
    worker.once('exit', () => resolve());
    if (worker.isConnected()) worker.process.send({ cmd: WHY, why });
    worker.disconnect();
  });
