// As much of a keeper as sends letters: `node courier-keeper.mjs OUTBOX SCRIPT`. Loads the outbox, and dispatches what
// waits through a real courier to the channel `page`, a shell script. Says `done` when nothing waits any more. Meant to be killed.

import { courierStarter } from '../../dist/daemon/courier-process.js';
import { Dispatch } from '../../dist/daemon/dispatch.js';
import { replaceSettled, settleDirectory } from '../../dist/journal/durable-file.js';
import { companionStarter } from '../../dist/kernel/companion.js';
import { Exits } from '../../dist/kernel/exits.js';
import { probeFeatures } from '../../dist/kernel/features.js';
import { createPump } from '../../dist/kernel/pump.js';
import { Outbox } from '../../dist/notices/outbox.js';

const [, , directory, script] = process.argv;
const outbox = new Outbox(directory, { replace: replaceSettled, settle: settleDirectory });
const features = probeFeatures([]);
const pump = createPump(features, (problem, error) => console.log(problem, error));
const exits = new Exits(pump, features);
const dispatch = new Dispatch({
  start: courierStarter(directory, companionStarter(exits, features)),
  clock: {
    now: () => performance.now(),
    wall: () => Date.now(),
    random: Math.random,
    after: (ms, callback) => {
      const timer = setTimeout(() => callback(), ms);
      return () => clearTimeout(timer);
    },
  },
  forget: (ids) => outbox.remove(ids),
  onLost: (channel, reason) => console.log(`lost ${channel}: ${reason}`),
  onBack: (channel) => console.log(`back ${channel}`),
  say: (line) => console.log(line),
});
dispatch.configure('web3', {
  page: { type: 'exec', command: { argv: ['/bin/sh', '-c', script, 'page'], timeout: 30_000, user: null } },
});
dispatch.take(outbox.load().letters);
console.log('begun');
const timer = setInterval(() => {
  if (dispatch.views().some(({ waiting }) => waiting > 0)) return;
  console.log('done');
  clearInterval(timer);
  dispatch.close();
  exits.close();
  pump.close();
}, 20);
