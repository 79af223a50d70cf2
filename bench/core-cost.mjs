// What the graph costs the core alone: steps of the compiled core in this process, over services that nobody starts. A stand-in
// answers every order at once, so that nothing but the core and the keeper's roster is in the figures. By itself
// (`node bench/core-cost.mjs`) it prints them.
import { fileURLToPath } from 'node:url';
import { quantile } from './latency.mjs';
import { LAYERS, makeServices } from './place.mjs';
import { now } from './stamps.mjs';

const PARALLEL = 10;
/** Between two deaths, in milliseconds: none of them is one too many. */
const A_WHILE = 60_000;
/** Nothing but the status is known of a death. */
const silence = { peakMemory: null, cpuTime: null, ticks: null, by: null, findings: null };
const DIST = new URL('../dist/', import.meta.url);

const from = (module) => import(new URL(module, DIST));

/** Nanoseconds. @returns {Promise<{deaths: number, boots: number, level: object, layered: object}>} medians */
export async function measureCore({ size, deaths, boots }) {
  const found = { deaths, boots };
  // The first of each is for the compiler, and does not count.
  for (const kind of ['level', 'layered', 'level', 'layered']) {
    const specs = await specsOf(kind, size);
    const starts = [];
    const firstSteps = [];
    let stage;
    for (let boot = 0; boot < boots; boot++) {
      stage = await stageOf(specs);
      const begun = now();
      firstSteps.push(stage.boot());
      starts.push(now() - begun);
    }
    // Of those that nobody needs: the last ones.
    const leaves = specs.slice(-size / LAYERS);
    const took = Array.from({ length: deaths }, (_, death) => stage.die(leaves[death % leaves.length].name));
    found[kind] = { death: quantile(took, 0.5), firstStep: quantile(firstSteps, 0.5), start: quantile(starts, 0.5) };
  }
  return found;
}

async function specsOf(kind, size) {
  const [{ loadConfig }, { realHost }] = await Promise.all(['config/load.js', 'config/host-facts.js'].map(from));
  const services = makeServices({ name: 'core', run: '/run' }, kind, size, true);
  const restart = { delay: '0s', limit: 'none' };
  const settings = ({ needs, command: run }) => ({ run, needs, ready: { fd: 3 }, restart });
  const text = JSON.stringify({ services: Object.fromEntries(services.map((each) => [each.name, settings(each)])) });
  // What is on no disk is nobody else's.
  const path = '/core.yaml';
  const disk = {
    look: (at) => ({ type: at === path ? 'file' : 'directory', uid: 0, mode: 0o600 }),
    read: () => Buffer.from(text),
    names: () => [],
  };
  const loaded = loadConfig({ path, facts: realHost(), environment: {}, who: { uid: 0 } }, disk);
  if (loaded.type === 'bad') throw new Error(JSON.stringify(loaded.problems[0]));
  return loaded.config.specs;
}

/** A world of these services, and how to make facts come true in it. */
async function stageOf(specs) {
  const [{ Roster }, { step }, { newService }] = await Promise.all(
    ['keeper/roster.js', 'core/step.js', 'core/state.js'].map(from),
  );
  const roster = new Roster(PARALLEL);
  let pid = 0;
  let instant = 0;

  const take = (event) => {
    instant += 1;
    const outcome = step(roster, event, { instant, wall: instant, random: 0.5, host: 'up', steadySince: 0 });
    roster.take(outcome);
    return outcome.effects;
  };
  const answer = (effects) => {
    const inbox = effects.flatMap(factsOf);
    for (let event = inbox.shift(); event !== undefined; event = inbox.shift())
      inbox.push(...take(event).flatMap(factsOf));
  };
  const factsOf = ({ type, service, spec, role, generation, process }) => {
    switch (type) {
      case 'spawn': {
        pid += 1;
        const born = { pid, startTicks: pid, inode: null };
        return [{ type: 'spawned', service: spec.name, role, generation, process: born }];
      }
      case 'awaitReady':
        return [{ type: 'becameReady', service: spec.name, process }];
      case 'endRest':
        return [{ type: 'emptied', service, process }];
      default:
        return [];
    }
  };

  return {
    /** Starts all of them. @returns what the first step took, which asks for all at once */
    boot() {
      const added = specs.map((spec) => ({ type: 'added', service: spec.name, as: newService(spec, instant) }));
      const begun = now();
      const effects = take({ type: 'together', events: added });
      const took = now() - begun;
      answer(effects);
      const down = [...roster.services.values()].filter(({ state }) => state.name !== 'running');
      if (down.length > 0)
        throw new Error(`${down.length} services have not started: ${JSON.stringify(down[0].state)}`);
      return took;
    },
    /** Kills one. @returns what it took from its end until it is ready again */
    die(service) {
      const { process } = roster.services.get(service).state;
      const evidence = { status: { type: 'signaled', signal: 'SIGKILL', coreDumped: false }, oom: false, ...silence };
      instant += A_WHILE;
      const begun = now();
      answer(take({ type: 'exited', service, process, evidence, away: 'no' }));
      const took = now() - begun;
      if (roster.services.get(service).state.name !== 'running')
        throw new Error(`${service} has not come back: ${JSON.stringify(roster.services.get(service).state)}`);
      return took;
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(`${JSON.stringify(await measureCore({ size: 1000, deaths: 500, boots: 5 }), null, 1)}\n`);
