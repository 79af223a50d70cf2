// The keeper's own death: every process of it is killed with -9 at once, and it is started again as before. What became of
// the services, and how long until Upkeep has all of them again.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Contender } from './contender.mjs';
import { socketOf, statusAt } from './control-socket.mjs';
import { isAlive } from './processes.mjs';
import { now } from './stamps.mjs';

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const GUARD = join(dirname(dirname(fileURLToPath(import.meta.url))), 'lib/guard.sh');

/** Long enough for every one of them to start what it will start: most wait a second between two starts. */
const SETTLE_MS = 4_000;
const PATIENCE_MS = 60_000;

/**
 * @param {{peers: object[], size: number, deaths: number}} what `deaths` of Upkeep's keeper are timed, of the others one is looked at
 * @returns {Promise<object[]>} for each peer what became of its services; for Upkeep also `back`, nanoseconds each
 */
export async function measureAway({ peers, size, deaths }, ground, say) {
  const rows = [];
  // As PID 1 of its namespace it cannot be killed from inside, and from outside everything dies with it.
  for (const peer of peers.filter((each) => each.name !== 'systemd' && each.name !== 'monit')) {
    const contender = new Contender({ peer, kind: 'plain', count: size, name: `away${size}-${peer.name}` }, ground);
    const problem = await contender.up(PATIENCE_MS);
    if (problem !== null) {
      rows.push({ peer, size, problem });
      await contender.down();
      continue;
    }
    const before = contender.services.map((service) => contender.pidOf(service));
    const row = { peer, size, problem: null, back: [] };
    try {
      for (let death = 0; death < (peer.name === 'upkeep' ? deaths : 1); death++) {
        const hasBegun = peer.name === 'upkeep' ? asks(contender, before) : null;
        // A start that is not done yet is taken up where it was, and takes its time.
        await hasBegun?.();
        // A service of runit's is called `run` like its script: by name alone it would be one of the keeper's own.
        await killAll(contender.keeper.processes().filter((pid) => !before.includes(pid)));
        const begun = now();
        contender.keeper.launch();
        if (hasBegun !== null) row.back.push((await hasBegun()) - begun);
      }
      await sleep(SETTLE_MS);
      Object.assign(row, fates(contender, before));
    } catch (error) {
      row.problem = error.message;
    }
    say(`${peer.name}, ${size}, killed: ${JSON.stringify({ ...row, peer: undefined })}`);
    rows.push(row);
    await contender.down();
    for (const pid of before) if (isAlive(pid)) kill(pid);
  }
  return rows;
}

/** Did each service go on as it was, end, or come to be there twice? */
function fates(contender, before) {
  const found = { untouched: 0, twice: 0, replaced: 0, gone: 0 };
  for (const [index, service] of contender.services.entries()) {
    const pid = contender.pidOf(service);
    const isOldAlive = isAlive(before[index]);
    if (pid === before[index]) found[isOldAlive ? 'untouched' : 'gone'] += 1;
    else found[isOldAlive && isAlive(pid) ? 'twice' : 'replaced'] += 1;
  }
  return found;
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it was quicker
  }
}

/** All at once: stopped first, so that none of them starts another again meanwhile. */
async function killAll(pids) {
  for (const name of ['SIGSTOP', 'SIGKILL']) {
    for (const pid of pids) {
      try {
        process.kill(pid, name);
      } catch {
        // ended already
      }
    }
  }
  while (pids.some(isAlive)) await sleep(1);
}

/** @returns how to wait until the keeper says that it has all of these processes; resolves to when that was */
function asks(contender, pids) {
  const socket = socketOf(contender);
  const wanted = new Set(pids);
  return async () => {
    const end = now() + PATIENCE_MS * 1e6;
    while (now() < end) {
      const status = await statusAt(socket);
      const running = status?.services.filter(({ state, process }) => state === 'running' && wanted.has(process?.pid));
      if (running?.length === wanted.size) return now();
      await sleep(2);
    }
    throw new Error(`not all of ${wanted.size} services were adopted within ${PATIENCE_MS / 1000} s`);
  };
}

/**
 * A keeper under its guard is killed over and over. @returns {Promise<object | null>} nanoseconds from the kill to the next
 * keeper's process, and to its answer; null where there is no guard
 */
export async function measureGuard(peer, { size, deaths }, ground, say) {
  if (!existsSync(GUARD)) return null;
  const contender = new Contender({ peer, kind: 'plain', count: size, name: 'guarded' }, ground);
  contender.keeper.isGuarded = true;
  const problem = await contender.up(PATIENCE_MS);
  try {
    if (problem !== null) return { problem };
    const socket = socketOf(contender);
    const started = [];
    const answered = [];
    for (let death = 0; death < deaths; death++) {
      const { pid } = (await statusAt(socket)).keeper;
      const begun = now();
      process.kill(pid, 'SIGKILL');
      for (;;) {
        const next = contender.keeper.processes().find((each) => each !== pid && each !== contender.keeper.pid);
        if (next !== undefined && isAlive(next)) break;
      }
      started.push(now() - begun);
      while (((await statusAt(socket))?.keeper.pid ?? pid) === pid) await sleep(1);
      answered.push(now() - begun);
      await sleep(3_000); // lives that are long enough: a guard takes its time with a keeper that dies at once
    }
    return { problem: null, size, started, answered };
  } finally {
    say('the guard: measured');
    await contender.down();
  }
}
