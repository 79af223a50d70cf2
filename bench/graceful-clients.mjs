// A web that is restarted again and again while clients ask it (graceful-load.mjs): what they had of it.
import { fork } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quantile } from './latency.mjs';
import { now } from './stamps.mjs';

const LOAD = join(dirname(fileURLToPath(import.meta.url)), 'graceful-load.mjs');

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/** @returns what the clients had of it, how long each restart took, in milliseconds, and what went wrong with one */
export async function restartedUnderLoad(web, port, rounds, what) {
  const ended = startLoad(port, what);
  const took = [];
  const failed = [];
  await sleep(what.between * 2);
  for (let round = 0; round < rounds; round++) {
    const begun = now();
    const problem = await web.restart();
    const lasted = (now() - begun) / 1e6;
    if (problem === null) took.push(lasted);
    else failed.push(problem);
    // At the same pace for all: who is done sooner disturbs no more often.
    await sleep(Math.max(what.between, what.every - lasted));
  }
  const clients = await ended();
  return { problem: null, rounds, failed, restart: quantile(took, 0.5), ...clients };
}

/** Clients in a process of their own. @returns how they fared, told at their end */
function startLoad(port, { kept, fresh, pause }) {
  const child = fork(LOAD);
  child.send({ port, kept, fresh, pause });
  return async () => {
    child.send('end');
    const told = await new Promise((resolve) => child.once('message', resolve));
    child.disconnect();
    return told;
  };
}
