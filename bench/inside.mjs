// The bench inside of its disposable machine (run.mjs starts it there): the order of the measurements, and the
// report on stdout. What happens meanwhile is told on stderr.
import { mkdirSync } from 'node:fs';
import { measureAway, measureGuard } from './away.mjs';
import { Contender } from './contender.mjs';
import { measureCoupling } from './coupling.mjs';
import { measureFrozen } from './frozen.mjs';
import { measureGraceful } from './graceful.mjs';
import { measureHeartbeats } from './heartbeats.mjs';
import { measureLatency } from './latency.mjs';
import { measureNotices } from './notices.mjs';
import { PEERS } from './peers.mjs';
import { DISK, FIFO, mountDisk, RUN, STAMP } from './place.mjs';
import { report } from './report.mjs';
import { measureScale } from './scale.mjs';
import { buildStamp, Stamps } from './stamps.mjs';
import { measureSteady } from './steady.mjs';

const options = JSON.parse(process.argv[2]);
const FULL = {
  rounds: 120,
  services: 20,
  watchedRounds: 100,
  watchedServices: 10,
  blocks: 5,
  sizes: [1, 100, 1000],
  settle: 20_000,
  window: 10_000,
  limit: 40_000,
  crowdRounds: 60,
  deaths: 10,
  toldRounds: 300,
  coupled: { size: 1000, starts: 3, rounds: 100, waves: 100 },
  asked: { size: 1000, every: 10_000, settle: 60_000, window: 60_000, long: 105_000, hangs: 30, calm: 12_000 },
  handed: {
    restarts: { overlap: 100, others: 15 },
    turns: 5,
    kept: 50,
    fresh: 50,
    pause: 50,
    every: 1_500,
    between: 200,
    commits: 100,
    states: [
      { bytes: 100e6, rounds: 10 },
      { bytes: 1e9, rounds: 1 },
    ],
    refusals: 10,
    flood: 20_000,
    floods: 20,
    rest: { size: 1000, settle: 20_000, window: 10_000, struck: 10, rounds: 100 },
  },
};
const QUICK = {
  rounds: 5,
  services: 4,
  watchedRounds: 3,
  watchedServices: 2,
  blocks: 1,
  sizes: [1, 10],
  settle: 500,
  window: 1_000,
  limit: 30_000,
  crowdRounds: 5,
  deaths: 2,
  toldRounds: 12,
  coupled: { size: 100, starts: 2, rounds: 10, waves: 10 },
  asked: { size: 10, every: 1_000, settle: 1_500, window: 3_000, long: 3_000, hangs: 2, calm: 1_000 },
  handed: {
    restarts: { overlap: 3, others: 2 },
    turns: 1,
    kept: 5,
    fresh: 5,
    pause: 50,
    every: 0,
    between: 100,
    commits: 3,
    states: [{ bytes: 10e6, rounds: 2 }],
    refusals: 2,
    flood: 5_000,
    floods: 2,
    rest: { size: 10, settle: 500, window: 1_000, struck: 2, rounds: 3 },
  },
};
const plan = options.quick ? QUICK : FULL;
const begun = Date.now();

function say(text) {
  process.stderr.write(`bench: ${((Date.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${text}\n`);
}

mkdirSync(RUN, { recursive: true });
mountDisk(DISK, '4G');
const stamp = buildStamp(STAMP);
const stamps = new Stamps(FIFO);
const ground = { stamps, isStatic: stamp === 'static', node: options.node };

const peers = [];
const missing = [];
for (const peer of PEERS.filter((each) => options.peers.includes(each.name))) {
  const why = peer.missing(options);
  if (why === null) peers.push(peer);
  else missing.push({ peer, why });
}
for (const { peer, why } of missing) say(`without ${peer.name}: ${why}`);

/** Brings up one keeper for each peer and kind, measures, and takes all of them down. */
async function sideBySide(kinds, count, rounds, how) {
  const contenders = [];
  const rows = [];
  for (const peer of peers) {
    for (const kind of peer.kinds.filter((each) => kinds.includes(each))) {
      const contender = new Contender({ peer, kind, count, name: `${peer.name}-${kind}` }, ground);
      const problem = await contender.up(60_000);
      if (problem === null) contenders.push(contender);
      else {
        say(`${peer.name} (${kind}) ${problem}`);
        rows.push({ peer, kind, samples: [], lost: [problem] });
        await contender.down();
      }
    }
  }
  try {
    const measured = await measureLatency(contenders, stamps, rounds, how);
    for (const contender of contenders)
      rows.push({ peer: contender.peer, kind: contender.kind, ...measured.get(contender) });
  } finally {
    await Promise.all(contenders.map((contender) => contender.down()));
  }
  return rows;
}

const results = {
  plan,
  stamp,
  options,
  peers,
  missing,
  problems: [],
  versions: new Map(peers.map((peer) => [peer, peer.version()])),
};

/** One measurement. What breaks in it is told in the report and costs none of the others. */
async function measure(phase, what, how) {
  if (options.phases !== null && !options.phases.includes(phase)) return;
  say(what);
  try {
    results[phase] = await how();
  } catch (error) {
    say(error.stack);
    results.problems.push(`${what}: ${error.message}`);
  }
}

await measure('supervised', 'supervised: kill to first instruction', () =>
  sideBySide(['plain', 'shell', 'hardened'], plan.services, plan.rounds, {
    patience: 100, // s6 and supervisor need a second: the others do not wait for them
  }),
);
await measure('watched', 'watched: kill to the start command', () =>
  sideBySide(['pidFile', 'exe'], plan.watchedServices, plan.watchedRounds, {
    // monit looks once a second: meet it at any point of that second.
    phase: (contender) => (contender.peer.name === 'monit' ? Math.random() * 1000 : 0),
  }),
);
const upkeep = peers.find((peer) => peer.name === 'upkeep');
if (upkeep !== undefined) {
  await measure('frozen', 'a frozen disk', () => measureFrozen(upkeep, ground, plan.blocks, plan.services));
}
if (upkeep !== undefined) {
  await measure('steady', 'the loop in the steady state', () =>
    measureSteady(upkeep, { ...plan, size: plan.sizes.at(-1), rounds: plan.crowdRounds }, ground),
  );
}
if (upkeep !== undefined) {
  await measure('notices', 'whom it tells', () =>
    measureNotices(upkeep, { count: plan.services, rounds: plan.toldRounds }, ground),
  );
}
if (options.evidence !== null && options.evidence !== undefined) results.evidence = options.evidence;
await measure('coupling', 'a graph of services', () => measureCoupling({ ...plan.coupled, peers }, ground, say));
await measure('heartbeats', 'what it costs to ask', () => measureHeartbeats({ ...plan.asked, peers }, ground, say));
await measure('graceful', 'how a web is replaced', () => measureGraceful({ ...plan.handed, peers }, ground, say));
await measure('scale', 'many services', async () => {
  const rows = [];
  for (const size of plan.sizes) rows.push(...(await measureScale({ ...plan, peers, size }, ground, say)));
  return rows;
});
await measure('away', 'the keeper’s own death', async () => {
  const rows = [];
  for (const size of plan.sizes.filter((each) => each >= 10)) {
    rows.push(...(await measureAway({ peers, size, deaths: plan.deaths }, ground, say)));
  }
  const guard =
    upkeep === undefined ? null : await measureGuard(upkeep, { size: 10, deaths: plan.deaths }, ground, say);
  return { rows, guard };
});
results.took = (Date.now() - begun) / 1000;
say('done');
process.stdout.write(report(results));
stamps.close();
process.exit(0);
