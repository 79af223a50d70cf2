// How long Upkeep's loop is held in the steady state: with many services while nothing happens, and while some of
// them die one after the other.
import { existsSync, readFileSync } from 'node:fs';
import { Contender } from './contender.mjs';
import { measureLatency } from './latency.mjs';

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/**
 * @param {{size: number, settle: number, window: number, rounds: number, limit: number}} what
 * @returns {Promise<{size: number, idle: object, dying: object} | string>} the longest delays in nanoseconds, or why there are none
 */
export async function measureSteady(peer, what, ground) {
  const contender = new Contender({ peer, kind: 'plain', count: what.size, name: 'steady' }, ground);
  try {
    const problem = await contender.up(what.limit, { BENCH_DELAY: `${contender.place.run}/delays` });
    if (problem !== null) return problem;
    await sleep(what.settle);
    await read(contender, 0);
    await sleep(what.window);
    const idle = await read(contender, 1);
    await measureLatency([contender], ground.stamps, what.rounds);
    const dying = await read(contender, 2);
    return { size: what.size, idle, dying };
  } finally {
    await contender.down();
  }
}

/** Asks the hook for what it has seen since the last time: line `index` of its file. */
async function read(contender, index) {
  contender.keeper.tellDelays();
  const file = `${contender.place.run}/delays`;
  for (let tries = 0; tries < 100; tries++) {
    const line = existsSync(file) ? readFileSync(file, 'utf8').split('\n')[index] : '';
    if (line) {
      const [max, p999] = line.split(' ').map(Number);
      return { max, p999 };
    }
    await sleep(50);
  }
  throw new Error('the keeper does not tell the delays of its loop');
}
