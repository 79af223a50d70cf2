// `node --import @upkeep/service/auto server.js`: a program that knows nothing of its manager is restarted without a lost
// request. Decides whether this process is the one that is meant; without a manager it changes nothing.

import { isMainThread } from 'node:worker_threads';
import { begin } from './auto/begin.js';
import { closeGracefully } from './auto/close.js';
import { patienceBy } from './auto/patience.js';
import { endWhenLetGo, hearWhy, orderToWorker } from './auto/workers.js';

/** Who starts a service says one of these to it. They are taken out of the environment, so children see none of them. */
const WORDS = ['NOTIFY_SOCKET', 'LISTEN_FDS', 'UPKEEP_HANDOVER'];

const order = orderToWorker(process.env);
// `service` takes the words out of the environment as it is made.
const patience = patienceBy(process.env);

// --import is inherited by worker threads, by the workers of a cluster and by what child_process.fork() starts.
if (isMainThread && order !== null) {
  closeGracefully(order.superseded);
  hearWhy(order);
  endWhenLetGo();
} else if (isMainThread && WORDS.some((word) => process.env[word] !== undefined)) {
  const { service } = await import('./service.js');
  if (service.mode.manager !== 'alone' || service.sockets.length > 0) await begin(service, patience, process.env);
}
