// What it costs to ask: a thousand services with an HTTP heartbeat each, beside the same without and beside others that ask as many
// URLs; how late a question is when others hang; what is left of ten thousand questions; and how soon what hangs runs again.
import { fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Contender } from './contender.mjs';
import { socketOf, statusAt } from './control-socket.mjs';
import { ASKERS } from './heartbeat-peers.mjs';
import { quantile } from './latency.mjs';
import { memoryKiB, spent } from './processes.mjs';
import { run } from './programs.mjs';
import { now } from './stamps.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);
const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

const PATIENCE_MS = 180_000;
/** One in so many hangs. */
const HANGS_EACH = 20;
/** Issue 6: what is stopped runs again within 15 s. */
const FROZEN = {
  every: '5s',
  timeout: '2s',
  fails: '2 in a row',
};
const FIRST_PORT = 20_100;
const LOOKS = 50;

/**
 * @param {{size: number, every: number, settle: number, window: number, long: number, hangs: number, calm: number, peers: object[]}} what so many
 *   services; milliseconds between questions, before a figure is taken, while it is, and until there were ten thousand questions; how
 *   often something is stopped to hang, and how long it runs before
 */
export async function measureHeartbeats(what, ground, say) {
  const upkeep = what.peers.find(({ name }) => name === 'upkeep');
  const server = await startServer();
  const idle = startIdle();
  const begun = loadavg()[0];
  const around = { ...ground, server, idle };
  const rows = [];
  const note = (row) => {
    rows.push({ ...row, load: loadavg()[0] });
    say(`${row.name}: ${JSON.stringify(rows.at(-1))}`);
  };
  try {
    const urls = Array.from({ length: what.size }, (_, index) => `${server.url}/${index}`);
    if (upkeep !== undefined) {
      note(await measureUpkeep('alone', upkeep, what, around, () => null));
      note(await measureUpkeep('asked', upkeep, { ...what, window: what.long }, around, (index) => urls[index]));
      const hanging = (index) => (index % HANGS_EACH === 0 ? `${server.url}/hang/${index}` : urls[index]);
      note(await measureUpkeep('hanging', upkeep, what, around, hanging));
    }
    for (const asker of ASKERS) {
      const why = asker.missing();
      if (why !== null) {
        note({ name: asker.name, problem: why });
        continue;
      }
      const { every, settle, window } = what;
      const times = { every, settle, window, node: ground.node, settled: () => server.arrivals() };
      const { processor, seconds } = await asker.ask(urls, times);
      note({ name: asker.name, what: asker.what, processor, seconds, questions: count(await server.arrivals()) });
    }
    const frozen = upkeep === undefined ? null : await measureFrozenServices(upkeep, what, ground);
    say(`hangs: ${JSON.stringify(frozen)}`);
    return { size: what.size, every: what.every, rows, frozen, load: [begun, loadavg()[0]] };
  } finally {
    server.close();
    idle.close();
  }
}

/** Of one core. */
export const shareOf = ({ processor, seconds }) => processor / 1e9 / seconds;

async function startServer() {
  const child = fork(join(HERE, 'heartbeat-server.mjs'));
  const { port } = await heardOf(child);
  /** By path, when each question came since the last time. */
  return { url: `http://127.0.0.1:${port}`, arrivals: () => tell(child), close: () => child.disconnect() };
}

function startIdle() {
  const child = fork(join(HERE, 'heartbeat-idle.mjs'));
  /** Milliseconds, since the last time. */
  return { lateness: () => tell(child), close: () => child.disconnect() };
}

const heardOf = (child) => new Promise((resolve) => child.once('message', resolve));

function tell(child) {
  const answer = heardOf(child);
  child.send('tell');
  return answer;
}

const count = (arrivals) => Object.values(arrivals).reduce((sum, { length }) => sum + length, 0);

/** `urlOf`: what the service of this number is asked; null: nothing. */
async function measureUpkeep(name, peer, { size, every, settle, window }, around, urlOf) {
  const { server, idle } = around;
  const contender = new Contender({ peer, kind: 'plain', count: size, name: `beats-${name}` }, around);
  for (const [index, service] of contender.services.entries()) {
    const http = urlOf(index);
    // What hangs is told once and left as it is: a restart would be another measurement.
    if (http !== null) service.heartbeat = { http, every: `${every / 1000}s`, timeout: '5s', then: 'notice' };
  }
  try {
    const problem = await contender.up(PATIENCE_MS);
    if (problem !== null) return { name, problem };
    await sleep(settle);
    const planned = await plannedTimes(contender);
    const pids = contender.keeper.processes();
    const holds = [await holdings(contender)];
    await Promise.all([server.arrivals(), idle.lateness()]);
    const [before, begun] = [pids.map((pid) => spent([pid]).processor), performance.now()];
    await sleep(window);
    const [arrivals, late] = await Promise.all([server.arrivals(), idle.lateness()]);
    const seconds = (performance.now() - begun) / 1000;
    const each = pids.map((pid, index) => spent([pid]).processor - before[index]);
    holds.push(await holdings(contender));
    const isWhole = contender.keeper.processes().join() === pids.join();
    return {
      name,
      problem: isWhole ? null : 'its processes are others than before',
      processor: each.reduce((sum, one) => sum + one, 0),
      ofKeeper: each[pids.indexOf(contender.keeper.pid)],
      seconds,
      questions: count(arrivals),
      delay: summary(delaysOf(contender, arrivals, planned, every)),
      idle: summary(late),
      holds,
    };
  } finally {
    await contender.down();
  }
}

/** When each is asked next, as the keeper itself says. */
async function plannedTimes(contender) {
  const { services } = await statusAt(socketOf(contender));
  const times = services.map(({ name, health }) => [name, health.heartbeats[0]?.next ?? null]);
  return new Map(times.filter(([, next]) => next !== null).map(([name, next]) => [name, Date.parse(next)]));
}

/** Questions come at a fixed pace from the first: how much later than planned each was with the server. Those that hang are left out. */
function delaysOf({ services }, arrivals, planned, every) {
  const delays = [];
  for (const { name, heartbeat } of services) {
    const plan = planned.get(name);
    if (plan === undefined || heartbeat.http.includes('/hang/')) continue;
    for (const at of arrivals[new URL(heartbeat.http).pathname] ?? []) delays.push(beyond(at - plan, every));
  }
  return delays;
}

const summary = (delays) =>
  delays.length === 0
    ? null
    : { count: delays.length, p50: quantile(delays, 0.5), p99: quantile(delays, 0.99), max: Math.max(...delays) };

/** Past the last planned time, in milliseconds; the status gives whole ones, so it may seem to be a little early. */
const beyond = (elapsed, every) => ((((elapsed + 5) % every) + every) % every) - 5;

/** Descriptors and memory of keeper and askers, the keeper's after a collection. */
async function holdings({ keeper }) {
  keeper.collect();
  await sleep(1_000);
  const own = [keeper.pid];
  const others = keeper.processes().filter((pid) => pid !== keeper.pid);
  const of = async (pids) => ({ memory: memoryKiB(pids), descriptors: await fewestDescriptors(pids) });
  return { keeper: await of(own), askers: await of(others) };
}

/** Between two questions: each has a socket while it lasts. */
async function fewestDescriptors(pids) {
  const counts = [];
  for (let look = 0; look < LOOKS; look++) {
    counts.push(pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0));
    await sleep(Math.random() * 40);
  }
  return Math.min(...counts);
}

/** Services that answer are stopped with SIGSTOP, each at a time of its own. @returns seconds until they listen again */
async function measureFrozenServices(peer, { hangs, calm }, ground) {
  const size = Math.min(10, hangs);
  const contender = new Contender({ peer, kind: 'plain', count: size, name: 'frozen-services' }, ground);
  const { stamps } = ground;
  for (const [index, service] of contender.services.entries()) {
    const port = FIRST_PORT + index;
    service.command = ['/usr/bin/perl', join(HERE, 'hanging.pl'), service.command[1], service.name, String(port)];
    service.stop = { wait: '1s' };
    service.heartbeat = { http: `http://127.0.0.1:${port}/`, ...FROZEN };
  }
  try {
    const problem = await contender.up(60_000);
    if (problem !== null) return { problem };
    const samples = [];
    const lost = [];
    for (let round = 0; round < hangs / size; round++) {
      // Past the first question of each, and past the grace.
      await sleep(calm);
      const struck = contender.services.map(async ({ name }) => {
        await sleep(Math.random() * 5_000);
        const before = stamps.counts.get(name);
        const stopped = now();
        process.kill(stamps.started.get(name).pid, 'SIGSTOP');
        if (await stamps.until(() => stamps.counts.get(name) > before, 30_000))
          samples.push((stamps.started.get(name).at - stopped) / 1e9);
        else lost.push('not back within 30 s');
      });
      await Promise.all(struck);
    }
    return { problem: null, samples, lost, promised: promiseOf(contender) };
  } finally {
    await contender.down();
  }
}

/** What `explain` says of it. */
function promiseOf({ place, services: [service] }) {
  const said = run([
    place.node,
    join(ROOT, 'bin/upkeep'),
    'explain',
    service.name,
    '--config',
    join(place.disk, 'upkeep.yaml'),
  ]);
  return (
    said
      .split('\n')
      .find((line) => line.includes('a hang is noticed'))
      ?.trim() ?? 'nothing'
  );
}
