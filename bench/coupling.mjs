// What a graph costs: the start of many services in layers against the same that need nobody, a death among them, and a wave
// over two that restart each other. Each figure stands beside the same one without the graph, from the same run.
import { Contender } from './contender.mjs';
import { follow, socketOf, statusAt } from './control-socket.mjs';
import { measureCore } from './core-cost.mjs';
import { measureLatency, quantile } from './latency.mjs';
import { LAYERS } from './place.mjs';
import { now } from './stamps.mjs';

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const PATIENCE_MS = 120_000;
const KINDS = ['level', 'layered'];

/**
 * @param {{peers: object[], size: number, starts: number, rounds: number, waves: number}} what so many services and starts
 *   of all of them, deaths among them, and waves
 */
export async function measureCoupling(what, ground, say) {
  if (!ground.isStatic) return 'the program that says when it is ready needs a C compiler';
  const upkeep = what.peers.find((peer) => peer.name === 'upkeep');
  const starts = [];
  for (const peer of what.peers.filter((each) => each.kinds.includes('layered')))
    starts.push(await measureStarts(peer, what, ground, say));
  if (upkeep === undefined) return { ...what, starts };
  const deaths = await measureDeaths(upkeep, what, ground);
  const waves = await measureWaves(upkeep, what.waves, ground);
  const core = await measureCore({ size: what.size, deaths: 1000, boots: 5 });
  return { ...what, starts, deaths, waves, core };
}

/** Both kinds in turns, each with the machine to itself. @returns nanoseconds, and how many started before what they need was ready */
async function measureStarts(peer, { size, starts }, ground, say) {
  const row = { peer, problem: null, early: 0, level: [], layered: [] };
  for (let round = 0; round < starts && row.problem === null; round++) {
    for (const kind of KINDS) {
      const contender = new Contender({ peer, kind, count: size, name: `${kind}${round}-${peer.name}` }, ground);
      row.problem = await contender.up(PATIENCE_MS);
      if (row.problem === null) {
        row[kind].push(peer.name === 'upkeep' ? await allReady(contender) : contender.startTook);
        row.early += await early(contender.services, ground.stamps);
      }
      say(`${peer.name}, ${kind}: ${row.problem ?? `${(row[kind].at(-1) / 1e6).toFixed(0)} ms`}`);
      await contender.down();
      if (row.problem !== null) break;
    }
  }
  return row;
}

/** How long until the keeper itself says that all are ready. Only asked when all have started: an answer costs it some of its time. */
export async function allReady(contender) {
  for (;;) {
    const status = await statusAt(socketOf(contender));
    if (status?.services.every(({ state }) => state === 'running')) return now() - contender.launchedAt;
    await sleep(1);
  }
}

/** How many ran their first instruction before what they need was ready, or without ever hearing of it. */
async function early(services, stamps) {
  const { started, ready } = stamps;
  await stamps.until(() => services.every(({ name }) => ready.has(name)), 5_000);
  const isEarly = ({ name, needs }) => needs.some((each) => !(ready.get(each)?.at <= started.get(name).at));
  return services.filter(isEarly).length;
}

/** Among both kinds, of those that nobody needs, in turns. */
async function measureDeaths(peer, { size, rounds }, ground) {
  const contenders = KINDS.map((kind) => new Contender({ peer, kind, count: size, name: `dying-${kind}` }, ground));
  try {
    for (const contender of contenders) {
      const problem = await contender.up(PATIENCE_MS);
      if (problem !== null) return problem;
    }
    const leaves = contenders.map((contender) => ({
      services: contender.services.slice(-size / LAYERS),
      pidOf: (service) => contender.pidOf(service),
    }));
    const found = await measureLatency(leaves, ground.stamps, rounds);
    return Object.fromEntries(KINDS.map((kind, index) => [kind, found.get(leaves[index])]));
  } finally {
    for (const contender of contenders) await contender.down();
  }
}

/**
 * kill -9 of a witness, for whose sake its agent is restarted before it comes back itself. @returns for each wave, in
 * nanoseconds: until the keeper has said that both are ready, and what of it the two programs took from their first
 * instruction until they listened
 */
async function measureWaves(peer, rounds, ground) {
  const contender = new Contender({ peer, kind: 'ring', count: 2, name: 'ring' }, ground);
  const { stamps } = ground;
  const problem = await contender.up(PATIENCE_MS);
  let stop = () => {};
  try {
    if (problem !== null) return problem;
    await allReady(contender);
    const told = [];
    stop = await follow(socketOf(contender), ({ service, what }) => {
      if (what.type === 'ready') told.push({ service, at: now() });
      stamps.look();
    });
    const names = contender.services.map(({ name }) => name);
    const waves = { samples: [], own: [], lost: [] };
    for (let round = 0; round < rounds; round++) {
      await sleep(300 + Math.random() * 20);
      told.length = 0;
      const before = names.map((name) => stamps.counts.get(name));
      const killed = now();
      process.kill(contender.pidOf(contender.services[1]), 'SIGKILL');
      const isBack = (name, index) =>
        told.some(({ service }) => service === name) &&
        stamps.counts.get(name) > before[index] &&
        stamps.ready.get(name).at > killed;
      const isOver = await stamps.until(() => names.every(isBack), 5_000);
      const starts = names.map((name, index) => stamps.counts.get(name) - before[index]);
      if (!isOver || starts.some((count) => count !== 1)) {
        waves.lost.push(`they were started ${starts.join(' and ')} times`);
        continue;
      }
      waves.samples.push(Math.max(...told.map(({ at }) => at)) - killed);
      waves.own.push(names.reduce((sum, name) => sum + stamps.ready.get(name).at - stamps.started.get(name).at, 0));
    }
    return waves;
  } finally {
    stop();
    await contender.down();
  }
}

/** What the keeper and the kernel took of each wave. */
export const shareOfKeeper = ({ samples, own }) =>
  quantile(
    samples.map((sample, index) => sample - own[index]),
    0.5,
  );
