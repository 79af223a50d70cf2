// How long the keeper takes to hear one service while another one does not stop talking.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { follow, order, statusAt } from './control-socket.mjs';
import { linesOf, UpkeepWeb, until } from './graceful-web.mjs';
import { FIFO, STAMP } from './place.mjs';
import { memoryKiB } from './processes.mjs';
import { now } from './stamps.mjs';

const FLOOD = join(dirname(fileURLToPath(import.meta.url)), 'graceful-flood.pl');
const PERL = '/usr/bin/perl';

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/** One service floods while another is started again and says READY=1: until the keeper tells that it is ready, in nanoseconds. */
export async function measureFlood(peer, { flood, floods }, ground) {
  const web = new UpkeepWeb(peer, ground, 'flood', null, null);
  const file = join(web.place.run, 'floods');
  const keeper = new peer.Keeper(web.place);
  try {
    await keeper.prepare([
      { name: 'loud', kind: 'given', settings: { run: [PERL, FLOOD, String(flood), file], ready: 'notify' } },
      { name: 'other', kind: 'notify', command: [STAMP, FIFO, 'other'] },
    ]);
    keeper.launch();
    const isUp = async () => (await servicesAt(web.socket)).every(({ state }) => state === 'running');
    if (!(await until(isUp))) return { problem: 'did not come up' };
    return { problem: null, ...(await withAndWithout(keeper, web.socket, file, floods, ground.stamps)) };
  } finally {
    await keeper.stop();
    ground.stamps.forget(['other']);
  }
}

/** Before the keeper answers, one that is none: it is not up. */
const servicesAt = async (socket) => (await statusAt(socket))?.services ?? [{ state: 'unknown' }];

async function withAndWithout(keeper, socket, file, floods, stamps) {
  const loud = (await servicesAt(socket)).find(({ name }) => name === 'loud').process.pid;
  const told = [];
  const stop = await follow(socket, ({ service, what }) => {
    if (service === 'other' && what.type === 'ready') told.push(now());
  });
  const start = async () => {
    const [before, starts] = [told.length, stamps.ready.get('other')?.at];
    const problem = await order(socket, '/v1/services/other/restart');
    if (problem !== null) throw new Error(problem);
    await until(() => told.length > before && stamps.ready.get('other').at !== starts);
    const said = stamps.ready.get('other').at;
    return { said, delay: told.at(-1) - said };
  };
  const calm = [];
  for (let each = 0; each < floods; each++) calm.push((await start()).delay);
  const memory = [await collected(keeper)];
  const [during, lengths] = [[], []];
  for (let each = 0; each < floods; each++) {
    process.kill(loud, 'SIGUSR1');
    await sleep(20);
    const { said, delay } = await start();
    await until(() => linesOf(file).length > each);
    const [begun, ended] = linesOf(file).at(-1).split(' ').map(Number);
    lengths.push(ended - begun);
    if (said > begun && said < ended) during.push(delay);
  }
  memory.push(memoryKiB([keeper.pid]), await collected(keeper));
  stop();
  return { calm, during, lengths, memory };
}

async function collected(keeper) {
  keeper.collect();
  await sleep(1_000);
  return memoryKiB([keeper.pid]);
}
