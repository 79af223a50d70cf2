// How a running web is replaced: what a restart under load costs its clients, beside others that restart the same program; what
// happens between two generations (graceful-handing.mjs); what a flood of words delays (graceful-flooding.mjs); and what held
// sockets and `ready: notify` cost where nothing happens (graceful-rest.mjs).
import { loadavg } from 'node:os';
import { restartedUnderLoad, summary } from './graceful-clients.mjs';
import { measureFlood } from './graceful-flooding.mjs';
import { measureCommits, measureRefusals, measureState } from './graceful-handing.mjs';
import { RESTARTERS } from './graceful-peers.mjs';
import { measureHeldAtRest, measureHeldRestarts } from './graceful-rest.mjs';
import { hasClient, layOutPrograms, nextPort } from './graceful-web.mjs';
import { shuffled } from './latency.mjs';

/**
 * @param {{peers: object[], restarts: {overlap: number, others: number}, turns: number, kept: number, fresh: number, pause: number, every: number,
 *   between: number, commits: number, states: {bytes: number, rounds: number}[], refusals: number, flood: number, floods: number, rest: object}} what
 *   restarts in so many turns under so many clients of each sort, milliseconds between two requests of one, from one restart to the next, and at least
 *   between them; hand-overs that are timed; states; restarts that are refused; messages of a flood, and floods; and what
 *   graceful-rest.mjs is told
 */
export async function measureGraceful(what, ground, say) {
  layOutPrograms();
  /** Told with the load before and after it; what breaks in it costs none of the others. */
  const part = async (name, how) => {
    const before = loadavg()[0];
    const found = await how().catch((error) => ({ problem: error.message }));
    say(`${name}: ${JSON.stringify(found)}`);
    return { ...found, load: [before, loadavg()[0]] };
  };
  const isHere = ({ peer }) => peer === null || what.peers.some(({ name }) => name === peer);
  const restarts = await measureRestarts(RESTARTERS.filter(isHere), what, ground, say);
  const upkeep = what.peers.find(({ name }) => name === 'upkeep');
  if (upkeep === undefined) return { ...what, restarts, commits: undefined, states: undefined };
  const commits = [];
  for (const way of ['datagram', 'channel'])
    commits.push({ way, ...(await part(`READY by ${way}`, () => measureCommits(upkeep, way, what, ground))) });
  const states = [];
  for (const state of hasClient() ? what.states : [])
    states.push({ ...state, ...(await part(`${state.bytes} bytes`, () => measureState(upkeep, state, ground))) });
  const refused = hasClient() ? await part('refused under load', () => measureRefusals(upkeep, what, ground)) : null;
  const flooded = await part('a flood of words', () => measureFlood(upkeep, what, ground));
  const struck = await part('held, and killed', () => measureHeldRestarts(upkeep, what.rest, ground));
  const resting = await part('held, at rest', () => measureHeldAtRest(upkeep, what.rest, ground, say));
  return { ...what, restarts, commits, states, refused, flooded, struck, resting };
}

/** All of them are up at once and take turns, in an order shuffled anew each time: what else the machine does meets them alike. */
async function measureRestarts(restarters, what, ground, say) {
  const rows = restarters.map((restarter) => {
    const port = nextPort();
    const missing = restarter.missing();
    const web = missing === null ? restarter.make({ peers: what.peers, ground, port }) : null;
    return { restarter, port, web, problem: missing, turns: [], load: [] };
  });
  try {
    for (const row of rows.filter(({ web }) => web !== null))
      row.problem = await row.web.up().catch((error) => error.message);
    for (let turn = 0; turn < what.turns; turn++) {
      for (const row of shuffled(rows.filter(({ problem }) => problem === null))) {
        const rounds = row.restarter.name === 'upkeep, overlap' ? what.restarts.overlap : what.restarts.others;
        row.load.push(loadavg()[0]);
        row.turns.push(await restartedUnderLoad(row.web, row.port, rounds / what.turns, what));
        const found = summary([row.turns.at(-1)]);
        say(`${row.restarter.name}: ${JSON.stringify(found)}, load ${loadavg()[0]}`);
      }
    }
  } finally {
    for (const { web, problem } of rows) if (web !== null && problem === null) await web.down();
  }
  return rows.map(({ restarter: { name, what: how }, problem, turns, load }) => ({
    name,
    what: how,
    problem,
    ...(problem === null && summary(turns)),
    load: [Math.min(...load), Math.max(...load)],
  }));
}
