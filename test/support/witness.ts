// The cosigning witness of seed 000, a program of its own: `node witness.js --agent SOCKET --listen SOCKET`. `POST /cosign` answers
// the agent's signature of what was posted. It has the habits of litewitness that made the seed: it connects to its agent once,
// without a deadline, before it listens; it never connects again; without its agent or a key it ends with 1.
// SIGINT ends it in good order; SIGTERM, as there, has no handler. Knows nothing of Upkeep.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { AgentConnection } from './agent-connection.js';

const { values } = parseArgs({ options: { agent: { type: 'string' }, listen: { type: 'string' } } });
const { agent: agentPath = '', listen = '' } = values;

const agent = await AgentConnection.open(agentPath, () => fail('the connection to the agent broke')).catch(
  (error: Error) => fail(`cannot reach the agent: ${error.message}`),
);
console.log(`witness ${process.pid}: connected to its agent`);
const [key] = await agent.keys();
if (key === undefined) fail('the agent has no key');
const cosigner = key;

async function cosign(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST' || request.url !== '/cosign') {
    response.writeHead(404).end();
    return;
  }
  const signature = await agent.sign(cosigner, await buffer(request));
  response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(signature);
}

const server = createServer((request, response) => {
  cosign(request, response).catch((error: Error) => response.writeHead(500).end(error.message));
});
server.on('error', (error) => fail(error.message));
server.listen(listen, () => console.log(`witness ${process.pid}: cosigning on ${listen}`));
process.once('SIGINT', () => server.close(() => process.exit(0)));

function fail(why: string): never {
  console.error(`witness ${process.pid}: ${why}`);
  process.exit(1);
}
