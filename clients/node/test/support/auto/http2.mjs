import { createServer } from 'node:http2';

const server = createServer((_request, response) => {
  setTimeout(() => response.end(JSON.stringify({ pid: process.pid })), 5);
});
server.listen({ port: Number(process.env.PORT), host: 'localhost' }, () =>
  console.log(`listens ${server.address().port}`),
);
