// The service of the tests: it counts requests in a state that it hands over, and does wrong what FAULT says: `gen2-…` in a second or
// later generation, `old-…` in the one that is to be replaced. FAULT_FILE: the fault stands in a file, and may change.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { service } from '@upkeep/service';

const fault =
  process.env.FAULT_FILE === undefined ? process.env.FAULT : readFileSync(process.env.FAULT_FILE, 'utf8').trim();
let nth = service.generation;
const is = (name) => fault === name && (name.startsWith('old-') || isLater);
const isLater = nth > 1 || process.env.UPKEEP_SUCCEEDS !== undefined;
const never = () => new Promise((resolve) => setTimeout(resolve, 1e8));
const say = (text) => process.stdout.write(`${nth}: ${text} (pid ${process.pid})\n`);

let state = { count: 0, ballast: 'x'.repeat(Number(process.env.BALLAST ?? 0)) };
let life = 'serving';

service.configure({
  readyWithin: Number(process.env.READY_WITHIN ?? 60_000),
  transferWithin: Number(process.env.TRANSFER_WITHIN ?? 10_000),
  stateLimit: Number(process.env.STATE_LIMIT ?? 256 * 1024 * 1024),
});
const offer = {
  schema: Number(process.env[`SCHEMA_${Math.min(nth, 2)}`] ?? 1),
  async send(writer) {
    life = 'frozen';
    say('sends');
    if (is('old-throws')) throw new Error('the exporter is broken');
    if (is('old-stalls')) await never();
    if (is('old-dies-first')) process.kill(process.pid, 'SIGKILL');
    const json = JSON.stringify(state);
    await writer.write(json.slice(0, 10));
    if (is('old-dies-midway')) process.kill(process.pid, 'SIGKILL');
    await writer.write(json.slice(10));
  },
  undo(reason) {
    life = 'serving';
    say(`thawed: ${reason}`);
  },
};
if (process.env.NO_STATE === undefined) service.onHandover(offer);

say('starts');
if (is('gen2-exits-early')) process.exit(3);
if (is('gen2-exits-0')) process.exit(0);
if (is('gen2-never-reads')) {
  void service.receive();
  await never();
}
if (is('gen2-never-ready')) await never();
if (is('gen2-deaf')) {
  process.on('SIGTERM', () => {});
  await never();
}
const received = await service.receive();
if (received !== (await service.receive())) throw new Error('asked again it is not the same');
if (is('gen2-cannot-load'))
  await service.receive(() => {
    throw new Error('there is no column 7');
  });
if (is('gen2-takes-half')) for await (const _ of received.stream()) break;
else if (received !== null) state = await received.json();
if (is('gen2-refuses')) await service.refuse('I do not want it');
if (is('old-dies-after') && isLater) {
  say('has all');
  await never();
}

nth = service.generation;

const server = createServer((request, response) => {
  const tell = (body) => response.setHeader('connection', 'close').end(JSON.stringify(body));
  if (request.url === '/restart' || request.url === '/restart-by-exit')
    service.restart({ by: request.url === '/restart' ? 'request' : 'exit' }).then(
      (pid) => tell({ pid }),
      (error) => tell({ error: error.message }),
    );
  else if (request.url === '/child') tell(childOf());
  else if (request.url === '/block') block(Number(process.env.BLOCK_MS));
  else {
    state.count += 1;
    tell({ nth, pid: process.pid, count: state.count, life, mode: service.mode, sockets: service.sockets });
  }
});
service.onDrain(async (why) => {
  say(`drains, ${why}`);
  await new Promise((resolve) => server.close(resolve));
  if (process.env.SLOW_DRAIN !== undefined) await never();
});
service.onReload(() => say('reloads'));
const address = process.env.LISTEN_PATH === undefined ? { port: 0 } : { path: process.env.LISTEN_PATH };
await service.listen(server, 'http', process.env.NO_ADDRESS === undefined ? address : undefined);
if (is('gen2-ready-exits')) {
  void service.ready();
  process.exit(0);
}
const isTold = await service.ready({ status: `generation ${nth}` });
const where = server.address();
say(
  `serves ${typeof where === 'string' ? where : (where?.port ?? process.env.LISTEN_PATH)} told ${isTold} count ${state.count}`,
);

/** What a child of this process has of it: open sockets and words. */
function childOf() {
  const script = `const fs = require('node:fs');
    const fds = fs.readdirSync('/proc/self/fd').flatMap((fd) => { try { return [fs.readlinkSync('/proc/self/fd/' + fd)] } catch { return [] } });
    console.log(JSON.stringify({ fds, env: Object.keys(process.env).filter((name) => /^(LISTEN|NOTIFY|WATCHDOG|UPKEEP)_/.test(name)) }))`;
  const ours = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  return { ours, child: JSON.parse(spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout) };
}

function block(ms) {
  void service.status('blocks');
  const end = Date.now() + ms;
  while (Date.now() < end);
  void service.status('goes on');
}
