// What happens between two generations under Upkeep: how soon the new one may serve after READY=1, how fast a state goes over, and
// what clients have of one that refuses.
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { order } from './control-socket.mjs';
import { restartedUnderLoad, summary } from './graceful-clients.mjs';
import { linesOf, nextPort, UpkeepWeb, until } from './graceful-web.mjs';
import { copyNode } from './place.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const PERL = '/usr/bin/perl';

/** Both stamps of the service are its own; the keeper's is taken where it writes the word (hook.cjs). In nanoseconds. */
export async function measureCommits(peer, way, { commits }, ground) {
  const settings = { sockets: { own: `@bench-${way}` }, ready: 'notify', handover: 'overlap', env: {} };
  const web = new UpkeepWeb(peer, ground, `commit-${way}`, settings, null);
  const [file, accepts] = ['said', 'accepts'].map((name) => join(web.place.run, name));
  settings.run = [PERL, join(HERE, 'graceful-ready.pl'), file, ...(way === 'channel' ? ['channel'] : [])];
  try {
    const problem = await web.up({ BENCH_ACCEPTS: accepts });
    if (problem !== null) return { problem };
    const failed = [];
    for (let round = 0; round < commits; round++) {
      const why = await order(web.socket, '/v1/services/web/restart');
      if (why !== null) failed.push(why);
      await until(async () => (await web.web()).draining.length === 0);
    }
    const told = linesOf(accepts).map(Number);
    const heard = linesOf(file).map((line) => line.split(' ').map(Number));
    // Each generation that was told wrote its line, in the order in which the keeper wrote its own.
    const keeper = heard.flatMap(([, said], index) => (told[index] === undefined ? [] : [told[index] - said]));
    return { problem: null, failed, service: heard.map(([, said, accepted]) => accepted - said), keeper };
  } finally {
    await web.down();
  }
}

const statefulWeb = (peer, ground, name, bytes, port) => {
  const settings = {
    run: [copyNode(ground.node, 'graceful'), join(HERE, 'graceful-state.mjs')],
    sockets: { http: `127.0.0.1:${port}` },
    ready: { notify: true, timeout: '1m' },
    handover: { mode: 'overlap', transfer: '1m' },
  };
  const web = new UpkeepWeb(peer, ground, name, settings, port);
  const [steps, refuse] = ['steps', 'refuse'].map((each) => join(web.place.run, each));
  settings.env = { SIZE: String(bytes), STEPS: steps, REFUSE: refuse };
  return { web, refuse, steps: () => linesOf(steps).map((line) => JSON.parse(line)) };
};

/** From the moment when the old one begins to send until the new one has seen the digest. */
export async function measureState(peer, { bytes, rounds }, ground) {
  const { web, steps } = statefulWeb(peer, ground, `state-${bytes}`, bytes, nextPort());
  try {
    const problem = await web.up();
    if (problem !== null) return { problem };
    const failed = [];
    for (let round = 0; round < rounds; round++) {
      const why = await web.restart();
      if (why !== null) failed.push(why);
    }
    const all = steps();
    const took = all.flatMap(({ what, at }, index) => {
      const sent = all.slice(0, index).findLast((step) => step.what === 'sends');
      return what === 'read' ? [at - sent.at] : [];
    });
    const isWhole = all.every((step) => step.what !== 'read' || step.bytes === bytes);
    return { problem: isWhole ? null : 'a state was not whole', failed, took };
  } finally {
    await web.down();
  }
}

export async function measureRefusals(peer, what, ground) {
  const port = nextPort();
  const { web, refuse, steps } = statefulWeb(peer, ground, 'refused', what.states[0].bytes, port);
  try {
    const problem = await web.up();
    if (problem !== null) return { problem };
    writeFileSync(refuse, '');
    const { failed, ...found } = summary([await restartedUnderLoad(web, port, what.refusals, what)]);
    const isHeard = failed.length === what.refusals && failed.every((text) => text.includes('the bench wants it so'));
    rmSync(refuse);
    return {
      problem: null,
      ...found,
      failed: isHeard ? [] : failed,
      read: steps().filter((step) => step.what === 'read').length,
    };
  } finally {
    await web.down();
  }
}
