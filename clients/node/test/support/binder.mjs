// Listens where it is told, and gives the socket to its parent before anybody can have been accepted.
import { createServer } from 'node:net';

const [, , where] = process.argv;
const server = createServer();
server.listen(where.startsWith('/') ? { path: where } : { host: where, port: 0 }, () => {
  process.send({ port: server.address().port ?? 0 }, server._handle);
});
process.on('message', () => {});
