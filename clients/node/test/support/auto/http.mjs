// A program that knows nothing of @upkeep/service: as most are written.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  // Server-sent events: an answer that never ends.
  if (request.url === '/events') response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': begins\n\n');
  else setTimeout(() => response.end(JSON.stringify({ pid: process.pid })), 5);
});
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log(`listens ${server.address().port}`));
if (process.env.OWN_HANDLER) {
  process.on('SIGTERM', () => {
    server.close((error) => {
      console.log(`closed ${error ?? 'well'}`);
      process.exit(error ? 1 : 7);
    });
  });
}
