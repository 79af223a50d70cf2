// What it costs to tell people: restart latency of Upkeeps side by side that differ in whom they tell. One tells nobody;
// one has a mail server that takes calls and says nothing, a webhook and a program that hang; one has its state on a full
// disk; one tells people who answer. All but the first tell of every death at once, which is more than anybody would want.
// Also what that takes of the processor, of the keeper itself and of all that it started, and of the keeper's memory.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { Contender } from './contender.mjs';
import { measureLatency } from './latency.mjs';
import { memoryKiB, spentWithEnded } from './processes.mjs';
import { run } from './programs.mjs';

const FULL_DISK = '/bench-full';
const KINDS = /export const noticeKinds = \[([^\]]*)\]/;
/** The last letters are on their way, and what a start costs is over. */
const SETTLE_MS = 4_000;

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/** @returns {Promise<object[] | string>} for each: samples, losses, processor time a death, memory before and after; or why there are none */
export async function measureNotices(peer, { count, rounds }, ground) {
  const mute = await listen(() => {});
  const kind = await listen((socket) => {
    socket.on('data', () => socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'));
  });
  mkdirSync(FULL_DISK, { recursive: true });
  run(['mount', '-t', 'tmpfs', '-o', 'mode=755,size=16m', 'tmpfs', FULL_DISK]);
  const answering = { hook: { webhook: { url: `http://127.0.0.1:${kind.port}/` } } };
  const hanging = {
    mail: { mail: { to: 'root@localhost', via: { smtp: `127.0.0.1:${mute.port}`, tls: 'none' } } },
    hook: { webhook: { url: `http://127.0.0.1:${mute.port}/` } },
    page: { exec: ['sleep', '600'] },
  };
  const make = (name, what, channels, disk = undefined) => {
    const contender = new Contender({ peer, kind: 'plain', count, name, disk }, ground);
    contender.keeper.more = { notices: tellingAll(channels) };
    return { what, contender };
  };
  const all = [
    make('silent', 'nobody is told', {}),
    make('hanging', 'a mail server, a webhook and a program that hang', hanging),
    make('full', 'the same, and the disk of state and logs is full', hanging, FULL_DISK),
    make('answering', 'a webhook that answers', { ...answering, file: { file: '/run/bench/told' } }),
  ];
  try {
    for (const { what, contender } of all) {
      const problem = await contender.up(60_000);
      if (problem !== null) return `${what}: ${problem}`;
    }
    fill(FULL_DISK);
    await sleep(SETTLE_MS);
    const before = all.map(costOf);
    const measured = await measureLatency(
      all.map(({ contender }) => contender),
      ground.stamps,
      rounds,
    );
    await sleep(SETTLE_MS);
    return all.map(({ what, contender }, index) => {
      const { samples, lost } = measured.get(contender);
      const after = costOf({ contender });
      const processor = (after.processor - before[index].processor) / rounds;
      return { what, samples, lost, processor, memory: [before[index].memory, after.memory] };
    });
  } finally {
    await Promise.all(all.map(({ contender }) => contender.down()));
    mute.server.close();
    kind.server.close();
  }
}

/** Every kind, at once. */
function tellingAll(channels) {
  const [, list] = KINDS.exec(readFileSync(new URL('../dist/core/notice.js', import.meta.url), 'utf8'));
  const kinds = list.match(/[a-z-]+/g);
  const tell = Object.keys(channels);
  return { channels, rules: tell.length === 0 ? [] : [{ kinds, tell }], digest: 'none', remind: 'none' };
}

function costOf({ contender: { keeper } }) {
  return { processor: spentWithEnded(keeper.pid), memory: memoryKiB([keeper.pid]) };
}

function listen(onConnection) {
  const server = createServer((socket) => {
    socket.on('error', () => {}); // whoever called had enough
    socket.resume();
    onConnection(socket);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ server, port: server.address().port }));
  });
}

/** Until there is room for nothing. */
function fill(directory) {
  for (const size of [1 << 20, 4096]) {
    try {
      for (let index = 0; ; index++) writeFileSync(`${directory}/filler-${size}-${index}`, Buffer.alloc(size, 1));
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error;
    }
  }
}
