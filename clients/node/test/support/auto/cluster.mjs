import cluster from 'node:cluster';
import { createServer } from 'node:http';

if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
  cluster.on('exit', (_worker, code, signal) => console.log(`worker ended ${code ?? signal}`));
} else {
  const server = createServer((_request, response) => {
    setTimeout(() => response.end(JSON.stringify({ pid: process.pid })), 5);
  });
  setInterval(() => {}, 60_000); // As a database would, it keeps the worker alive.
  server.listen(Number(process.env.PORT), () => console.log('listens'));
}
