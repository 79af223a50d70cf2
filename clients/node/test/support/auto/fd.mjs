// A program that knows LISTEN_FDS by itself.
import { createServer } from 'node:http';

const server = createServer((_request, response) => response.end(JSON.stringify({ pid: process.pid })));
server.listen({ fd: 3 }, () => console.log(`listens ${server.address().port}`));
