// A web that is restarted again and again while clients ask it (graceful-load.mjs): what they had of it.
import { fork } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quantile } from './latency.mjs';
import { now } from './stamps.mjs';

const LOAD = join(dirname(fileURLToPath(import.meta.url)), 'graceful-load.mjs');

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/** So many restarts. @returns how long each took and each request, in milliseconds; what was lost; and what went wrong with a restart */
export async function restartedUnderLoad(web, port, rounds, what) {
  const ended = startLoad(port, what);
  const restarts = [];
  const failed = [];
  await sleep(what.between * 2);
  for (let round = 0; round < rounds; round++) {
    const begun = now();
    const problem = await web.restart();
    const lasted = (now() - begun) / 1e6;
    if (problem === null) restarts.push(lasted);
    else failed.push(problem);
    // At the same pace for all: who is done sooner disturbs no more often.
    await sleep(Math.max(what.between, what.every - lasted));
  }
  return { restarts, failed, ...(await ended()) };
}

/** Of several such turns. */
export function summary(turns) {
  const all = (of) => turns.flatMap(of);
  const sum = (of) => turns.reduce((total, turn) => total + of(turn), 0);
  const took = all((turn) => turn.took);
  const causes = {};
  for (const [cause, count] of all((turn) => Object.entries(turn.causes))) causes[cause] = (causes[cause] ?? 0) + count;
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => quantile(took, share));
  const failed = all((turn) => turn.failed);
  const restarts = all((turn) => turn.restarts);
  return {
    rounds: restarts.length + failed.length,
    failed,
    restart: quantile(restarts, 0.5),
    answered: took.length,
    lost: sum(({ lost }) => lost),
    refused: sum(({ refused }) => refused),
    causes,
    p50,
    p99,
    max,
  };
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
