import { createServer } from 'node:net';

const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (text) => socket.end(text.toString() + process.pid));
});
server.listen(process.env.SOCKET_PATH, () => console.log('listens', server.address()));
