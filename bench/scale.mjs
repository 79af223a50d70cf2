// N services: how long until all of them run, what memory the keeper's own processes take, and what they do while
// nothing happens.
import { Contender } from './contender.mjs';
import { measureLatency } from './latency.mjs';
import { memoryKiB, spent } from './processes.mjs';
import { now } from './stamps.mjs';

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/**
 * One size. Up to 100 services the keepers are started one after the other and then idle side by side; above that
 * each has the machine to itself.
 * @param {{peers: object[], size: number, settle: number, window: number, limit: number, crowdRounds: number}} what
 *   milliseconds: before idleness is read, its length, the longest start
 */
export async function measureScale(what, ground, say) {
  const groups = what.size <= 100 ? [what.peers] : what.peers.map((peer) => [peer]);
  const rows = [];
  for (const group of groups) rows.push(...(await measureGroup(group, what, ground, say)));
  return rows;
}

const BRIEFLY_MS = 5_000;
/** From this many services on, some are also killed: does a crowd make a restart slower? */
const CROWD = 1000;

async function measureGroup(peers, what, ground, say) {
  const contenders = [];
  const rows = [];
  for (const peer of peers) {
    const kind = peer.kinds[0];
    const contender = new Contender({ peer, kind, count: what.size, name: `n${what.size}-${peer.name}` }, ground);
    contenders.push(contender);
    const problem = await contender.up(what.limit);
    say(`${peer.name}, ${what.size}: ${problem ?? `${(contender.startTook / 1e6).toFixed(0)} ms`}`);
    rows.push({ peer, size: what.size, problem, start: contender.startTook });
  }
  // JavaScript's engine tidies up for some 17 s after it has worked; nobody else does anything so late.
  await sleep(peers.some((peer) => peer.runsInNode) ? what.settle : Math.min(what.settle, BRIEFLY_MS));
  const before = contenders.map((contender) => spent(own(contender)));
  const begun = now();
  await sleep(what.window);
  for (const [index, contender] of contenders.entries()) {
    const pids = own(contender);
    const after = spent(pids);
    const seconds = (now() - begun) / 1e9;
    const row = rows[index];
    row.processes = pids.length;
    row.processor = (after.processor - before[index].processor) / seconds;
    row.wakeups = (after.wakeups - before[index].wakeups) / seconds;
    row.memory = memoryKiB(pids);
  }
  for (const [index, contender] of contenders.entries()) {
    if (contender.keeper.collect === undefined) continue;
    contender.keeper.collect();
    await sleep(1_000);
    rows[index].collected = memoryKiB(own(contender));
  }
  if (what.size >= CROWD) {
    const up = contenders.filter((_, index) => rows[index].problem === null && contenders[index].kind === 'plain');
    const struck = await measureLatency(up, ground.stamps, what.crowdRounds, { patience: 100 });
    for (const contender of up) rows[contenders.indexOf(contender)].crowd = struck.get(contender);
  }
  await Promise.all(contenders.map((contender) => contender.down()));
  return rows;
}

function own(contender) {
  try {
    return contender.keeper.processes();
  } catch {
    return []; // it never came up
  }
}
