// Cloudflare's shellflip has this example in Rust: a service that counts its generations in the state that it hands over, and whose
// fifth refuses. The same program under Upkeep, under systemd and alone.
//
//   PORT=8080 UPKEEP_RESTART_SOCKET=/tmp/flip.sock node shellflip.mjs
//   curl localhost:8080                       # {"generation":1,"requests":1,…}
//   kill -USR2 PID                            # alone and under systemd; under Upkeep: upkeep restart NAME

import { createServer } from 'node:http';
import { service } from '@upkeep/service';

/** How many generations there may be; REFUSE_FROM=2 has the second one refuse. */
const refuseFrom = Number(process.env.REFUSE_FROM ?? 5);

let state = { generation: 1, requests: 0 };
/** While the state is on its way it does not change: requests wait, and are answered by whoever serves then. */
let thawed = Promise.resolve();
let thaw = () => {};

service.onHandover({
  schema: 1,
  send: async (writer) => {
    thawed = new Promise((resolve) => {
      thaw = resolve;
    });
    await writer.json(state);
  },
  undo: (reason) => {
    console.log(`generation ${state.generation} goes on: ${reason}`);
    thaw();
  },
});

const received = await service.receive();
if (received !== null) {
  const before = await received.json();
  state = { generation: before.generation + 1, requests: before.requests };
}
if (state.generation >= refuseFrom) await service.refuse(`generation ${state.generation} is one too many`);

const server = createServer((request, response) => {
  void (request.url === '/restart' ? answerRestart(response) : count(response));
});

service.onDrain(async () => {
  // The old generation counts no more; what it still has to answer it answers with what it knew.
  thaw();
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeIdleConnections();
  });
});

await service.listen(server, 'http', { port: Number(process.env.PORT ?? 8080) });
await service.ready({ status: `generation ${state.generation}` });
console.log(`generation ${state.generation} serves (pid ${process.pid}, ${service.mode.manager})`);

async function count(response) {
  await thawed;
  state.requests += 1;
  answer(response, { ...state, pid: process.pid, mode: service.mode });
}

async function answerRestart(response) {
  try {
    answer(response, { pid: await service.restart({ reason: 'asked over HTTP' }) });
  } catch (error) {
    answer(response, { error: error.message }, 409);
  }
}

function answer(response, body, status = 200) {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(`${JSON.stringify(body)}\n`);
}
