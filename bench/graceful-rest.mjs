// What it costs to hold a socket for a service and to hear its READY=1, where nothing happens and where one is killed. Each figure stands
// beside the same one of services that have neither, from the same run.
import { readdirSync } from 'node:fs';
import { Contender } from './contender.mjs';
import { allReady } from './coupling.mjs';
import { measureLatency } from './latency.mjs';
import { memoryKiB, spent } from './processes.mjs';

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const PATIENCE_MS = 240_000;
const STRUCK = ['plain', 'notify', 'socket', 'path', 'held'];
const RESTING = ['plain', 'held'];

/** kill -9 to the first instruction, of all kinds in turns. */
export async function measureHeldRestarts(peer, { struck, rounds }, ground) {
  const contenders = STRUCK.map((kind) => new Contender({ peer, kind, count: struck, name: `struck-${kind}` }, ground));
  try {
    for (const contender of contenders) {
      const problem = await contender.up(PATIENCE_MS);
      if (problem !== null) return { problem };
    }
    const measured = await measureLatency(contenders, ground.stamps, rounds);
    return {
      problem: null,
      kinds: contenders.map((contender) => ({ kind: contender.kind, ...measured.get(contender) })),
    };
  } finally {
    for (const contender of contenders) await contender.down();
  }
}

/** So many of one kind, then as many of the other, each with the machine to itself. */
export async function measureHeldAtRest(peer, { size, settle, window }, ground, say) {
  const kinds = [];
  for (const kind of RESTING) {
    const contender = new Contender({ peer, kind, count: size, name: `rest-${kind}` }, ground);
    try {
      const problem = await contender.up(PATIENCE_MS);
      if (problem !== null) return { problem: `${kind}: ${problem}`, kinds };
      const start = await allReady(contender);
      await sleep(settle);
      kinds.push({ kind, start, ...(await atRest(contender.keeper, window)) });
      say(`${size}, ${kind}: ${JSON.stringify(kinds.at(-1))}`);
    } finally {
      await contender.down();
    }
  }
  return { problem: null, kinds };
}

/** Over a window in which nothing happens, a second each; then what it has, after a collection. */
async function atRest(keeper, window) {
  const pids = keeper.processes();
  const [before, begun] = [spent(pids), performance.now()];
  await sleep(window);
  const [after, seconds] = [spent(pids), (performance.now() - begun) / 1000];
  keeper.collect();
  await sleep(1_000);
  return {
    processor: (after.processor - before.processor) / seconds,
    wakeups: (after.wakeups - before.wakeups) / seconds,
    memory: memoryKiB(pids),
    descriptors: pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0),
    processes: pids.length,
  };
}
