// kill -9 to the first instruction of what is started for it. The contenders take turns in an order shuffled anew
// each round, so that whatever else the machine does meets all of them alike.
import { isWatched } from './place.mjs';
import { now } from './stamps.mjs';

/** A process must have lived this long before it is killed: runit, s6 and daemontools wait a second between starts. */
const LEAST_AGE_NS = 1.4e9;
const ROUND_LIMIT_MS = 5_000;
/** After so many rounds in a row without a restart a contender is given up. */
const LOST_IN_A_ROW = 3;

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

export function shuffled(list) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

/** One kill. @returns {Promise<number | string>} nanoseconds, or what went wrong */
async function strike(contender, service, stamps, phase) {
  const seen = isWatched(service) ? stamps.daemons : stamps.started;
  const alive = seen.get(service.name);
  const wait = (LEAST_AGE_NS - (now() - alive.at)) / 1e6;
  if (wait > 0) await sleep(wait);
  await sleep(phase);
  const pid = contender.pidOf(service);
  if (pid === null) return 'its process was not found';
  const before = stamps.counts.get(service.name);
  const killed = now();
  process.kill(pid, 'SIGKILL');
  const isBack = await stamps.until(() => stamps.counts.get(service.name) > before, ROUND_LIMIT_MS);
  if (!isBack) return `not back within ${ROUND_LIMIT_MS / 1000} s`;
  const took = stamps.started.get(service.name).at - killed;
  // The daemon that the start leaves behind is the next one to kill.
  if (isWatched(service)) await stamps.until(() => seen.get(service.name).pid !== alive.pid, ROUND_LIMIT_MS);
  return took;
}

/**
 * `rounds` kills for each contender. @returns {Promise<Map<object, {samples: number[], lost: string[]}>>}
 * @param {{phase?: (contender: object) => number, patience?: number}} [how]
 *   phase: milliseconds to wait before a kill, against those that look at fixed times;
 *   patience: milliseconds until the next one has its turn although this service is not back yet
 */
export async function measureLatency(contenders, stamps, rounds, { phase = () => 0, patience = Infinity } = {}) {
  const results = new Map(contenders.map((contender) => [contender, { samples: [], lost: [], inARow: 0 }]));
  const pending = new Map();
  for (let round = 0; round < rounds; round++) {
    for (const contender of shuffled(contenders)) {
      const result = results.get(contender);
      if (result.inARow >= LOST_IN_A_ROW) continue;
      const service = contender.services[round % contender.services.length];
      await pending.get(service);
      await sleep(15 + Math.random() * 10);
      const struck = strike(contender, service, stamps, phase(contender))
        .catch((error) => error.message)
        .then((took) => {
          result.inARow = typeof took === 'number' ? 0 : result.inARow + 1;
          if (typeof took === 'number') result.samples.push(took);
          else result.lost.push(took);
        });
      pending.set(service, struck);
      if (patience === Infinity) await struck;
      else await Promise.race([struck, sleep(patience)]);
    }
  }
  await Promise.all(pending.values());
  return results;
}

/** The value below which `share` of the samples lie (nearest rank). */
export function quantile(samples, share) {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}
